"""What the sources remember for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from redis import Redis

from klyx.sources.memo import LARGEST_BYTES, MOST_ENTRIES, Memo
from tests.servers import ThrowAwayRedis


@pytest.fixture
def redis(redis_server: ThrowAwayRedis) -> Iterator[Redis]:
    with Redis.from_url(redis_server.url, socket_timeout=2.0) as client:
        client.flushall()
        yield client


@pytest.fixture(params=["alone", "together"])
def memo(request: pytest.FixtureRequest, redis: Redis) -> Memo:
    return Memo(redis if request.param == "together" else None)


def test_a_value_is_kept_as_it_was(memo: Memo) -> None:
    value = {"id": "RI", "figures": [1, 2.5, None], "empty": {}}
    memo.put("page:RELIANCE", value, 60)
    assert memo.get("page:RELIANCE") == value
    assert memo.get("page:TCS") is None


def test_a_value_is_forgotten_after_its_time(memo: Memo) -> None:
    memo.put("key", 1, 0.05)
    threading.Event().wait(0.1)
    assert memo.get("key") is None


def test_a_value_without_time_or_too_large_is_not_kept(memo: Memo) -> None:
    memo.put("never", 1, 0)
    memo.put("large", "x" * LARGEST_BYTES, 60)
    assert (memo.get("never"), memo.get("large")) == (None, None)


def test_processes_share_what_redis_keeps(redis: Redis) -> None:
    Memo(redis).put("key", [1], 60)
    assert Memo(redis).get("key") == [1]


def test_a_process_alone_keeps_a_bounded_number() -> None:
    memo = Memo()
    for number in range(MOST_ENTRIES + 1):
        memo.put(str(number), number, 60)
    assert (memo.get("0"), memo.get("1"), memo.get(str(MOST_ENTRIES))) == (None, 1, MOST_ENTRIES)


def test_without_its_redis_a_process_remembers_for_itself(own_redis: ThrowAwayRedis) -> None:
    with Redis.from_url(own_redis.url, socket_timeout=1.0) as client:
        memo = Memo(client)
        own_redis.stop()
        memo.put("key", 1, 60)
        assert memo.get("key") == 1
