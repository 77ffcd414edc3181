"""Whether Redis is worth asking: after a failure nobody waits for it until one attempt has succeeded."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError, ResponseError

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0


class RedisGate:
    """Shared by everything in one process that can do without Redis. Thread-safe."""

    def __init__(self, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._pause_seconds = pause_seconds
        self._lock = threading.Lock()
        self._closed_until = 0.0

    def may_try(self) -> bool:
        """False while Redis is left alone. After each pause one caller gets True and finds out for all."""
        if not self._closed_until:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._closed_until:
                return False
            self._closed_until = now + self._pause_seconds
            return True

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Around commands: failures of Redis are noted and end here, what comes after them is skipped.

        A server that answers, be it with a refusal such as "out of memory", is worth asking again.
        """
        try:
            yield
        except (ConnectionError, TimeoutError, RedisError) as error:
            self._failed(error)
        else:
            self._closed_until = 0.0

    def _failed(self, error: Exception) -> None:
        if isinstance(error, ResponseError):
            logger.warning("Redis refused a command", extra={"error_type": type(error).__name__})
            return
        with self._lock:
            first = not self._closed_until
            self._closed_until = time.monotonic() + self._pause_seconds
        if first:
            logger.warning("Redis cannot be used; going on without it", extra={"error_type": type(error).__name__})
