from __future__ import annotations

import dataclasses

import pytest
from flask import Flask

from klyx.caching.entry import Entry, make_entry
from klyx.caching.gate import RedisGate
from klyx.caching.store import KEY_PREFIX, Store
from klyx.config import Settings
from tests.servers import ThrowAwayRedis

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def entry_of(size: int = 10, ttl_seconds: float = 60) -> Entry:
    return make_entry(
        b"x" * size, content_type="t", etag="e", version=1, ttl_seconds=ttl_seconds, compress=False
    )


def store(settings: Settings, **changes: object) -> Store:
    return Store(Flask("test"), dataclasses.replace(settings, **changes), RedisGate())  # type: ignore[arg-type]


def test_another_process_finds_it(settings: Settings) -> None:
    entry = entry_of()
    store(settings).put("k", entry, 60)
    assert store(settings).get("k") == entry
    assert store(settings).get("other") is None


def test_redis_forgets_it_and_holds_nothing_pickled(settings: Settings, own_redis: ThrowAwayRedis) -> None:
    store(settings).put("k", entry_of(), 60)
    with own_redis.client() as client:
        client.select(1)
        assert 0 < client.ttl(f"{KEY_PREFIX}k") <= 60
        assert client.get(f"{KEY_PREFIX}k").startswith(b'{"body":10')


def test_memory_is_bounded(settings: Settings) -> None:
    small = store(settings, cache_redis_url="memory://", cache_memory_bytes=10_000)
    for number in range(20):
        small.put(str(number), entry_of(1000), 60)
    kept = [number for number in range(20) if small.get(str(number))]
    assert kept == [14, 15, 16, 17, 18, 19]
    small.put("huge", entry_of(9000), 60)
    assert small.get("huge") is None
    assert [number for number in range(20) if small.get(str(number))] == kept


def test_an_old_one_is_found_but_not_fresh(settings: Settings) -> None:
    kept = store(settings)
    kept.put("k", entry_of(ttl_seconds=-1), 60)
    assert kept.get("k") is not None
    assert kept.get_fresh("k") is None


def test_what_another_process_made_anew_replaces_an_old_one(settings: Settings) -> None:
    here, there = store(settings), store(settings)
    here.put("k", entry_of(ttl_seconds=-1), 60)
    fresh = entry_of(20)
    there.put("k", fresh, 60)
    assert here.get_fresh("k") == fresh


def test_without_redis_it_keeps_its_own(settings: Settings, own_redis: ThrowAwayRedis) -> None:
    alone = store(settings)
    own_redis.kill()
    alone.put("k", entry_of(), 60)
    assert alone.get_fresh("k") is not None
    assert store(settings).get("k") is None


def test_a_full_redis_keeps_nothing_and_hurts_nobody(settings: Settings, own_redis: ThrowAwayRedis) -> None:
    with own_redis.client() as client:
        client.config_set("maxmemory", "1")
    kept = store(settings)
    kept.put("k", entry_of(), 60)
    assert kept.get_fresh("k") is not None
    assert store(settings).get("k") is None
