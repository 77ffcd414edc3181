"""How often a source may be asked, counted together by every process and machine."""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass

from limits import parse_many
from redis import Redis

from klyx.caching.gate import RedisGate
from klyx.sources.base import Deadline, SourceRateLimited
from klyx.sources.pace_scripts import COOL_DOWN, COOLING, TAKE_TURN

logger = logging.getLogger(__name__)

MICROSECONDS = 1_000_000
# Requests are sent at their turn and arrive a little later, some more and some less: a longer window than the
# source's own keeps what it sees within its limit.
STRETCH = 0.06
LONGEST_STRETCH_SECONDS = 1.0
# Coming back to a Redis that may have forgotten everything, all wait for one window, but not for a day.
LONGEST_RETURN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Window:
    """At most `amount` requests within any `seconds`."""

    amount: int
    seconds: float

    def shared_by(self, processes: int) -> Window:
        """The part of one of several processes that cannot count together."""
        return Window(max(1, self.amount // processes), self.seconds * max(1.0, processes / self.amount))


def windows_of(limits: str) -> tuple[Window, ...]:
    """`10 per second; 200 per minute` as windows, each longer than said by what requests may be late."""
    if not limits.strip():
        return ()
    return tuple(
        Window(limit.amount, limit.get_expiry() + min(limit.get_expiry() * STRETCH, LONGEST_STRETCH_SECONDS))
        for limit in parse_many(limits)
    )


class Pace:
    """The turns of one source, first come first served. Thread-safe.

    Turn k is at the latest of now, turn k-N plus the window of every limit "N per window", and the end of a
    cooldown: the whole amount may leave at once, and never more within any window. Turns are taken in Redis, on
    its clock. While it cannot be used, this process counts alone, with its part of the limit.
    """

    def __init__(
        self, source_name: str, slug: str, limits: str = "", redis: Redis | None = None, gate: RedisGate | None = None
    ) -> None:
        self._source_name = source_name
        self._windows = windows_of(limits)
        self._redis = redis
        self._gate = gate or RedisGate()
        self._me = uuid.uuid4().hex
        self._lock = threading.Lock()
        most = max((window.amount for window in self._windows), default=1)
        self._turns: deque[float] = deque(maxlen=most)
        self._cool_until = 0.0
        self._processes = 1
        self._was_alone = False
        # One hash tag, so that a cluster keeps them together.
        self._keys = [f"klyx:pace:{{{slug}}}:{part}" for part in ("turns", "floor", "users")]
        if redis is not None:
            self._take_turn = redis.register_script(TAKE_TURN)
            self._cooling = redis.register_script(COOLING)
            self._cool_down = redis.register_script(COOL_DOWN)

    def wait(self, deadline: Deadline) -> float:
        """Returns when it is this request's turn, with the seconds waited.

        Raises SourceRateLimited, at once and without taking a turn, when the turn is after the deadline.
        """
        waited = 0.0
        while (seconds := self._reserve(deadline.remaining())) > 0:
            began = time.monotonic()
            threading.Event().wait(seconds)
            waited += time.monotonic() - began
            # Whoever was told to slow down meanwhile was told it for all; else this is the turn.
            if not self._is_cooling():
                break
        return waited

    def cool_down(self, seconds: float) -> None:
        """The source said 429: nobody asks it for this long."""
        with self._lock:
            self._cool_until = max(self._cool_until, time.monotonic() + seconds)
        if self._redis is not None and self._gate.may_try():
            with self._gate.attempt():
                self._cool_down(keys=self._keys[1:2], args=[int(seconds * MICROSECONDS)])
        logger.warning(
            "Market-data source limits requests", extra={"source": self._source_name, "pause_seconds": seconds}
        )

    def _reserve(self, longest: float) -> float:
        """Takes the next turn: seconds until then. Raises SourceRateLimited when that is more than `longest`."""
        seconds = self._reserve_together(longest)
        if seconds is None:
            seconds = self._reserve_alone(longest)
        if seconds > longest:
            raise SourceRateLimited(f"{self._source_name} limits how often it may be asked", seconds)
        return seconds

    def _reserve_together(self, longest: float) -> float | None:
        """None when Redis cannot be used."""
        if self._redis is None or not self._gate.may_try():
            return None
        with self._lock:
            returning = self._was_alone
            earliest = self._own_turn(self._windows)
            if returning:
                shortest = min((window.seconds for window in self._windows), default=0.0)
                mine = max(self._turns, default=0.0) - time.monotonic()
                earliest = max(earliest, mine, min(shortest, LONGEST_RETURN_SECONDS))
        limits = [part for window in self._windows for part in (window.amount, int(window.seconds * MICROSECONDS))]
        times = [int(longest * MICROSECONDS), int(earliest * MICROSECONDS)]
        args: list[str | int] = [*times, int(returning), f"{self._me}:{os.getpid()}", *limits]
        seconds: float | None = None
        with self._gate.attempt():
            taken, wait, processes = self._take_turn(keys=self._keys, args=args)
            seconds = float(wait) / MICROSECONDS
            with self._lock:
                self._was_alone = False
                self._processes = max(1, processes)
                if taken:
                    self._turns.append(time.monotonic() + seconds)
        return seconds

    def _reserve_alone(self, longest: float) -> float:
        with self._lock:
            self._was_alone = self._redis is not None
            mine = [window.shared_by(self._processes) for window in self._windows]
            seconds = self._own_turn(mine)
            if self._windows and seconds <= longest:
                self._turns.append(time.monotonic() + seconds)
            return seconds

    def _own_turn(self, windows: tuple[Window, ...] | list[Window]) -> float:
        """Seconds until this process alone would have a turn."""
        now = time.monotonic()
        turn = max(now, self._cool_until)
        for window in windows:
            if len(self._turns) >= window.amount:
                turn = max(turn, self._turns[-window.amount] + window.seconds)
        return turn - now

    def _is_cooling(self) -> bool:
        with self._lock:
            if self._cool_until > time.monotonic():
                return True
        if self._redis is not None and self._gate.may_try():
            with self._gate.attempt():
                return bool(self._cooling(keys=self._keys[1:2]))
        return False
