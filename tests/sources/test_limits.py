"""Turns at a source: in this process, over several, and through a Redis that comes and goes."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from bench.market import Market
from bench.market.arrivals import most_within
from bench.market.server import Simulator
from klyx.sources.base import Deadline, SourceRateLimited
from klyx.sources.context import SourceContext
from klyx.sources.http import bounded_by
from klyx.sources.limits import Pace, windows_of
from klyx.sources.own_turns import Window
from klyx.sources.settings import SourceSettings
from tests.servers import ThrowAwayRedis

HOST = "www.nseindia.com"
FAR = 60.0


@pytest.fixture
def redis(redis_server: ThrowAwayRedis) -> Iterator[Redis]:
    with Redis.from_url(redis_server.url, socket_timeout=2.0) as client:
        client.flushall()
        yield client


@pytest.fixture(params=["alone", "together"])
def pace(request: pytest.FixtureRequest, redis: Redis) -> Pace:
    return Pace("Source", "source", "3 per second", redis if request.param == "together" else None)


def ask(redis_url: str, rewrites: dict[str, str], limit: str, requests: int, threads: int) -> None:
    """What each process of the test does."""
    settings = SourceSettings(base_url_rewrites=rewrites, limits={"nse": limit}, parallelism=threads)
    session = SourceContext(settings, Redis.from_url(redis_url)).session("NSE", "nse", frozenset({HOST}))

    def one(_: int) -> int:
        with bounded_by(Deadline(FAR)):
            return session.get(f"https://{HOST}/").status_code

    with ThreadPoolExecutor(threads) as pool:
        assert set(pool.map(one, range(requests))) == {200}


def test_several_processes_together_never_exceed_the_limit_and_waste_little(redis_server: ThrowAwayRedis) -> None:
    per_second, processes, each = 10, 3, 20
    with Simulator(Market.generated(1)) as simulator:
        arguments = (redis_server.url, simulator.rewrites, f"{per_second} per second", each, 6)
        started = [multiprocessing.get_context("spawn").Process(target=ask, args=arguments) for _ in range(processes)]
        for process in started:
            process.start()
        for process in started:
            process.join()
        arrivals = simulator.arrivals.of("nse")
    assert [process.exitcode for process in started] == [0] * processes
    assert len(arrivals) == processes * each
    assert most_within(arrivals, 1.0) <= per_second
    forced = (processes * each - 1) // per_second
    assert forced <= arrivals[-1].at - arrivals[0].at <= forced * 1.1 + 1.0


def test_the_whole_amount_may_leave_at_once_and_the_next_waits_for_its_turn(pace: Pace) -> None:
    began = time.monotonic()
    waits = [pace.wait(Deadline(FAR)).waited for _ in range(4)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3] + 0.05 >= 1.0
    assert time.monotonic() - began >= 1.0


def test_a_turn_after_the_deadline_is_refused_at_once_and_not_taken(pace: Pace) -> None:
    for _ in range(3):
        pace.wait(Deadline(FAR))
    for _ in range(20):
        with pytest.raises(SourceRateLimited) as caught:
            pace.wait(Deadline(0.2))
        assert 0.2 < caught.value.retry_after_seconds <= 1.08
    # Had the refused ones taken turns, this one would come seconds later.
    assert pace.wait(Deadline(FAR)).waited <= 1.2


def test_nobody_asks_during_a_cooldown(redis: Redis) -> None:
    """The one who was told, and another process that was not."""
    told, other = (Pace("Source", "source", "3 per second", redis) for _ in range(2))
    told.cool_down(30)
    for pace in (told, other):
        with pytest.raises(SourceRateLimited, match="Source limits") as caught:
            pace.wait(Deadline(5))
        assert 25 < caught.value.retry_after_seconds <= 30


def test_the_longest_cooldown_wins(pace: Pace) -> None:
    pace.cool_down(30)
    pace.cool_down(1)
    with pytest.raises(SourceRateLimited) as caught:
        pace.wait(Deadline(5))
    assert caught.value.retry_after_seconds > 25


def test_a_cooldown_stops_those_who_wait_for_their_turn_already(redis: Redis) -> None:
    told, other = (Pace("Source", "source", "1 per second", redis) for _ in range(2))
    other.wait(Deadline(FAR))
    failures: list[float] = []

    def wait() -> None:
        try:
            other.wait(Deadline(5))
        except SourceRateLimited as error:
            failures.append(error.retry_after_seconds)

    waiting = threading.Thread(target=wait)
    waiting.start()
    told.cool_down(60)
    waiting.join()
    assert len(failures) == 1
    assert failures[0] > 50


def test_a_source_without_a_limit_is_asked_at_once(redis: Redis) -> None:
    pace = Pace("Source", "source", "", redis)
    assert [pace.wait(Deadline(1)).waited for _ in range(50)] == [0] * 50


def test_all_of_several_limits_hold(redis: Redis) -> None:
    pace = Pace("Source", "source", "10 per second; 12 per day", redis)
    for _ in range(12):
        pace.wait(Deadline(FAR))
    with pytest.raises(SourceRateLimited) as caught:
        pace.wait(Deadline(FAR))
    assert caught.value.retry_after_seconds > 80_000


def test_sources_have_limits_of_their_own(redis: Redis) -> None:
    for slug in ("first", "second"):
        assert Pace(slug, slug, "1 per hour", redis).wait(Deadline(1)).waited == 0


def test_without_redis_a_process_keeps_its_part_of_the_limit(own_redis: ThrowAwayRedis) -> None:
    with Redis.from_url(own_redis.url, socket_timeout=1.0) as client:
        paces = [Pace("Source", "source", "4 per hour", client) for _ in range(2)]
        for pace in paces:
            pace.wait(Deadline(1))
        # Now the first knows that there are two.
        paces[0].wait(Deadline(1))
        own_redis.stop()
        # It has had its two of four.
        with pytest.raises(SourceRateLimited):
            paces[0].wait(Deadline(1))


def test_a_process_that_has_lost_redis_sits_out_what_the_others_may_have_used(own_redis: ThrowAwayRedis) -> None:
    with Redis.from_url(own_redis.url, socket_timeout=1.0) as client:
        busy, idle = (Pace("Source", "source", "2 per second", client) for _ in range(2))
        for _ in range(2):
            busy.wait(Deadline(1))
        last = time.monotonic()
        own_redis.stop()
        idle.wait(Deadline(5))
        assert time.monotonic() - last >= 1.0


def test_a_redis_that_forgot_everything_does_not_give_the_amount_anew(own_redis: ThrowAwayRedis) -> None:
    with Redis.from_url(own_redis.url, socket_timeout=1.0) as client:
        pace, other = (Pace("Source", "source", "3 per second", client) for _ in range(2))
        for _ in range(2):
            pace.wait(Deadline(1))
        own_redis.stop()
        pace.wait(Deadline(5))
        own_redis.start()
        client.flushall()
        threading.Event().wait(1.1)
        # Coming back, it makes everybody wait for a window, as it cannot know what the others sent meanwhile.
        began = time.monotonic()
        pace.wait(Deadline(5))
        other.wait(Deadline(5))
        assert time.monotonic() - began >= 0.9


def test_windows_are_a_little_longer_than_what_the_source_counts() -> None:
    assert windows_of("") == ()
    second, day = windows_of("10 per 2 second; 25 per day")
    assert (second.amount, day.amount) == (10, 25)
    assert second.seconds == pytest.approx(2.16)
    assert day.seconds == pytest.approx(86_401)


@pytest.mark.parametrize(
    ("processes", "part"), [(1, Window(4, 1.0)), (2, Window(2, 1.0)), (3, Window(1, 1.0)), (8, Window(1, 2.0))]
)
def test_the_part_of_one_of_several_processes(processes: int, part: Window) -> None:
    assert Window(4, 1.0).shared_by(processes) == part
