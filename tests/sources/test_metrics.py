"""What asking the sources cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from bench.market.server import Simulator
from klyx.sources import metrics
from klyx.sources.base import SourceError
from klyx.sources.context import SourceContext
from klyx.sources.metrics import Tally
from klyx.sources.nse import NseSource
from klyx.sources.settings import SourceSettings
from tests.servers import ThrowAwayRedis
from tests.sources.exchange import COMPANY, MARKET, soon


@pytest.fixture
def redis(redis_server: ThrowAwayRedis) -> Iterator[Redis]:
    with Redis.from_url(redis_server.url, socket_timeout=2.0) as client:
        client.flushall()
        yield client


def test_requests_failures_and_times_are_counted_over_processes(redis: Redis) -> None:
    for _ in range(2):
        Tally("nse", redis).asked(None, 0.25, 1.5)
    Tally("nse", redis).asked("timeout", 6.0)
    Tally("yahoo", redis).failed("circuit_open")
    figures = metrics.read(redis)
    assert figures["nse"].requests == 3
    assert figures["nse"].failures == {"timeout": 1}
    assert figures["nse"].seconds_asked == pytest.approx(6.5)
    assert figures["nse"].seconds_waited == pytest.approx(3.0)
    assert (figures["yahoo"].requests, figures["yahoo"].failures) == (0, {"circuit_open": 1})


def test_another_day_has_figures_of_its_own(redis: Redis) -> None:
    Tally("nse", redis).asked(None, 0.1)
    assert metrics.read(redis, datetime.now(UTC).date() - timedelta(days=1)) == {}


def test_what_was_counted_without_redis_is_added_later(own_redis: ThrowAwayRedis) -> None:
    with Redis.from_url(own_redis.url, socket_timeout=1.0) as client:
        # A gate of its own for each, so that the second does not wait until the first tries again.
        tally = Tally("nse", client)
        own_redis.stop()
        tally.asked("timeout", 1.0)
        own_redis.start()
        tally._gate._closed_until = 0.0
        tally.asked(None, 1.0)
        assert (metrics.read(client)["nse"].requests, metrics.read(client)["nse"].failures) == (2, {"timeout": 1})


def test_without_any_redis_nothing_is_kept() -> None:
    tally = Tally("nse")
    tally.asked(None, 1.0)
    assert not tally._pending


def test_the_client_counts_every_request_and_its_failure_by_kind(redis: Redis) -> None:
    with Simulator(MARKET) as simulator:
        settings = SourceSettings(
            base_url_rewrites=simulator.rewrites, max_attempts=1, read_timeout_seconds=0.3, circuit_failures=10
        )
        source = NseSource(SourceContext(settings, redis))
        source.fetch(COMPANY.symbol, soon())
        for kind in ("403", "silence", "reset", "truncated_gzip", "429"):
            simulator.fail(kind, path="quote-equity")
            with pytest.raises(SourceError):
                source.fetch(COMPANY.symbol, soon())
            simulator.recover()
    figures = metrics.read(redis)["nse"]
    # A refusal is tried once more with new cookies.
    assert figures.failures == {"status_403": 2, "timeout": 1, "connection": 1, "cut_short": 1, "status_429": 1}
    assert figures.requests == 2 + 3 + 4
