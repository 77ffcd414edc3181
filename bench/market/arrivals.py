"""What a simulated source counted: every request with its time, as the source itself saw it."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from bench.market import Query

# Parts of an address that differ from process to process, or from second to second.
_PASSING = frozenset({"crumb", "corsDomain", "period1", "period2", "apikey"})


class Arrival(NamedTuple):
    """`at` is on the monotonic clock, when it reached the machine; `what` is its address without the symbol."""

    at: float
    slug: str
    host: str
    what: str
    symbol: str | None


class Arrivals:
    """Requests in the order they came. Thread-safe."""

    def __init__(self) -> None:
        self._all: list[Arrival] = []
        self._lock = threading.Lock()

    def note(self, at: float, slug: str, host: str, path: str, query: Query, symbol: str | None) -> None:
        asked = "&".join(f"{name}={','.join(query[name])}" for name in sorted(query) if name not in _PASSING)
        address = f"{path}?{asked}" if asked else path
        what = address.replace(symbol, "*") if symbol else address
        with self._lock:
            self._all.append(Arrival(at, slug, host, what, symbol))

    def of(self, slug: str | None = None, since: float = 0.0) -> list[Arrival]:
        """Those of one source, or all, from a moment of the monotonic clock on."""
        with self._lock:
            found = [one for one in self._all if one.at >= since and slug in (None, one.slug)]
        return sorted(found, key=lambda one: one.at)

    def clear(self) -> None:
        with self._lock:
            self._all.clear()


def most_within(arrivals: Iterable[Arrival], seconds: float = 1.0) -> int:
    """The most requests that came within any stretch of so many seconds."""
    times = sorted(one.at for one in arrivals)
    return max((place - bisect_left(times, at - seconds + 1e-9) + 1 for place, at in enumerate(times)), default=0)


def too_early(arrivals: Iterable[Arrival], limit: int, seconds: float = 1.0) -> list[float]:
    """By how many seconds each request came too early for at most `limit` of them within any stretch, if it did."""
    times = sorted(one.at for one in arrivals)
    gaps = (at - before for before, at in zip(times, times[limit:], strict=False))
    return [seconds - gap for gap in gaps if gap < seconds]


def most_of_one_kind(arrivals: Iterable[Arrival]) -> dict[int, int]:
    """How often the same thing was asked about the same stock: times asked -> number of stocks, at their worst."""
    asked = Counter((one.symbol, one.slug, one.host, one.what) for one in arrivals if one.symbol)
    worst: dict[str, int] = {}
    for (symbol, *_), times in asked.items():
        worst[str(symbol)] = max(worst.get(str(symbol), 0), times)
    return dict(sorted(Counter(worst.values()).items()))
