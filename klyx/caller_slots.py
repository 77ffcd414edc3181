"""How many requests of one process may do something slow at a time, in all and for one caller."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

from klyx.errors import Unavailable


class CallerSlots:
    """`count` slots, of which one caller may hold `count_per_caller`. Safe for threads.

    `busy` and `retry_after_seconds` are what those are told who get none.
    """

    def __init__(self, count: int, count_per_caller: int | None, busy: str, retry_after_seconds: int) -> None:
        self._count = count
        self._count_per_caller = count if count_per_caller is None else count_per_caller
        self._busy = busy
        self._retry_after_seconds = retry_after_seconds
        self._lock = threading.Lock()
        self._taken: Counter[str | None] = Counter()

    def take(self, caller: str | None) -> Callable[[], None]:
        """Take a slot; returns what gives it back, once. Raises Unavailable.

        A caller that is None is bounded by the total only.
        """
        with self._lock:
            has_enough = caller is not None and self._taken[caller] >= self._count_per_caller
            if has_enough or self._taken.total() >= self._count:
                raise Unavailable(self._busy, self._retry_after_seconds)
            self._taken[caller] += 1
        return partial(self._give_back, caller, threading.Lock())

    def _give_back(self, caller: str | None, once: threading.Lock) -> None:
        if once.acquire(blocking=False):
            with self._lock:
                self._taken[caller] -= 1
                if not self._taken[caller]:
                    del self._taken[caller]
