"""What the sources remember for a while: in Redis for all processes, else in this process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import orjson
from redis import Redis

from klyx.caching.gate import RedisGate
from klyx.sources.base import Deadline

PREFIX = "klyx:memo:"
MOST_ENTRIES = 2000
LARGEST_BYTES = 1024 * 1024


class Memo:
    """A bounded memory of JSON values. Thread-safe; a Redis that is away costs the memory, never an answer.

    `redis` may be a server that forgets under memory pressure. Without one, or while it cannot be used, the
    newest `MOST_ENTRIES` values are kept in this process.
    """

    def __init__(self, redis: Redis | None = None, gate: RedisGate | None = None) -> None:
        self._redis = redis
        self._gate = gate or RedisGate()
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[bytes, Deadline]] = OrderedDict()

    def get(self, key: str) -> Any | None:
        """The value, or None when it is unknown or too old."""
        stored = self._shared(key) or self._own(key)
        return None if stored is None else orjson.loads(stored)

    def put(self, key: str, value: Any, ttl_seconds: float) -> None:
        """Keeps a value of JSON types for `ttl_seconds`. Values above LARGEST_BYTES are not kept."""
        encoded = orjson.dumps(value)
        if len(encoded) > LARGEST_BYTES or ttl_seconds <= 0:
            return
        if self._redis is not None and self._gate.may_try():
            with self._gate.attempt():
                self._redis.set(PREFIX + key, encoded, px=max(1, int(ttl_seconds * 1000)))
                return
        with self._lock:
            self._kept[key] = (encoded, Deadline(ttl_seconds))
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_ENTRIES:
                self._kept.popitem(last=False)

    def _shared(self, key: str) -> bytes | None:
        if self._redis is not None and self._gate.may_try():
            with self._gate.attempt():
                found = self._redis.get(PREFIX + key)
                return found if isinstance(found, bytes) else None
        return None

    def _own(self, key: str) -> bytes | None:
        with self._lock:
            encoded, fresh_until = self._kept.get(key, (None, None))
            if fresh_until is not None and fresh_until.expired:
                del self._kept[key]
                return None
            return encoded
