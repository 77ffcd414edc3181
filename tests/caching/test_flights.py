from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from redis import Redis

from klyx.caching.flights import KEY_PREFIX, Flights
from klyx.caching.gate import RedisGate
from tests.servers import ThrowAwayRedis


@pytest.fixture
def redis(own_redis: ThrowAwayRedis) -> Iterator[Redis]:
    with own_redis.client() as client:
        yield client


class Work:
    """Something to compute that takes until `finish` is called, and what the processes share."""

    def __init__(self) -> None:
        self.begun = 0
        self.started = threading.Event()
        self.may_end = threading.Event()
        self.found: str | None = None

    def compute(self) -> str:
        self.begun += 1
        self.started.set()
        assert self.may_end.wait(20)
        self.found = "done"
        return "done"

    def look_up(self) -> str | None:
        return self.found


def together(calls: Sequence[Callable[[], str]], work: Work) -> list[str]:
    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(call) for call in calls]
        assert work.started.wait(20)
        threading.Timer(0.2, work.may_end.set).start()
        return [future.result(30) for future in futures]


def test_one_computation_for_all_threads() -> None:
    flights: Flights[str] = Flights(None, RedisGate())
    work = Work()
    answers = together([lambda: flights.join("k", lambda: None, work.compute)] * 20, work)
    assert (answers, work.begun) == (["done"] * 20, 1)
    work.found = None
    assert flights.join("k", lambda: None, work.compute) == "done"
    assert work.begun == 2


def test_one_computation_for_all_processes(redis: Redis) -> None:
    processes: list[Flights[str]] = [Flights(redis, RedisGate()) for _ in range(4)]
    work = Work()
    calls = [partial(flights.join, "k", work.look_up, work.compute) for flights in processes * 5]
    assert together(calls, work) == ["done"] * 20
    assert work.begun == 1
    assert redis.exists(f"{KEY_PREFIX}k") == 0


def test_those_who_wait_get_the_failure_and_the_next_one_tries_again(redis: Redis) -> None:
    flights: Flights[str] = Flights(redis, RedisGate())
    waiting = threading.Event()

    def fail() -> str:
        assert waiting.wait(20)
        raise LookupError

    with ThreadPoolExecutor(5) as pool:
        futures = [pool.submit(flights.join, "k", lambda: None, fail) for _ in range(5)]
        threading.Timer(0.2, waiting.set).start()
        assert {type(future.exception(20)) for future in futures} == {LookupError}
    assert flights.join("k", lambda: None, lambda: "done") == "done"


def test_a_failure_elsewhere_lets_the_next_process_compute(redis: Redis) -> None:
    lock = redis.lock(f"{KEY_PREFIX}k", timeout=20, thread_local=False)
    assert lock.acquire(blocking=False)
    threading.Timer(0.2, lock.release).start()
    flights: Flights[str] = Flights(redis, RedisGate())
    assert flights.join("k", lambda: None, lambda: "mine") == "mine"


def test_what_is_good_enough_is_given_to_those_who_would_wait(redis: Redis) -> None:
    here, there = (Flights[str](redis, RedisGate()) for _ in range(2))
    work = Work()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(here.join, "k", lambda: None, work.compute, "old")
        assert work.started.wait(20)
        assert here.join("k", lambda: None, work.compute, "old") == "old"
        assert there.join("k", lambda: None, work.compute, "old") == "old"
        work.may_end.set()
        assert first.result(20) == "done"
    assert work.begun == 1


def test_without_redis_each_process_computes(own_redis: ThrowAwayRedis, redis: Redis) -> None:
    own_redis.kill()
    gate = RedisGate(pause_seconds=60)
    flights: Flights[str] = Flights(redis, gate)
    assert [flights.join("k", lambda: None, lambda: "done") for _ in range(3)] == ["done"] * 3
    assert not gate.may_try()
