"""The limit that only guards against floods: counted in this process, so that it costs next to nothing.

Each web process counts for itself, so a caller gets up to WEB_WORKERS times the limit; what protects
something (sign-in, uploads, ...) is counted exactly, in Redis (klyx.rate_limits).
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from cachetools import LRUCache
from limits import parse_many

from klyx.addresses import key_of_address

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Who has not called for longest is forgotten first, beyond so many callers.
_CALLERS = 20_000


class FloodGuard:
    """Fixed windows of `limits` (such as `1200 per minute; 20000 per hour`) per caller. Thread-safe."""

    def __init__(self, limits: str, *, enabled: bool = True) -> None:
        self._windows = tuple((item.get_expiry(), item.amount) for item in parse_many(limits))
        self._enabled = enabled
        self._counts: LRUCache[str, list[tuple[int, int]]] = LRUCache(_CALLERS)
        self._callers: LRUCache[str, str] = LRUCache(_CALLERS)
        self._lock = threading.Lock()

    def count(self, caller: str) -> int | None:
        """One more request of `caller`: None when it may go on, else after how many seconds it may."""
        if not self._enabled:
            return None
        now = time.time()
        with self._lock:
            known = self._counts.get(caller)
            counts = []
            for position, (seconds, _) in enumerate(self._windows):
                window = int(now // seconds)
                past = known[position] if known else (window, 0)
                counts.append((window, past[1] + 1 if past[0] == window else 1))
            self._counts[caller] = counts
        for (seconds, amount), (window, number) in zip(self._windows, counts, strict=True):
            if number > amount:
                return max(1, math.ceil((window + 1) * seconds - now))
        return None

    def remember_caller(self, cookies: str, caller: str) -> None:
        """`caller` is who sends these cookies, so that their signature need not be checked each time."""
        with self._lock:
            self._callers[cookies] = caller

    def lets_pass_early(self, environ: WSGIEnvironment) -> bool:
        """Count a request that carries no token. False when its caller is not known yet or has to wait:

        then it must go on to the application, which counts it and says what there is to say.
        """
        if not self._enabled:
            return True
        cookies = environ.get("HTTP_COOKIE")
        if cookies is None:
            caller: str | None = key_of_address(environ.get("REMOTE_ADDR"))
        else:
            with self._lock:
                caller = self._callers.get(cookies)
        return caller is not None and self.count(caller) is None
