"""One leader among several schedulers: a lock in Redis that ends by itself when its holder dies."""

from __future__ import annotations

from redis import Redis
from redis.exceptions import LockNotOwnedError
from redis.lock import Lock

LOCK_NAME = "klyx:scheduler:leader"


class Leadership:
    """`lease_seconds` after the leader's last `hold`, another may lead."""

    def __init__(self, connection: Redis, lease_seconds: float) -> None:
        self._lock = Lock(connection, LOCK_NAME, timeout=lease_seconds, thread_local=False)
        self._held = False

    def hold(self) -> bool:
        """Become or stay the leader; whether we are. Raises RedisError."""
        if self._held:
            try:
                self._lock.reacquire()
            except LockNotOwnedError:
                self._held = False
            else:
                return True
        self._held = self._lock.acquire(blocking=False)
        return self._held

    def release(self) -> None:
        """Let another lead at once. Raises RedisError."""
        if self._held:
            self._held = False
            try:
                self._lock.release()
            except LockNotOwnedError:
                return
