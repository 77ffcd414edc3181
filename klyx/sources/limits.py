"""How often a source may be asked, counted together by every process and machine."""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from dataclasses import dataclass, field

from limits import parse_many
from redis import Redis

from klyx.caching.gate import RedisGate
from klyx.sources.base import Deadline, SourceRateLimited
from klyx.sources.own_turns import SPARE, OwnTurn, OwnTurns, Window
from klyx.sources.pace_scripts import CONFIRM_TURN, COOL_DOWN, SENT, TAKE_TURN

logger = logging.getLogger(__name__)

MICROSECONDS = 1_000_000
# Requests arrive a little after they were sent, some more and some less: a longer window than the source's own
# keeps what it sees within its limit.
STRETCH = 0.08
LONGEST_STRETCH_SECONDS = 1.0
# Coming back to a Redis that may have forgotten everything, all wait for one window, but not for a day.
LONGEST_RETURN_SECONDS = 60.0
# A request that left so soon after its turn left in time.
PUNCTUAL_SECONDS = 0.003


def windows_of(limits: str) -> tuple[Window, ...]:
    """`10 per second; 200 per minute` as windows, each longer than said by what requests may be late."""
    if not limits.strip():
        return ()
    return tuple(
        Window(limit.amount, limit.get_expiry() + min(limit.get_expiry() * STRETCH, LONGEST_STRETCH_SECONDS))
        for limit in parse_many(limits)
    )


@dataclass(slots=True)
class Turn:
    """Leave to send one request. `number` is that of Redis, None when this process counts alone."""

    own: OwnTurn
    number: int | None
    waited: float = 0.0
    began: float = field(default_factory=time.monotonic)


class Pace:
    """The turns of one source, first come first served. Thread-safe.

    Turn k is at the latest of now, turn k-N plus the window of every limit "N per window", and the end of a
    cooldown: the whole amount may leave at once, and never more within any window. What counts is when a request
    really left: a late one moves those that depend on it. Turns are taken in Redis, on its clock. While it cannot
    be used, this process counts alone, with its part of the limit.
    """

    def __init__(
        self, source_name: str, slug: str, limits: str = "", redis: Redis | None = None, gate: RedisGate | None = None
    ) -> None:
        self._source_name = source_name
        self._windows = windows_of(limits)
        self._limits = [part for one in self._windows for part in (one.amount, int(one.seconds * MICROSECONDS))]
        self._redis = redis
        self._gate = gate or RedisGate()
        self._me = uuid.uuid4().hex
        self._own = OwnTurns(max((window.amount for window in self._windows), default=1))
        self._processes = 1
        self._was_alone = False
        # One hash tag, so that a cluster keeps them together.
        self._keys = [f"klyx:pace:{{{slug}}}:{part}" for part in ("turns", "floor", "users")]
        if redis is not None:
            self._take_turn = redis.register_script(TAKE_TURN)
            self._confirm_turn = redis.register_script(CONFIRM_TURN)
            self._sent = redis.register_script(SENT)
            self._cool_down = redis.register_script(COOL_DOWN)

    def wait(self, deadline: Deadline) -> Turn:
        """Returns when it is this request's turn; tell `sent` when it has left.

        Raises SourceRateLimited, at once and without taking a turn, when the turn is after the deadline.
        """
        waited = 0.0
        while True:
            turn, first = self._reserve(deadline.remaining())
            seconds: float | None = first
            while seconds:
                if seconds > deadline.remaining():
                    raise self._too_early(seconds)
                began = time.monotonic()
                threading.Event().wait(seconds)
                waited += time.monotonic() - began
                # Whoever was told to slow down meanwhile was told it for all, and others may have been late.
                seconds = self._confirm(turn)
            if seconds is not None:
                turn.waited, turn.began = waited, time.monotonic()
                return turn

    def sent(self, turn: Turn) -> None:
        """The request has left: now, not when its turn began."""
        if not self._windows or time.monotonic() - turn.began < PUNCTUAL_SECONDS:
            return
        turn.own.at = time.monotonic()
        if turn.number is not None and self._gate.may_try():
            with self._gate.attempt():
                self._sent(keys=self._keys[:1], args=[turn.number])

    def cool_down(self, seconds: float) -> None:
        """The source said 429: nobody asks it for this long."""
        is_news = self._own.cool_down(seconds)
        if self._redis is not None and self._gate.may_try():
            with self._gate.attempt():
                self._cool_down(keys=self._keys[1:2], args=[int(seconds * MICROSECONDS)])
        if is_news:
            pause = {"source": self._source_name, "pause_seconds": seconds}
            logger.warning("Market-data source limits requests", extra=pause)

    def _reserve(self, longest: float) -> tuple[Turn, float]:
        """The next turn and the seconds until then. Raises SourceRateLimited when they are more than `longest`."""
        seconds, number = self._reserve_together(longest)
        if seconds is not None:
            if number is None:
                raise self._too_early(seconds)
            return Turn(self._own.note(seconds), number), seconds
        self._go_alone()
        own, alone = self._own.take(self._part(), longest)
        if own is None:
            raise self._too_early(alone)
        return Turn(own, None), alone

    def _reserve_together(self, longest: float) -> tuple[float | None, int | None]:
        """Seconds until the turn, None when Redis cannot be used; and its number, None when it was not taken."""
        if self._redis is None or not self._gate.may_try():
            return None, None
        returning, earliest = self._was_alone, self._own.until_next(self._windows)
        if returning:
            earliest = max(earliest, self._own.until_last(), self._shortest_window())
        times = [int(longest * MICROSECONDS), int(earliest * MICROSECONDS)]
        args: list[str | int] = [*times, int(returning), f"{self._me}:{os.getpid()}", SPARE, *self._limits]
        seconds: float | None = None
        number: int | None = None
        with self._gate.attempt():
            taken, wait, processes, given = self._take_turn(keys=self._keys, args=args)
            self._was_alone, self._processes = False, max(1, processes)
            seconds, number = float(wait) / MICROSECONDS, given if taken else None
        return seconds, number

    def _confirm(self, turn: Turn) -> float | None:
        """0 when the turn has come, else the seconds left; None when another one must be taken."""
        if turn.number is None or self._redis is None:
            return self._own.confirm(turn.own, self._part())
        together: int | None = None
        if self._gate.may_try():
            with self._gate.attempt():
                together = int(self._confirm_turn(keys=self._keys[:2], args=[turn.number, *self._limits]))
        if together is None:
            self._go_alone()
            return self._own.confirm(turn.own, self._part())
        if together < 0:
            return None
        if together == 0:
            turn.own.at = time.monotonic()
        return together / MICROSECONDS

    def _go_alone(self) -> None:
        """What the others have used of the present window only Redis knew: this process sits one out."""
        if self._redis is not None and not self._was_alone:
            self._was_alone = True
            self._own.cool_down(self._shortest_window())

    def _shortest_window(self) -> float:
        """Of those that are waited for when what was sent in them is not known, at most a minute."""
        shortest = min((window.seconds for window in self._windows), default=0.0)
        return min(shortest, LONGEST_RETURN_SECONDS)

    def _part(self) -> list[Window]:
        """The limits while this process counts alone."""
        return [window.shared_by(self._processes) for window in self._windows]

    def _too_early(self, seconds: float) -> SourceRateLimited:
        return SourceRateLimited(f"{self._source_name} limits how often it may be asked", seconds)
