"""The current version of each kind of data: the truth lies in the database, a copy for quick reading in Redis."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, cast

from cachetools import LRUCache
from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import Connection
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry

from klyx.caching.gate import RedisGate
from klyx.caching.watch import MakeConnection, Watch
from klyx.database import Database
from klyx.database.versions import read_version

logger = logging.getLogger(__name__)

# A copy that went wrong unnoticed (a writer cut off from Redis alone) is wrong for no longer than this.
COPY_TTL_SECONDS = 30
# A writer waits longer than a reader: what it cannot say, readers do not know until the copy ends.
WRITER_TIMEOUT_SECONDS = 2.0
KEY_PREFIX = "klyx-version:"
_NAMESPACES_REMEMBERED = 10_000
# Never lower: a slow reader must not overwrite what a writer said meanwhile.
_RAISE = """
local present = tonumber(redis.call('GET', KEYS[1]) or '-1')
if tonumber(ARGV[1]) >= present then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end
"""


class Versions:
    """What `current` says is at least as new as every change whose transaction ended before the call.

    A new connection means that Redis may have restarted and missed a change, so after one each copy is
    compared with the database before it is believed again.
    """

    def __init__(self, database: Database, redis_url: str, timeout_seconds: float, gate: RedisGate) -> None:
        self._database = database
        self._gate = gate
        self._connections_made = 0
        self._confirmed: LRUCache[str, int] = LRUCache(_NAMESPACES_REMEMBERED)
        self._reader = self._writer = self._watch = None
        if redis_url != "memory://":
            self._reader = _client(redis_url, timeout_seconds, redis_connect_func=self._note_connection)
            self._writer = _client(redis_url, max(timeout_seconds, WRITER_TIMEOUT_SECONDS))
            listener = _client(redis_url, timeout_seconds, protocol=3)
            self._watch = Watch(cast("MakeConnection", listener.connection_pool.make_connection), KEY_PREFIX)

    def _note_connection(self, connection: Connection) -> None:
        self._connections_made += 1
        connection.on_connect()  # type: ignore[no-untyped-call]

    def current(self, namespace: str) -> int:
        """The version of `namespace`. Raises DatabaseUnavailable when neither Redis nor the database knows."""
        if self._reader is None or self._watch is None or not self._gate.may_try():
            return self._stored(namespace)
        version = self._watch.get(namespace)
        if version is None:
            generation = self._watch.generation()
            version = self._copied(self._reader, namespace)
            self._watch.remember(namespace, version, generation)
        return version

    def _copied(self, redis: Redis, namespace: str) -> int:
        copy = None
        with self._gate.attempt():
            copy = redis.get(KEY_PREFIX + namespace)
        connections = self._connections_made
        if copy is not None and self._confirmed.get(namespace) == connections:
            return int(copy)
        version = self._stored(namespace)
        if self._gate.may_try():
            with self._gate.attempt():
                _raise_copy(redis, namespace, version)
                self._confirmed[namespace] = connections
        return version

    def _stored(self, namespace: str) -> int:
        with self._database.read() as session:
            return read_version(session, namespace)

    def publish(self, versions: Mapping[str, int]) -> None:
        """Tell every process the versions that a committed transaction gave. Never fails; see COPY_TTL_SECONDS."""
        if self._writer is None:
            return
        for namespace, version in versions.items():
            try:
                self._publish(self._writer, namespace, version)
            except (RedisError, OSError) as error:
                logger.warning("a version was not published", extra={"error_type": type(error).__name__})

    def _publish(self, redis: Redis, namespace: str, version: int) -> None:
        try:
            _raise_copy(redis, namespace, version)
        except RedisTimeout:
            _raise_copy(redis, namespace, version)
        except ResponseError:
            # A full server takes no new value but does forget the old one; then the database is asked.
            redis.delete(KEY_PREFIX + namespace)

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()
        for client in (self._reader, self._writer):
            if client is not None:
                client.close()


def _client(url: str, timeout_seconds: float, **options: Any) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
        **{"protocol": 2, **options},
    )


def _raise_copy(redis: Redis, namespace: str, version: int) -> None:
    redis.eval(_RAISE, 1, KEY_PREFIX + namespace, str(version), str(COPY_TTL_SECONDS))
