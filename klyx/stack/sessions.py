"""Ending a program with all that it started: it leads a session of its own, which its descendants share."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

POLL_SECONDS = 0.05
KILL_SECONDS = 5.0


def members(session: int) -> list[int]:
    """Process ids of the living members of a session; zombies do not count."""
    found: list[int] = []
    for pid, state in _processes():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if not state.startswith("Z") and os.getsid(pid) == session:
                found.append(pid)
    return found


def end(session: int, grace_seconds: float, pause: Callable[[float], bool]) -> None:
    """Asks the session's leader to end (SIGTERM), then ends (SIGKILL) whatever of the session is left.

    `pause(seconds)` waits; when it answers True the grace is over at once.
    """
    _signal(signal.SIGTERM, [pid for pid in members(session) if pid == session])
    deadline = time.monotonic() + grace_seconds
    while session in members(session) and time.monotonic() < deadline:
        if pause(POLL_SECONDS):
            break
    kill(session)


def kill(session: int) -> None:
    """Ends every member with SIGKILL, those included that are started while we do it."""
    deadline = time.monotonic() + KILL_SECONDS
    while (living := members(session)) and time.monotonic() < deadline:
        _signal(signal.SIGKILL, living)
        wait(POLL_SECONDS / 10)


def wait(seconds: float) -> bool:
    """A pause that nothing cuts short, for `end`."""
    return threading.Event().wait(seconds)


def _signal(number: signal.Signals, pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _processes() -> Iterator[tuple[int, str]]:
    """Process id and state of every process; from /proc, or from `ps` on systems without it."""
    if not Path("/proc/self/stat").exists():
        yield from _processes_by_ps()
        return
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # The name in brackets may hold anything, spaces and brackets included.
            yield int(entry.name), (entry / "stat").read_bytes().rpartition(b")")[2].split()[0].decode()


def _processes_by_ps() -> Iterator[tuple[int, str]]:
    listing = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True)  # noqa: S607
    for line in listing.stdout.splitlines():
        pid, state = line.split(maxsplit=1)
        yield int(pid), state
