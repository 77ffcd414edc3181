"""What the web processes hold after many different requests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

from bench.speed import paths
from bench.speed.client import Request
from bench.speed.figures import Effort, Measurement
from bench.speed.stand import FEW, Stand, Web

CLIENTS = 8
REQUESTS_A_CONNECTION = 25
GOAL_GROWTH, GOAL_MEBIBYTES = 0.05, 150.0
_NUMERIC_FIELDS = ("pe_ttm", "roe_annual_pct", "rsi", "market_cap", "day_change_pct", "beta_1yr")


def measure(stand: Stand, effort: Effort) -> Iterator[Measurement]:
    requests = _mixed()
    with stand.application() as web:
        failures = _send_all(web, list(itertools.islice(requests, effort.warm_up_requests)))
        warm = _mebibytes(web)
        failures += _send_all(web, list(itertools.islice(requests, effort.mixed_requests)))
        before = _mebibytes(web)
        failures += _send_all(web, list(itertools.islice(requests, effort.mixed_requests)))
        after = _mebibytes(web)
    growth = _growth(before, after)
    largest = max(*before.values(), *after.values())
    each = ", ".join(f"{warm[pid]:.1f}, {before[pid]:.1f}, {after[pid]:.1f} MiB" for pid in before)
    count = f"{effort.mixed_requests:,}"
    yield Measurement(
        f"memory of a web process that answered {count} mixed requests: growth over {count} more",
        f"{growth * 100:+.1f} %",
        f"<= {GOAL_GROWTH * 100:g} %",
        growth <= GOAL_GROWTH,
        (
            f"resident after {effort.warm_up_requests:,}, {count} more and {count} more: {each}",
            f"the first {count} of these fill the caches: {_growth(warm, before) * 100:+.1f} %",
            f"{failures} answers were 5xx",
        ),
    )
    yield Measurement(
        "memory of the largest web process",
        f"{largest:.1f} MiB",
        f"<= {GOAL_MEBIBYTES:g} MiB",
        largest <= GOAL_MEBIBYTES,
    )


def _growth(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    return max(after[pid] / before[pid] - 1 for pid in before)


def _mixed() -> Iterator[Request]:
    """Lists, stocks, searches, screens and batches, hardly two alike, the same ones in every run."""
    chance = Random(7)  # noqa: S311 - made up, not secret
    symbols = itertools.cycle(paths.symbols(FEW))
    words = itertools.cycle(paths.words(700))
    while True:
        yield Request(f"{paths.LIST}&offset={chance.randrange(FEW)}")
        yield Request(paths.details(next(symbols)))
        yield Request(paths.details(next(symbols)), headers={"Accept-Encoding": "gzip"})
        yield Request(paths.search(next(words)))
        yield Request.post(paths.FILTER, _screen(chance))
        yield Request.post(paths.BATCH, {"stock_names": paths.portfolio(10, chance.randrange(FEW - 10))})


def _screen(chance: Random) -> dict[str, Any]:
    filters = [
        {"field": field, "operator": chance.choice(("gt", "lt")), "value": round(chance.uniform(0, 60), 2)}
        for field in chance.sample(_NUMERIC_FIELDS, 2)
    ]
    return {"filters": filters, "limit": 50}


def _send_all(web: Web, requests: list[Request]) -> int:
    """How many were answered with 5xx."""

    def send(share: Sequence[Request]) -> int:
        with web.connect() as connection:
            return sum(connection.send(request, expected_status=None).status >= 500 for request in share)

    # A new connection now and then: kept for good, all of them may happen to be with one process.
    starts = range(0, len(requests), REQUESTS_A_CONNECTION)
    shares = [requests[start : start + REQUESTS_A_CONNECTION] for start in starts]
    with ThreadPoolExecutor(CLIENTS) as threads:
        return sum(threads.map(send, shares))


def _mebibytes(web: Web) -> dict[int, float]:
    """Resident memory by process id."""
    return {pid: _resident_kibibytes(pid) / 1024 for pid in web.worker_pids()}


def _resident_kibibytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
