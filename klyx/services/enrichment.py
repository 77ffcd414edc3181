"""Asks the market-data sources for many symbols at once, within one deadline; tells what could not be had."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial

from klyx.services.market_data.gather import ENOUGH_QUALITY, Gathered, Gatherer, Memory
from klyx.services.market_data.merge import Merged, merge
from klyx.sources.base import (
    Deadline,
    MarketDataSource,
    SourceCircuitOpen,
    SourceRateLimited,
    SourceRecord,
    SourceUnavailable,
)

CONSEQUENCE = "the figures we had are kept."
NO_SOURCE = "No market-data source is switched on"
NO_FIGURES = "No source knows any of its figures"
# A source that is down or wants a rest answers the next symbol no better.
STOPPING_ERRORS = (SourceRateLimited, SourceCircuitOpen)
# Most of these threads wait: how many questions are asked at once is bounded for each source apart.
STOCKS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Enrichment:
    """Every symbol asked for is a key of exactly one of the two. A failure is a sentence for people."""

    records: dict[str, Merged]
    failures: dict[str, str]


def enrich(
    symbols: Sequence[str],
    sources: Sequence[MarketDataSource],
    deadline: Deadline,
    parallelism: int,
    on_progress: Callable[[int, int], None] | None = None,
    *,
    enough_quality: int | None = ENOUGH_QUALITY,
    memo: Memory | None = None,
) -> Enrichment:
    """Asks all `sources` (in priority order) for each distinct symbol once, and returns no later than the deadline.

    Each source is asked `parallelism` questions at a time; a slow one holds up none of the others. A symbol that
    fails is reported, never raised. `on_progress(finished, total)` is called from this thread after every symbol;
    what it raises ends the enrichment. With `enough_quality` a symbol is done as soon as its figures reach that score.
    Without a source every symbol fails with that reason.
    """
    wanted = list(dict.fromkeys(symbols))
    enrichment = Enrichment({}, {})
    if not sources:
        enrichment.failures.update(dict.fromkeys(wanted, _sentence(NO_SOURCE)))
        return enrichment
    gatherer = Gatherer(parallelism)
    asked = [_UntilItWantsARest(source) for source in sources]
    ask = partial(gatherer.gather, sources=asked, deadline=deadline, enough_quality=enough_quality, memo=memo)
    executor = ThreadPoolExecutor(min(STOCKS_AT_ONCE, max(1, len(wanted))), thread_name_prefix="enrichment")
    try:
        futures = {executor.submit(ask, symbol): symbol for symbol in wanted}
        # Without a timeout: every one of them ends at the deadline, with what had come by then.
        for finished, future in enumerate(as_completed(futures), start=1):
            _take(futures[future], future.result(), gatherer, enrichment)
            if on_progress is not None:
                on_progress(finished, len(futures))
    finally:
        # Threads that are still waiting for an answer end with their own bounded requests.
        executor.shutdown(wait=False, cancel_futures=True)
        gatherer.close()
    return enrichment


def _take(symbol: str, gathered: Gathered, gatherer: Gatherer, enrichment: Enrichment) -> None:
    merged = merge(gathered.records, gatherer.rejections)
    if merged.fields:
        enrichment.records[symbol] = merged
    else:
        reasons = dict.fromkeys(str(error) for error in gathered.failures.values())
        enrichment.failures[symbol] = _sentence("; ".join(reasons) or NO_FIGURES)


class _UntilItWantsARest:
    """A source that is not asked for further symbols once it said that it is down or asked too often."""

    def __init__(self, source: MarketDataSource) -> None:
        self.name = source.name
        self.slug = source.slug
        self._source = source
        self._reason: str | None = None

    def fetch(self, symbol: str, deadline: Deadline) -> SourceRecord:
        if self._reason is not None:
            raise SourceUnavailable(self._reason)
        try:
            return self._source.fetch(symbol, deadline)
        except STOPPING_ERRORS as error:
            self._reason = str(error)
            raise


def _sentence(clause: str) -> str:
    return f"{clause}; {CONSEQUENCE}"
