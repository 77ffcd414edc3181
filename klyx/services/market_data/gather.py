"""Asks all sources of one stock at the same time, within one deadline."""

from __future__ import annotations

import functools
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypedDict

from klyx.services.analysis.quality import SOURCE_REQUIRED_FIELDS, missing_fields, score_fields
from klyx.services.market_data.merge import merge
from klyx.services.market_data.plausible import Rejections, plausible
from klyx.sources.base import Deadline, MarketDataSource, SourceError, SourceRecord, SourceUnavailable, SymbolUnknown

logger = logging.getLogger(__name__)

ENOUGH_QUALITY = 80
MEMO_SECONDS = 900.0
QUESTIONS_PER_SOURCE = 8


class Memory(Protocol):
    """What klyx.sources.memo.Memo is: a bounded memory of JSON values that never fails."""

    def get(self, key: str) -> Any | None: ...

    def put(self, key: str, value: Any, ttl_seconds: float) -> None: ...


class Attempt(TypedDict):
    """What asking one source gave: its quality score, and the required fields that it lacks."""

    source: str
    quality: int
    missing: list[str]


@dataclass(frozen=True, slots=True)
class Gathered:
    """The plausible records of a symbol in priority order; every source asked has a record or a failure (by slug).

    A source that was not waited for, because what came before it was enough, has neither. `outcomes`: slug -> "ok" or
    the name of the error.
    """

    symbol: str
    records: tuple[SourceRecord, ...]
    failures: Mapping[str, SourceError]
    attempts: Sequence[Attempt]
    outcomes: Mapping[str, str]


class Gatherer:
    """Threads for asking, a few for each source, so that a slow one holds up none of the others.

    One for a process, and for all stocks: what a source is asked at once is bounded over all of them.
    """

    def __init__(self, questions_per_source: int = QUESTIONS_PER_SOURCE) -> None:
        self.rejections = Rejections()
        self._questions_per_source = max(1, questions_per_source)
        self._lock = threading.Lock()
        self._executors: dict[str, ThreadPoolExecutor] = {}

    def gather(
        self,
        symbol: str,
        sources: Sequence[MarketDataSource],
        deadline: Deadline,
        *,
        enough_quality: int | None = ENOUGH_QUALITY,
        memo: Memory | None = None,
    ) -> Gathered:
        """What the sources, given in priority order, know of a symbol; returns at the deadline at the latest.

        With `enough_quality` it returns as soon as sources from the first on, without a gap, have ended and reach
        that score together: so what a field's value is never depends on who was faster. None waits for all.
        A source is not asked again for what it said within 15 minutes, when a `memo` is given. Raises nothing: a
        source that fails costs only its fields.
        """
        futures = {
            self._executor(source.slug).submit(self._ask, source, symbol, deadline, memo): source for source in sources
        }
        ended: dict[str, SourceRecord | SourceError] = {}
        pending: set[Future[SourceRecord]] = set(futures)
        is_enough = False
        while pending and not is_enough:
            done, pending = wait(pending, timeout=deadline.remaining(), return_when=FIRST_COMPLETED)
            if not done:
                break
            for future in done:
                ended[futures[future].slug] = _outcome(future, futures[future], symbol)
            is_enough = enough_quality is not None and _quality_so_far(sources, ended) >= enough_quality
        for future in pending:
            future.cancel()
            if not is_enough:
                ended[futures[future].slug] = _late(futures[future])
        return _gathered(symbol, sources, ended)

    def close(self) -> None:
        """Ends the threads that wait for nothing; the others end with their own bounded requests."""
        with self._lock:
            for executor in self._executors.values():
                executor.shutdown(wait=False, cancel_futures=True)
            self._executors.clear()

    def _executor(self, slug: str) -> ThreadPoolExecutor:
        with self._lock:
            if slug not in self._executors:
                self._executors[slug] = ThreadPoolExecutor(self._questions_per_source, thread_name_prefix=f"ask-{slug}")
            return self._executors[slug]

    def _ask(
        self, source: MarketDataSource, symbol: str, deadline: Deadline, memo: Memory | None
    ) -> SourceRecord:
        key = f"record:{source.slug}:{symbol}"
        if memo is not None and isinstance(known := memo.get(key), dict):
            return _remembered(known)
        if deadline.expired:
            raise _late(source)
        try:
            record = plausible(source.fetch(symbol, deadline), self.rejections)
        except SymbolUnknown as error:
            if memo is not None:
                memo.put(key, {"unknown": str(error)}, MEMO_SECONDS)
            raise
        if memo is not None:
            memo.put(key, _to_remember(record), MEMO_SECONDS)
        return record


def gather(
    symbol: str,
    sources: Sequence[MarketDataSource],
    deadline: Deadline,
    *,
    enough_quality: int | None = ENOUGH_QUALITY,
    memo: Memory | None = None,
) -> Gathered:
    """Gatherer.gather with the threads of this process."""
    return process_gatherer().gather(symbol, sources, deadline, enough_quality=enough_quality, memo=memo)


def process_gatherer() -> Gatherer:
    """The one of this process; a fork makes its own."""
    return _gatherer(os.getpid())


@functools.lru_cache(maxsize=1)
def _gatherer(_process_id: int) -> Gatherer:
    return Gatherer()


def _outcome(future: Future[SourceRecord], source: MarketDataSource, symbol: str) -> SourceRecord | SourceError:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, SourceError):
        return error
    logger.error(
        "A market-data source broke its promise", extra={"source": source.name, "symbol": symbol}, exc_info=error
    )
    return SourceUnavailable(f"{source.name} could not be asked because of an unexpected error")


def _late(source: MarketDataSource) -> SourceUnavailable:
    return SourceUnavailable(f"{source.name} did not answer in time")


def _quality_so_far(sources: Sequence[MarketDataSource], ended: Mapping[str, SourceRecord | SourceError]) -> int:
    """The quality of what the sources from the first one to the first unfinished one know together."""
    records: list[SourceRecord] = []
    for source in sources:
        if source.slug not in ended:
            break
        found = ended[source.slug]
        if isinstance(found, SourceRecord):
            records.append(found)
    return merge(records).quality_score


def _gathered(
    symbol: str, sources: Sequence[MarketDataSource], ended: Mapping[str, SourceRecord | SourceError]
) -> Gathered:
    records: list[SourceRecord] = []
    failures: dict[str, SourceError] = {}
    attempts: list[Attempt] = []
    outcomes: dict[str, str] = {}
    for source in sources:
        found = ended.get(source.slug)
        if isinstance(found, SourceRecord):
            records.append(found)
            outcomes[source.slug] = "ok"
            missing = missing_fields(found.fields)
            attempts.append({"source": source.name, "quality": score_fields(found.fields), "missing": missing})
        elif found is not None:
            failures[source.slug] = found
            outcomes[source.slug] = type(found).__name__
            attempts.append({"source": source.name, "quality": 0, "missing": list(SOURCE_REQUIRED_FIELDS)})
    return Gathered(symbol, tuple(records), failures, attempts, outcomes)


def _to_remember(record: SourceRecord) -> dict[str, Any]:
    return {
        "symbol": record.symbol,
        "source": record.source,
        "fetched_at": record.fetched_at.isoformat(),
        "fields": dict(record.fields),
        "statement_kind": record.statement_kind,
    }


def _remembered(known: Mapping[str, Any]) -> SourceRecord:
    if "unknown" in known:
        raise SymbolUnknown(known["unknown"])
    return SourceRecord(
        known["symbol"],
        known["source"],
        datetime.fromisoformat(known["fetched_at"]),
        known["fields"],
        known["statement_kind"],
    )
