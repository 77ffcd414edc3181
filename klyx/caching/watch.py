"""Versions that need not be asked for again, because Redis says at once when one changes.

Redis' server-assisted client-side caching in broadcasting mode: one connection of the process is told of every
version that is written, before the writer gets its answer. Looking whether something has arrived there costs a
twentieth of asking.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from redis.connection import AbstractConnection
from redis.exceptions import RedisError, ResponseError

logger = logging.getLogger(__name__)

# A connection can die without a word: asking anew after this bounds what goes unnoticed then.
REMEMBER_SECONDS = 1.0
RECONNECT_SECONDS = 1.0


MakeConnection = Callable[[], AbstractConnection]


class Watch:
    """Versions by namespace, forgotten when Redis announces a change or cannot be heard any more. Thread-safe."""

    def __init__(self, connect: MakeConnection, prefix: str) -> None:
        self._connect = connect
        self._prefix = prefix
        self._lock = threading.Lock()
        self._connection: AbstractConnection | None = None
        self._connect_from = 0.0
        self._generation = 0
        self._versions: dict[str, tuple[int, float]] = {}

    def get(self, namespace: str) -> int | None:
        """The version of `namespace`, when it is certain to be the present one."""
        with self._lock:
            known = self._versions.get(namespace)
            if known is None or known[1] < time.monotonic() or not self._hears():
                return None
            known = self._versions.get(namespace)
            return known[0] if known else None

    def generation(self) -> int | None:
        """To be taken before a version is read and given to `remember`; None when nothing can be remembered."""
        with self._lock:
            return self._generation if self._hears() else None

    def remember(self, namespace: str, version: int, generation: int | None) -> None:
        """Keep what was read, unless something changed since `generation`."""
        with self._lock:
            if generation == self._generation:
                self._versions[namespace] = (version, time.monotonic() + REMEMBER_SECONDS)

    def close(self) -> None:
        with self._lock:
            self._lose()

    def _hears(self) -> bool:
        """Take in what has arrived; False without a connection."""
        try:
            if self._connection is None:
                return self._try_to_connect()
            while self._connection.can_read(timeout=0):
                self._connection.read_response(push_request=True)
                self._forget()
        except (RedisError, OSError) as error:
            self._lose()
            # A server or proxy without this ability is asked each time instead.
            self._connect_from = time.monotonic() + (3600 if isinstance(error, ResponseError) else RECONNECT_SECONDS)
            logger.info("Redis does not tell changes", extra={"error_type": type(error).__name__})
            return False
        return True

    def _try_to_connect(self) -> bool:
        if time.monotonic() < self._connect_from:
            return False
        self._connection = self._connect()
        self._connection.connect()  # type: ignore[no-untyped-call]
        tracking = ("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", self._prefix)
        self._connection.send_command(*tracking)  # type: ignore[no-untyped-call]
        self._connection.read_response()
        self._forget()
        return True

    def _lose(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()  # type: ignore[no-untyped-call]
            self._connection = None
        self._forget()

    def _forget(self) -> None:
        self._generation += 1
        self._versions.clear()
