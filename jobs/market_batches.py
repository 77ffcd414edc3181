"""One batch of a run: its stocks in order, several at a time, none begun more than twice."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from jobs.market_runs import context_of
from jobs.queue import enqueue
from klyx.errors import Unavailable
from klyx.runtime import Runtime
from klyx.services import jobs
from klyx.services.jobs import Lease, LeaseLost, ProgressReporter, StopRequested
from klyx.services.market_runs import items, runs
from klyx.services.market_runs.kinds import RUN_KINDS, Fetched, Item, RunKind, StockWork
from klyx.services.market_runs.names import RUN_JOB
from klyx.sources.base import SourceCircuitOpen, SourceError, SourceRateLimited

logger = logging.getLogger(__name__)

GROUP_SIZE = 10
GROUP_SECONDS = 2.0
LOOK_SECONDS = 0.25
MOST_RESTS = 5
# For a stock of which others have told already: what the resting source adds is not worth many of them.
MOST_RESTS_FOR_MORE = 1
CIRCUIT_REST_SECONDS = 60.0
LONGEST_REST_SECONDS = 900.0
POISONOUS = "The work on this stock was interrupted twice, so it is left out of this run."
NOT_STORED = "What the sources gave could not be stored."
UNEXPECTED = "Something went wrong on our side with what the sources gave."
RESTING = "A source wants a rest; the other stocks of this batch are fetched later."
DONE = "All stocks of this batch have been worked on."


def run(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    """Work on whatever the batch has left. Raises LeaseLost, and StopRequested after storing what is fetched."""
    run_id, batch = int(lease.arguments["run"]), int(lease.arguments["batch"])
    with runtime.database.read() as session:
        run = runs.find(session, run_id)
        left = items.waiting(session, run_id, batch)
    kind = RUN_KINDS[run.refresh_type] if run is not None else None
    work = kind.load() if kind is not None else None
    if run is None or kind is None or run.job_id is None or not isinstance(work, StockWork):
        raise ValueError("a batch belongs to a run that works stock by stock")
    _Batch(runtime, lease, progress, kind, work, run_id, run.job_id).work_through(left)


@dataclass(slots=True)
class _Rest:
    """That a source wants one, and for how long."""

    seconds: float = 0.0
    reason: str = ""


class _Batch:
    def __init__(
        self,
        runtime: Runtime,
        lease: Lease,
        progress: ProgressReporter,
        kind: RunKind,
        work: StockWork,
        run_id: int,
        parent_id: str,
    ) -> None:
        self._runtime, self._database = runtime, runtime.database
        self._lease, self._progress = lease, progress
        self._kind, self._work = kind, work
        self._run_id, self._parent_id = run_id, parent_id
        self._context = context_of(runtime)
        self._rest = _Rest()
        self._running: dict[Future[Fetched], Item] = {}
        self._finished: list[Fetched] = []
        self._written_at = time.monotonic()

    def work_through(self, left: Sequence[Item]) -> None:
        self._write([Fetched(item, error=POISONOUS) for item in left if item.attempts >= items.MOST_ATTEMPTS])
        begun_before = deque(item for item in left if 0 < item.attempts < items.MOST_ATTEMPTS)
        fresh = deque(item for item in left if item.attempts == 0)
        parallelism = self._runtime.settings.market_run_parallelism
        pool = ThreadPoolExecutor(parallelism, thread_name_prefix="market-run")
        try:
            # One of these may have taken the worker down: alone, and with the others stored, it only harms itself.
            self._fetch_all(pool, begun_before, 1, group_size=1)
            self._fetch_all(pool, fresh, parallelism, GROUP_SIZE)
            self._write(self._take_finished())
        except StopRequested:
            self._stop()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        if self._rest.seconds:
            self._put_off()
        else:
            self._end()

    def _fetch_all(self, pool: ThreadPoolExecutor, waiting: deque[Item], parallelism: int, group_size: int) -> None:
        while self._running or (waiting and not self._rest.seconds):
            room = 0 if self._rest.seconds else parallelism - len(self._running)
            starting = [waiting.popleft() for _ in range(min(room, len(waiting)))]
            self._begin(starting)
            self._running.update({pool.submit(self._fetch, item): item for item in starting})
            ended, _ = wait(self._running, LOOK_SECONDS, FIRST_COMPLETED)
            for future in ended:
                self._take(future, self._running.pop(future))
            is_late = time.monotonic() - self._written_at >= GROUP_SECONDS
            if len(self._finished) >= group_size or (self._finished and is_late):
                self._write(self._take_finished())
            self._progress.check()

    def _fetch(self, item: Item) -> Fetched:
        return self._work.fetch(self._context, item)

    def _take(self, future: Future[Fetched], item: Item) -> None:
        rests = int(self._lease.arguments.get("rests", 0))
        may_rest = rests < MOST_RESTS
        try:
            result = future.result()
            if result.rest_seconds and rests < MOST_RESTS_FOR_MORE:
                self._rest_and_ask_again(item, result.rest_seconds, SourceRateLimited.__name__)
            else:
                self._finished.append(result)
        except (SourceRateLimited, SourceCircuitOpen) as error:
            if may_rest:
                asked = error.retry_after_seconds if isinstance(error, SourceRateLimited) else CIRCUIT_REST_SECONDS
                self._rest_and_ask_again(item, asked, type(error).__name__)
            else:
                self._finished.append(Fetched(item, error=f"{error}."))
        except SourceError as error:
            self._finished.append(Fetched(item, error=f"{error}."))
        except Exception:
            logger.exception("a stock could not be worked on", extra={"run": self._run_id, "stock": item.nse_code})
            self._finished.append(Fetched(item, error=UNEXPECTED))

    def _rest_and_ask_again(self, item: Item, seconds: float, reason: str) -> None:
        self._rest = _Rest(min(max(seconds, self._rest.seconds, 1.0), LONGEST_REST_SECONDS), reason)
        self._give_back([item])

    def _begin(self, starting: Sequence[Item]) -> None:
        if starting:
            with self._database.begin() as session:
                jobs.hold(session, self._lease)
                items.begin(session, self._run_id, [item.position for item in starting])

    def _give_back(self, given: Sequence[Item]) -> None:
        with self._database.begin() as session:
            jobs.hold(session, self._lease)
            items.give_back(session, self._run_id, [item.position for item in given])

    def _take_finished(self) -> list[Fetched]:
        finished, self._finished = self._finished, []
        return finished

    def _write(self, results: Sequence[Fetched]) -> None:
        """Store a group in one transaction; when that fails, each of it alone, so that one stock harms no other."""
        self._written_at = time.monotonic()
        if not results:
            return
        try:
            self._store(results)
        except (LeaseLost, Unavailable):
            raise
        except (SQLAlchemyError, ValueError, ArithmeticError, LookupError, TypeError):
            if len(results) > 1:
                for result in results:
                    self._write([result])
                return
            (result,) = results
            logger.exception("a stock could not be stored", extra={"run": self._run_id, "stock": result.item.nse_code})
            self._store([Fetched(result.item, outcomes=result.outcomes, error=NOT_STORED)])

    def _store(self, results: Sequence[Fetched]) -> None:
        stored = [result for result in results if result.value is not None]
        with self._database.begin(*(self._work.changing if stored else ())) as session:
            jobs.hold(session, self._lease)
            if stored:
                self._work.store(session, stored)
            # The run's job before the run, as whoever leads the run does it.
            jobs.add_progress(session, self._parent_id, len(results), f"{self._kind.doing}.")
            items.end(session, self._run_id, results)

    def _stop(self) -> None:
        """Keep what is fetched, and give back what is not: nobody waits for the sources any more."""
        self._write(self._take_finished())
        self._give_back(list(self._running.values()))

    def _put_off(self) -> None:
        rests = int(self._lease.arguments.get("rests", 0)) + 1
        arguments = {**self._lease.arguments, "rests": rests}
        with self._database.begin() as session:
            jobs.suspend(session, self._lease, self._rest.seconds, RESTING, arguments)
        extra = {"run": self._run_id, "seconds": round(self._rest.seconds, 1), "error_type": self._rest.reason}
        logger.info("batch put off", extra={**extra, "rests": rests})

    def _end(self) -> None:
        """The last batch to end wakes the run."""
        with self._database.begin() as session:
            jobs.complete(session, self._lease, {}, DONE)
            jobs.add_progress(session, self._parent_id, 0, f"{self._kind.doing}.")
            is_last = not jobs.unfinished_children(session, self._parent_id)
            woken = is_last and jobs.wake(session, self._parent_id)
        if woken:
            enqueue(self._runtime, self._parent_id, RUN_JOB)
