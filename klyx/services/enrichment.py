"""Asks a market-data source for many symbols at once, within one deadline; tells what could not be had."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from klyx.sources.base import (
    Deadline,
    MarketDataSource,
    SourceCircuitOpen,
    SourceError,
    SourceRateLimited,
    SourceRecord,
)

logger = logging.getLogger(__name__)

CONSEQUENCE = "the workbook's own figures are kept."
# A source that is down or wants a rest answers the next symbol no better.
STOPPING_ERRORS = (SourceRateLimited, SourceCircuitOpen)


@dataclass(frozen=True, slots=True)
class Enrichment:
    """Every symbol asked for is a key of exactly one of the two. A failure is a sentence for people."""

    records: dict[str, SourceRecord]
    failures: dict[str, str]


def enrich(
    symbols: Sequence[str],
    source: MarketDataSource | None,
    deadline: Deadline,
    parallelism: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> Enrichment:
    """Fetches each distinct symbol once, `parallelism` at a time, and returns no later than the deadline.

    A symbol that fails is reported, never raised. `on_progress(finished, total)` is called from this thread
    after every symbol; what it raises ends the enrichment. Without a source every symbol fails with that
    reason.
    """
    wanted = list(dict.fromkeys(symbols))
    enrichment = Enrichment({}, {})
    if source is None:
        enrichment.failures.update(dict.fromkeys(wanted, _sentence("No market-data source is switched on")))
        return enrichment
    questions = _Questions(source, deadline)
    executor = ThreadPoolExecutor(max(1, parallelism), thread_name_prefix="enrichment")
    try:
        futures = {executor.submit(questions.ask, symbol): symbol for symbol in wanted}
        _collect(futures, enrichment, deadline, on_progress)
    finally:
        # Threads that are still waiting for an answer end with their own bounded requests.
        executor.shutdown(wait=False, cancel_futures=True)
    late = _sentence(f"{source.name} did not answer in time")
    answered = enrichment.records.keys() | enrichment.failures.keys()
    enrichment.failures.update({symbol: late for symbol in wanted if symbol not in answered})
    return enrichment


def _collect(
    futures: dict[Future[SourceRecord | str], str],
    enrichment: Enrichment,
    deadline: Deadline,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    try:
        for finished, future in enumerate(as_completed(futures, timeout=deadline.remaining()), start=1):
            answer = future.result()
            if isinstance(answer, str):
                enrichment.failures[futures[future]] = answer
            else:
                enrichment.records[futures[future]] = answer
            if on_progress is not None:
                on_progress(finished, len(futures))
    except TimeoutError:
        logger.warning("Enrichment ran out of time", extra={"symbols": len(futures)})


class _Questions:
    """What the threads share: the source, the deadline, and the reason to stop asking once there is one."""

    def __init__(self, source: MarketDataSource, deadline: Deadline) -> None:
        self._source = source
        self._deadline = deadline
        self._lock = threading.Lock()
        self._reason_to_stop: str | None = None

    def ask(self, symbol: str) -> SourceRecord | str:
        """The record, or the sentence that says why there is none."""
        with self._lock:
            if self._reason_to_stop is not None:
                return self._reason_to_stop
        if self._deadline.expired:
            return _sentence(f"{self._source.name} did not answer in time")
        try:
            return self._source.fetch(symbol, self._deadline)
        except STOPPING_ERRORS as error:
            with self._lock:
                self._reason_to_stop = _sentence(str(error))
            return self._reason_to_stop
        except SourceError as error:
            return _sentence(str(error))
        except Exception:
            logger.exception("A market-data source broke its promise", extra={"symbol": symbol})
            return _sentence(f"{self._source.name} could not be asked because of an unexpected error")


def _sentence(clause: str) -> str:
    return f"{clause}; {CONSEQUENCE}"
