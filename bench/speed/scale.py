"""What 100,000 stocks cost more than 2,400, with nothing cached."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bench.speed import paths
from bench.speed.client import Request
from bench.speed.figures import Effort, Measurement, Spread, at_most
from bench.speed.stand import FEW, MANY, Stand

GOAL = 1.5
DIFFERENT = 8


def measure(stand: Stand, effort: Effort) -> Iterator[Measurement]:
    with (
        stand.application(FEW, is_cached=False) as small,
        stand.application(MANY, is_cached=False) as large,
        small.connect() as to_small,
        large.connect() as to_large,
    ):
        for what, different in _requests().items():
            requests = [different[turn % len(different)] for turn in range(max(effort.samples, len(different)))]
            for connection in (to_small, to_large):
                connection.milliseconds(different * 2)
            few: list[float] = []
            many: list[float] = []
            for _ in range(effort.rounds):
                few.append(median(to_small.milliseconds(requests)))
                many.append(median(to_large.milliseconds(requests)))
            yield at_most(
                f"{what} at 100,000 stocks against 2,400: p50, uncached",
                [more / less for more, less in zip(many, few, strict=True)],
                GOAL,
                "x",
                f"{Spread.of(many).text()} ms against {Spread.of(few).text()} ms",
            )


def _requests() -> dict[str, list[Request]]:
    return {
        "list": [Request(paths.LIST), Request(f"{paths.LIST}&offset=50")],
        "sector": [Request(paths.in_sector(sector)) for sector in paths.sectors(DIFFERENT)],
        "search": [Request(paths.search(word)) for word in paths.words(DIFFERENT)],
        "details": [Request(paths.details(symbol)) for symbol in paths.symbols(100)[:DIFFERENT]],
        "batch": [
            Request.post(paths.BATCH, {"stock_names": paths.portfolio(10, first)})
            for first in range(paths.FIRST_ORDINARY, paths.FIRST_ORDINARY + 10 * DIFFERENT, 10)
        ],
    }
