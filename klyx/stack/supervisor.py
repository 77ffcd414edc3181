"""Starts programs, starts those that die again, and ends all of them together."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Self

import click

from klyx.stack.errors import StackError
from klyx.stack.guardian import start_guardian
from klyx.stack.parent import Parent
from klyx.stack.program import Child, Program

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FIRST_RESTART_SECONDS = 0.5
LONGEST_RESTART_SECONDS = 5.0
STABLE_SECONDS = 60.0
POLL_SECONDS = 0.1
PARENT_POLL_SECONDS = 1.0


class StopRequested(Exception):
    """Somebody asked the stack to stop: Ctrl-C, SIGTERM, a closed terminal, or the end of the parent."""


@dataclass(slots=True)
class _Place:
    """Where a program runs: its present run, or when the next one is due."""

    program: Program
    child: Child | None
    started_at: float
    failures: int = 0
    due_at: float = 0.0


class Supervisor:
    """A context: leaving it ends every program, the last one started first.

    For the main thread. The end of `parent` (a process id) stops the stack as Ctrl-C does. Every method that
    waits raises StopRequested when the stack is to stop, and StackError when it cannot go on.
    """

    def __init__(self, parent: int | None = None) -> None:
        self._parent = None if parent is None else Parent(parent)
        self._places: list[_Place] = []
        self._stop_requests = 0

    def __enter__(self) -> Self:
        self._guardian = start_guardian()
        self._wake, waker = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in STOP_SIGNALS:
            # nohup ignores SIGHUP, and so do we then.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._request_stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        requests = self._stop_requests

        def pause(seconds: float) -> bool:
            self._sleep(seconds)
            # A second Ctrl-C means now.
            return self._stop_requests > requests

        for place in reversed(self._places):
            if place.child is not None:
                place.child.end(pause)
                self._guardian.forget(place.child.session)
        self._guardian.dismiss()

    def start(self, program: Program) -> None:
        """Starts a program that is to run as long as the stack."""
        self._places.append(_Place(program, self._run(program), time.monotonic()))

    def run_once(self, program: Program) -> None:
        """Runs a program to its end, which must be a good one."""
        self.start(program)
        place = self._places[-1]
        while place.child is not None:
            self._wait(PARENT_POLL_SECONDS)
            if place.child.has_ended():
                status = self._reap(place, place.child)
                if status != 0:
                    raise StackError(f"{program.title} failed: {program.what_happened(status)}")
        self._places.remove(place)

    def wait_until(self, condition: Callable[[], bool], seconds: float, complaint: str) -> None:
        """Waits for a condition while programs come up; `complaint` is the message when it takes too long."""
        deadline = time.monotonic() + seconds
        while not condition():
            for place in self._places:
                if place.child is not None and place.child.has_ended():
                    why = place.program.what_happened(self._reap(place, place.child))
                    raise StackError(f"{place.program.title} could not start: {why}")
            if time.monotonic() > deadline:
                raise StackError(complaint)
            self._wait(POLL_SECONDS)

    def supervise(self) -> None:
        """Starts every program again that ends, until StopRequested."""
        while True:
            for place in self._places:
                self._tend(place)
            due = [place.due_at - time.monotonic() for place in self._places if place.child is None]
            self._wait(max(0.0, min([PARENT_POLL_SECONDS, *due])))

    def _tend(self, place: _Place) -> None:
        now = time.monotonic()
        if place.child is None:
            if now >= place.due_at:
                place.child, place.started_at = self._run(place.program), now
        elif place.child.has_ended():
            how = place.program.what_happened(self._reap(place, place.child))
            place.failures = 1 if now - place.started_at > STABLE_SECONDS else place.failures + 1
            delay = min(FIRST_RESTART_SECONDS * 2 ** (place.failures - 1), LONGEST_RESTART_SECONDS)
            place.due_at = now + delay
            click.echo(f"klyx: {place.program.title} is started again in {delay:g} s: {how}", err=True)

    def _run(self, program: Program) -> Child:
        child = Child(program)
        self._guardian.watch(child.session)
        return child

    def _reap(self, place: _Place, child: Child) -> int:
        place.child = None
        status = child.reap()
        self._guardian.forget(child.session)
        return status

    def _wait(self, seconds: float) -> None:
        """Until something happens, `seconds` at most."""
        self._raise_if_to_stop()
        self._sleep(seconds)
        self._raise_if_to_stop()

    def _raise_if_to_stop(self) -> None:
        if self._stop_requests > 0 or (self._parent is not None and self._parent.wants_us_to_stop()):
            raise StopRequested

    def _sleep(self, seconds: float) -> None:
        """Cut short by any signal; a signal that came before the call counts, so none is missed."""
        if select.select([self._wake], [], [], seconds)[0]:
            os.read(self._wake, 512)

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_requests += 1
