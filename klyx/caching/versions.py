"""The current version of each kind of data: the truth lies in the database, a copy for quick reading in Redis."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Collection, Mapping
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
# How long a writer that says nothing more is believed to be writing; longer than any copy from before it lives.
MARK_SECONDS = 60
# A writer waits longer than a reader: what it cannot say, readers do not know until the copy ends.
WRITER_TIMEOUT_SECONDS = 2.0
KEY_PREFIX = "klyx-version:"
_WRITERS = ":writers"
_NAMESPACES_REMEMBERED = 10_000
# Never lower: a slow reader must not overwrite what a writer said meanwhile.
_RAISE = """
local present = tonumber(redis.call('GET', KEYS[1]) or '-1')
if tonumber(ARGV[1]) >= present then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end
"""


class Versions:
    """What `current` says is at least as new as every change that was committed before the call.

    Holds for changes that were announced (`Database.begin(STOCKS)`), for others from a moment after the commit
    on. A new connection means that Redis may have restarted and missed a change, so after one each copy is
    compared with the database before it is believed again.
    """

    def __init__(self, database: Database, redis_url: str | None, timeout_seconds: float, gate: RedisGate) -> None:
        self._database = database
        self._gate = gate
        self._connections_made = 0
        self._confirmed: LRUCache[str, int] = LRUCache(_NAMESPACES_REMEMBERED)
        self._reader = self._writer = self._watch = None
        if redis_url is not None:
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
        if version is not None:
            return version
        generation = self._watch.generation()
        copy, is_being_written = self._copied(self._reader, namespace)
        if is_being_written:
            return self._stored(namespace)
        version = copy if copy is not None else self._copy_again(self._reader, namespace)
        self._watch.remember(namespace, version, generation)
        return version

    def _copied(self, redis: Redis, namespace: str) -> tuple[int | None, bool]:
        """The copy, when there is one that can be believed, and whether the data is being written."""
        key = KEY_PREFIX + namespace
        copy, writers = None, 1
        with self._gate.attempt(), redis.pipeline(transaction=False) as pipeline:
            pipeline.get(key)
            pipeline.zcount(key + _WRITERS, time.time(), "+inf")
            copy, writers = pipeline.execute()
        is_believed = copy is not None and self._confirmed.get(namespace) == self._connections_made
        return (int(copy) if copy is not None and is_believed else None), writers > 0

    def _copy_again(self, redis: Redis, namespace: str) -> int:
        connections = self._connections_made
        version = self._stored(namespace)
        with self._gate.attempt():
            _raise_copy(redis, namespace, version)
            self._confirmed[namespace] = connections
        return version

    def _stored(self, namespace: str) -> int:
        with self._database.read() as session:
            return read_version(session, namespace)

    def announce(self, namespaces: Collection[str]) -> str:
        """See ChangeObserver."""
        mark = uuid.uuid4().hex
        if self._writer is not None and self._gate.may_try():
            with self._gate.attempt(), self._writer.pipeline(transaction=False) as pipeline:
                for namespace in namespaces:
                    writers = KEY_PREFIX + namespace + _WRITERS
                    pipeline.zadd(writers, {mark: time.time() + MARK_SECONDS})
                    pipeline.expire(writers, MARK_SECONDS)
                    # A full server refuses the mark; without a copy the database is asked all the same.
                    pipeline.delete(KEY_PREFIX + namespace)
                pipeline.execute()
        return mark

    def settle(self, versions: Mapping[str, int], announced: Collection[str], mark: str | None) -> None:
        """See ChangeObserver."""
        if self._writer is None:
            return
        try:
            for namespace, version in versions.items():
                self._publish(self._writer, namespace, version)
            if mark is not None:
                for namespace in announced:
                    self._writer.zrem(KEY_PREFIX + namespace + _WRITERS, mark)
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
