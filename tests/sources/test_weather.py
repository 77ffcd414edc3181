"""Bad weather: what the one client and the exchange's source make of everything a source can do wrong."""

from __future__ import annotations

import gzip
import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from bench.market import Answer, Company, Query, State
from bench.market.failures import HUGE_BYTES, Kind
from bench.market.server import Simulator
from klyx.sources.base import SourceCircuitOpen, SourceError, SourceRateLimited, SourceUnavailable
from klyx.sources.http import bounded_by
from tests.sources.exchange import COMPANY, MARKET, asked, context_of, exchange, soon

# What people are told, and how many requests one fetch may cost at most.
FAILURES: dict[Kind, tuple[type[SourceError], str, int]] = {
    "silence": (SourceUnavailable, "did not answer in time", 1),
    "half_way": (SourceUnavailable, "did not answer in time", 1),
    "drip": (SourceUnavailable, "did not answer in time", 1),
    "reset": (SourceUnavailable, "could not be reached", 2),
    "truncated_gzip": (SourceUnavailable, "could not be reached", 2),
    "html": (SourceUnavailable, "cannot be read", 1),
    "nothing": (SourceUnavailable, "cannot be read", 1),
    "empty": (SourceUnavailable, "cannot be read", 1),
    "huge": (SourceUnavailable, "larger answer than we accept", 1),
    "403": (SourceUnavailable, "refused", 2),
    "404": (SourceUnavailable, "refused", 1),
    "429": (SourceRateLimited, "limits how often", 1),
    "500": (SourceUnavailable, "answered with an error", 1),
    "503": (SourceUnavailable, "answered with an error", 2),
    "nan": (SourceUnavailable, "without figures", 1),
    "strings": (SourceUnavailable, "without figures", 1),
}
QUOTE = "quote-equity"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(MARKET) as server:
        yield server


@pytest.mark.parametrize("kind", FAILURES)
def test_a_fetch_ends_soon_with_one_clause_and_few_requests(kind: Kind, simulator: Simulator) -> None:
    expected, message, most = FAILURES[kind]
    source = exchange(simulator)
    simulator.fail(kind, path=QUOTE)
    began = time.monotonic()
    with pytest.raises(SourceError, match=message) as caught:
        source.fetch(COMPANY.symbol, soon())
    assert type(caught.value) is expected
    assert time.monotonic() - began < 5
    assert asked(simulator, QUOTE) == most


@pytest.mark.parametrize("kind", ["reset", "503", "half_way", "html", "403", "truncated_gzip", "nothing", "500"])
def test_a_source_that_keeps_failing_is_left_alone(kind: Kind, simulator: Simulator) -> None:
    source = exchange(simulator, max_attempts=1)
    simulator.fail(kind, path=QUOTE)
    failures = []
    for _ in range(8):
        with pytest.raises(SourceUnavailable) as caught:
            source.fetch(COMPANY.symbol, soon())
        failures.append(type(caught.value))
    assert failures[-4:] == [SourceCircuitOpen] * 4
    assert asked(simulator, QUOTE) <= 6


@pytest.mark.parametrize("kind", [kind for kind in FAILURES if kind != "429"])
def test_a_source_that_recovers_is_used_again(kind: Kind, simulator: Simulator) -> None:
    source = exchange(simulator, circuit_open_seconds=0.05)
    simulator.fail(kind, path=QUOTE, times=2)
    with pytest.raises(SourceError):
        source.fetch(COMPANY.symbol, soon())
    simulator.recover()
    threading.Event().wait(0.1)
    assert source.fetch(COMPANY.symbol, soon()).fields["currentPrice"] == COMPANY.price


def test_absurd_figures_are_no_prices(simulator: Simulator) -> None:
    simulator.fail("absurd", path=QUOTE)
    with pytest.raises(SourceUnavailable, match="without figures"):
        exchange(simulator).fetch(COMPANY.symbol, soon())


@pytest.mark.parametrize(("retry_after", "seconds"), [("20", 20), (None, 60), ("nonsense", 60)])
def test_a_429_with_and_without_a_time(retry_after: str | None, seconds: int, simulator: Simulator) -> None:
    source = exchange(simulator)
    simulator.fail("429", path=QUOTE, retry_after=retry_after)
    for _ in range(3):
        with pytest.raises(SourceRateLimited) as caught:
            source.fetch(COMPANY.symbol, soon())
        assert seconds - 5 < caught.value.retry_after_seconds <= seconds
    assert asked(simulator, QUOTE) == 1


class Bomb:
    """Two hundred kilobytes that become two hundred megabytes."""

    slug = "nse"
    packed = gzip.compress(bytes(HUGE_BYTES), 9)

    def symbol_of(self, _host: str, _path: str, _query: Query, /) -> None:
        return None

    def answer(self, _company: Company | None, _host: str, _path: str, _query: Query, _state: State, /) -> Answer:
        return 200, {"Content-Type": "text/csv", "Content-Encoding": "gzip"}, self.packed


@pytest.mark.parametrize("packed", [True, False])
def test_two_hundred_megabytes_take_little_memory(packed: bool, simulator: Simulator) -> None:
    host = "nsearchives.nseindia.com"
    with Simulator(MARKET, sources={host: Bomb()}) as bomb:
        server = bomb if packed else simulator
        simulator.fail("huge")
        session = context_of(server).session("NSE", "nse", frozenset({host}))
        tracemalloc.start()
        try:
            with bounded_by(soon()), pytest.raises(SourceUnavailable, match="larger answer than we accept"):
                session.get(f"https://{host}/list.csv")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 16 * 1024 * 1024
