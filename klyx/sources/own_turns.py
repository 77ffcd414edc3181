"""The turns that one process takes, on its own clock."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

# Turns behind the oldest that counts: as many threads can wait for theirs at the same time.
SPARE = 1000


@dataclass(frozen=True, slots=True)
class Window:
    """At most `amount` requests within any `seconds`."""

    amount: int
    seconds: float

    def shared_by(self, processes: int) -> Window:
        """The part of one of several processes that cannot count together."""
        return Window(max(1, self.amount // processes), self.seconds * max(1.0, processes / self.amount))


@dataclass(slots=True)
class OwnTurn:
    """`at` is on the monotonic clock: when the turn is, and once it was used, when that was."""

    number: int
    at: float


class OwnTurns:
    """Turn k is not before turn k-N and the window of every limit. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._turns: deque[OwnTurn] = deque(maxlen=most + SPARE)
        self._next = 0
        self._cool_until = 0.0

    def cool_down(self, seconds: float) -> bool:
        """No turn before that; the longest wins. Whether it is a second or more longer than what was known."""
        with self._lock:
            known, self._cool_until = self._cool_until, max(self._cool_until, time.monotonic() + seconds)
            return self._cool_until - known >= 1.0

    def until_next(self, windows: Sequence[Window]) -> float:
        """Seconds until the next turn would be."""
        with self._lock:
            now = time.monotonic()
            return self._earliest(self._next, windows, now) - now

    def until_last(self) -> float:
        """Seconds until the last turn that was taken, below zero when it has passed."""
        with self._lock:
            return self._turns[-1].at - time.monotonic() if self._turns else 0.0

    def take(self, windows: Sequence[Window], longest: float) -> tuple[OwnTurn | None, float]:
        """The next turn and the seconds until then; no turn when those are more than `longest`."""
        with self._lock:
            now = time.monotonic()
            at = self._earliest(self._next, windows, now)
            if self._turns:
                at = max(at, self._turns[-1].at)
            seconds = at - now
            return (None if seconds > longest else self._add(at)), seconds

    def note(self, seconds: float) -> OwnTurn:
        """A turn in so many seconds that somebody else gave."""
        with self._lock:
            return self._add(time.monotonic() + seconds)

    def confirm(self, turn: OwnTurn, windows: Sequence[Window]) -> float | None:
        """Whether a turn has come: 0 when it has, else the seconds left; None when nobody may ask at all."""
        with self._lock:
            now = time.monotonic()
            if self._cool_until > now:
                return None
            seconds = max(0.0, self._earliest(turn.number, windows, now) - now)
            if not seconds:
                turn.at = now
            return seconds

    def _add(self, at: float) -> OwnTurn:
        turn = OwnTurn(self._next, at)
        self._turns.append(turn)
        self._next += 1
        return turn

    def _earliest(self, number: int, windows: Sequence[Window], now: float) -> float:
        at = max(now, self._cool_until)
        for window in windows:
            place = len(self._turns) - (self._next - number) - window.amount
            if place >= 0:
                at = max(at, self._turns[place].at + window.seconds)
        return at
