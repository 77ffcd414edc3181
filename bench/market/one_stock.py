"""One stock from three slow sources: all at once, and one after another."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.market import Market
from bench.market.catalogue import OLDER_DELAYS
from bench.market.plan import Plan
from bench.market.server import Simulator
from bench.market.stand import MarketStand
from bench.speed.figures import Measurement, Spread, at_most
from klyx.services.market_data import gather
from klyx.sources.base import Deadline, MarketDataSource
from klyx.sources.build import build_sources
from klyx.sources.settings import SourceSettings

GOAL_SECONDS = 1.6


def measure(stand: MarketStand, plan: Plan) -> Iterator[Measurement]:
    rounds = 3 if plan.is_quick else 15
    market = Market.generated(2 * rounds + 1)
    symbols = [company.symbol for company in market]
    with tempfile.TemporaryDirectory(dir=stand.folder) as folder, Simulator(market) as simulator:
        simulator.delays.update(OLDER_DELAYS)
        settings = SourceSettings(base_url_rewrites=simulator.rewrites, cache_folder=Path(folder))
        sources = build_sources(settings).quotes
        # Cookies and imports are of the process, not of a stock.
        _together(symbols[0], sources)
        together = [_together(symbol, sources) for symbol in symbols[1 : rounds + 1]]
        arrivals = simulator.arrivals.of()
        # Others, of which nothing is remembered.
        apart = [_apart(symbol, sources) for symbol in symbols[rounds + 1 :]]
    asked = sum(one.symbol in symbols[1:] for one in arrivals) / rounds
    yield at_most(
        f"one stock, {len(sources)} sources at once",
        together,
        GOAL_SECONDS,
        "s",
        f"one after another: {Spread.of(apart).text()} s",
        f"{asked:.1f} requests a stock; delays of a whole fetch: {dict(OLDER_DELAYS)}",
    )


def _together(symbol: str, sources: Sequence[MarketDataSource]) -> float:
    started = time.perf_counter()
    gathered = gather(symbol, sources, Deadline(20.0), enough_quality=None)
    seconds = time.perf_counter() - started
    if gathered.failures or len(gathered.records) != len(sources):
        raise RuntimeError(f"{symbol}: {dict(gathered.failures)}")
    return seconds


def _apart(symbol: str, sources: Sequence[MarketDataSource]) -> float:
    started = time.perf_counter()
    for source in sources:
        source.fetch(symbol, Deadline(20.0))
    return time.perf_counter() - started
