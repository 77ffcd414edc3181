"""One computation for any number of identical questions at a time, in this process and in all others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar

from redis import Redis
from redis.exceptions import LockError

from klyx.caching.gate import RedisGate

T = TypeVar("T")

KEY_PREFIX = "klyx-computing:"
# After this a process that computes and says nothing is given up on.
LOCK_SECONDS = 20
_FIRST_POLL_SECONDS = 0.005
_LONGEST_POLL_SECONDS = 0.05


class Flights(Generic[T]):
    """`look_up` finds what another process has finished, `compute` works it out.

    With `meanwhile`, what is good enough until then, only the one who computes waits.
    """

    def __init__(self, redis: Redis | None, gate: RedisGate) -> None:
        self._redis = redis
        self._gate = gate
        self._guard = threading.Lock()
        self._under_way: dict[str, Future[T]] = {}

    def join(
        self, key: str, look_up: Callable[[], T | None], compute: Callable[[], T], meanwhile: T | None = None
    ) -> T:
        """The outcome for `key`. Raises what `compute` raised, for everybody who waited for it."""
        with self._guard:
            future = self._under_way.get(key)
            leads = future is None
            if future is None:
                future = self._under_way[key] = Future()
        if not leads:
            return future.result() if meanwhile is None else meanwhile
        try:
            future.set_result(self._among_processes(key, look_up, compute, meanwhile))
        except BaseException as error:
            future.set_exception(error)
            raise
        finally:
            with self._guard:
                del self._under_way[key]
        return future.result()

    def _among_processes(
        self, key: str, look_up: Callable[[], T | None], compute: Callable[[], T], meanwhile: T | None
    ) -> T:
        pause = _FIRST_POLL_SECONDS
        while True:
            with self._lock(key) as is_mine:
                # Also after the lock was got: the one who had it before has finished in between.
                found = look_up()
                if found is not None:
                    return found
                if is_mine:
                    return compute()
                if meanwhile is not None:
                    return meanwhile
            threading.Event().wait(pause)
            pause = min(2 * pause, _LONGEST_POLL_SECONDS)

    @contextmanager
    def _lock(self, key: str) -> Iterator[bool]:
        """Whether this process may compute: it holds the lock, or Redis cannot say who does."""
        held = None
        is_mine = True
        if self._redis is not None and self._gate.may_try():
            lock = self._redis.lock(KEY_PREFIX + key, timeout=LOCK_SECONDS, thread_local=False)
            with self._gate.attempt():
                is_mine = bool(lock.acquire(blocking=False))
                held = lock if is_mine else None
        try:
            yield is_mine
        finally:
            if held is not None:
                # When it ran out, whoever got it next keeps it.
                with self._gate.attempt(), suppress(LockError):
                    held.release()
