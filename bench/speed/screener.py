"""The presets, and filters as people build them, worked out anew over 2,400 stocks."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bench.speed import paths
from bench.speed.client import Request
from bench.speed.figures import Effort, Measurement, at_most, percentile
from bench.speed.stand import Stand

GOAL_MILLISECONDS = 30.0
FILTERS = {
    "cheap": {"filters": [{"field": "pe_ttm", "operator": "lt", "value": 20}], "limit": 50},
    "between": {
        "filters": [
            {"field": "Day RSI", "operator": "between", "value": [30, 70]},
            {"field": "Market Capitalization", "operator": "gt", "value": 5_000_000_000},
            {"field": "Current Price", "operator": "gt_field", "value": "Day SMA200"},
        ],
        "sort_by": "Day RSI",
        "sort_order": "asc",
        "limit": 500,
    },
    "any": {
        "filters": [
            {"field": "Sector", "operator": "in", "value": ["Chemicals", "Realty"]},
            {"field": "Stock Name", "operator": "contains", "value": "cement"},
        ],
        "logic": "OR",
        "limit": 500,
    },
}


def measure(stand: Stand, effort: Effort) -> Iterator[Measurement]:
    with stand.application(is_cached=False) as web, web.connect() as connection:
        presets = {name: Request(paths.preset(name)) for name in paths.preset_ids(connection)}
        filters = {name: Request.post(paths.FILTER, body) for name, body in FILTERS.items()}
        for what, requests in (("preset", presets), ("filter", filters)):
            taken: dict[str, list[float]] = {name: [] for name in requests}
            for request in requests.values():
                connection.milliseconds([request] * 3)
            worst: list[float] = []
            for _ in range(effort.rounds):
                this_round = {
                    name: connection.milliseconds([request] * effort.samples) for name, request in requests.items()
                }
                for name, values in this_round.items():
                    taken[name] += values
                worst.append(max(percentile(values, 95) for values in this_round.values()))
            slowest = max(taken, key=lambda name: percentile(taken[name], 95))
            yield at_most(
                f"{what}s over 2,400 stocks, uncached: p95 of the slowest of {len(requests)}",
                worst,
                GOAL_MILLISECONDS,
                "ms",
                f"slowest: {slowest} (p50 {median(taken[slowest]):.2f} ms); p50 of all "
                f"{median(value for values in taken.values() for value in values):.2f} ms",
            )
