"""`python -m jobs.scheduler`: takes up lost jobs and sends periodic tasks to the workers. Several may run; one acts."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from types import FrameType

from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from jobs import housekeeping
from jobs.connections import patient_redis
from jobs.housekeeping import PeriodicTask
from jobs.leadership import Leadership
from jobs.queue import JobQueue
from jobs.recovery import recover_jobs
from jobs.run_starter import RunStarter
from klyx.config import ConfigurationError, load_settings
from klyx.database import Database
from klyx.errors import Unavailable
from klyx.logs import configure_logging
from klyx.runtime import build_runtime
from klyx.services.market_runs.slots import schedules_of

logger = logging.getLogger(__name__)

MINIMUM_LEADERSHIP_SECONDS = 2.0


class Scheduler:
    """`tick` does whatever is due, if this scheduler leads. Nothing it meets ends it."""

    def __init__(
        self,
        database: Database,
        queue: JobQueue,
        leadership: Leadership,
        tasks: Mapping[str, PeriodicTask] = housekeeping.TASKS,
        clock: Callable[[], float] = time.time,
        run_starter: RunStarter | None = None,
    ) -> None:
        self._database = database
        self._queue = queue
        self._leadership = leadership
        self._tasks = tasks
        self._clock = clock
        self._run_starter = run_starter
        self._last_slots: dict[str, int] = {}
        self._failing: set[str] = set()
        self.leads = False

    def run(self, interval_seconds: float, stopping: threading.Event) -> None:
        """Tick until `stopping` is set."""
        while not stopping.is_set():
            self.tick()
            stopping.wait(interval_seconds)
        self._guarded("release", self._leadership.release)

    def tick(self) -> None:
        self._do("recover", lambda: recover_jobs(self._database, self._queue))
        for name, task in self._tasks.items():
            self._do(name, lambda name=name, task=task: self._enqueue_if_due(name, task))  # type: ignore[misc]

        if self._run_starter is not None:
            self._do("runs", partial(self._start_due_runs, self._run_starter))

    def _start_due_runs(self, starter: RunStarter) -> None:
        starter.start_due(datetime.fromtimestamp(self._clock(), UTC))

    def _do(self, name: str, action: Callable[[], None]) -> None:
        """Before each action the leadership is made sure of again: the one before may have taken long."""
        self.leads = False
        self._guarded("leadership", self._hold)
        if self.leads:
            self._guarded(name, action)

    def _hold(self) -> None:
        self.leads = self._leadership.hold()

    def _enqueue_if_due(self, name: str, task: PeriodicTask) -> None:
        slot = int(self._clock() // task.interval_seconds)
        if self._last_slots.get(name) != slot:
            self._queue.enqueue_periodic(housekeeping.ENTRY_POINT, name, slot, task.interval_seconds)
            self._last_slots[name] = slot

    def _guarded(self, name: str, action: Callable[[], None]) -> None:
        """An outage is logged when it begins and when it ends, any other failure each time."""
        try:
            action()
        except (RedisError, Unavailable, SQLAlchemyError) as error:
            if name not in self._failing:
                logger.warning("out of order", extra={"action": name, "error_type": type(error).__name__})
            self._failing.add(name)
        except Exception:
            logger.exception("action failed", extra={"action": name})
        else:
            if name in self._failing:
                logger.warning("in order again", extra={"action": name})
            self._failing.discard(name)


def main() -> int:
    try:
        settings = load_settings()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    configure_logging(settings.log_level)
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    interval_seconds = settings.scheduler_interval_seconds
    with closing(build_runtime(settings)) as runtime, patient_redis(settings.redis_url) as connection:
        leadership = Leadership(connection, max(MINIMUM_LEADERSHIP_SECONDS, 3 * interval_seconds))
        queue = JobQueue(connection, settings)
        starter = RunStarter(runtime.database, queue, schedules_of(settings), settings.job_max_attempts)
        scheduler = Scheduler(runtime.database, queue, leadership, run_starter=starter)
        logger.info("scheduler started")
        scheduler.run(interval_seconds, stopping)
    logger.info("scheduler stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
