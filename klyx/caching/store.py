"""Where ready answers lie: in this process up to a number of bytes, and through Flask-Caching in Redis for all."""

from __future__ import annotations

import threading
from typing import Any

from cachelib.serializers import BaseSerializer
from cachetools import LRUCache
from flask import Flask
from flask_caching import Cache

from klyx.caching.entry import Entry, unpack
from klyx.caching.gate import RedisGate
from klyx.config import Settings

KEY_PREFIX = "klyx-answer:"


class RawBytes(BaseSerializer):
    """Bytes go in and come out as they are: nothing from Redis is ever unpickled."""

    def dumps(self, value: bytes, protocol: int = 0) -> bytes:
        return value

    def loads(self, bvalue: bytes | None) -> bytes | None:
        return bvalue


def make_flask_cache(app: Flask, settings: Settings) -> Cache:
    timeout_seconds = settings.redis_timeout_seconds
    config: dict[str, Any] = {"CACHE_TYPE": "NullCache", "CACHE_NO_NULL_WARNING": True}
    if settings.cache_url is not None:
        config = {
            "CACHE_TYPE": "RedisCache",
            "CACHE_REDIS_URL": settings.cache_url,
            "CACHE_KEY_PREFIX": KEY_PREFIX,
            "CACHE_SERIALIZER": RawBytes,
            "CACHE_OPTIONS": {"socket_timeout": timeout_seconds, "socket_connect_timeout": timeout_seconds},
        }
    return Cache(app, config=config)


class Store:
    """Entries by key. Redis being down or full means that entries are found less often, nothing else."""

    def __init__(self, app: Flask, settings: Settings, gate: RedisGate) -> None:
        flask_cache = make_flask_cache(app, settings)
        # The backend, as Flask-Caching's own front would need an application context for each call.
        self._shared = app.extensions["cache"][flask_cache]
        self._gate = gate
        self._largest = settings.cache_memory_bytes // 4
        self._memory: LRUCache[str, Entry] = LRUCache(settings.cache_memory_bytes, getsizeof=_size)
        self._lock = threading.Lock()

    def at_hand(self, key: str) -> Entry | None:
        """The entry under `key` if this process holds it and it is fresh; costs no trip to Redis."""
        with self._lock:
            entry = self._memory.get(key)
        return entry if entry is not None and entry.is_fresh else None

    def get(self, key: str) -> Entry | None:
        """The entry under `key`, fresh or not."""
        with self._lock:
            entry = self._memory.get(key)
        if entry is not None and entry.is_fresh:
            return entry
        return self._from_shared(key) or entry

    def get_fresh(self, key: str) -> Entry | None:
        entry = self.get(key)
        return entry if entry is not None and entry.is_fresh else None

    def put(self, key: str, entry: Entry, keep_seconds: float) -> None:
        self._remember(key, entry)
        if self._gate.may_try():
            with self._gate.attempt():
                self._shared.set(key, entry.pack(), timeout=int(keep_seconds))

    def _from_shared(self, key: str) -> Entry | None:
        packed: bytes | None = None
        if self._gate.may_try():
            with self._gate.attempt():
                packed = self._shared.get(key)
        entry = unpack(packed) if packed else None
        if entry is not None:
            self._remember(key, entry)
        return entry

    def _remember(self, key: str, entry: Entry) -> None:
        if entry.size <= self._largest:
            with self._lock:
                self._memory[key] = entry


def _size(entry: Entry) -> int:
    return entry.size
