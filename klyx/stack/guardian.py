"""Ends the programs of a supervisor that could not do so itself, because it was killed with SIGKILL.

The guardian is a fork that reads a pipe whose other end only the supervisor holds. The supervisor tells it
the session of each program; the end of the pipe means that the supervisor is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from typing import NoReturn

from klyx.stack import sessions

GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Guardian:
    pid: int
    pipe: int

    def watch(self, session: int) -> None:
        self._tell(f"+{session}\n")

    def forget(self, session: int) -> None:
        self._tell(f"-{session}\n")

    def dismiss(self) -> None:
        """Lets the guardian end, after it has ended whatever it still watches."""
        os.close(self.pipe)
        os.waitpid(self.pid, 0)

    def _tell(self, line: str) -> None:
        # A guardian that was killed is no reason to end the stack.
        with contextlib.suppress(BrokenPipeError):
            os.write(self.pipe, line.encode())


def start_guardian() -> Guardian:
    """Forks the guardian. Call it early, in a process with one thread."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(write_end)
        _guard(read_end)
    os.close(read_end)
    return Guardian(pid, write_end)


def _guard(pipe: int) -> NoReturn:
    status = 1
    try:
        # Ctrl-C and the like are meant for the supervisor, whose end is what we wait for.
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for session in reversed(_watched_at_the_end(pipe)):
            sessions.end(session, GRACE_SECONDS, sessions.wait)
        status = 0
    finally:
        os._exit(status)


def _watched_at_the_end(pipe: int) -> list[int]:
    """Reads until the supervisor is gone: the sessions it had started and not ended, oldest first."""
    watched: dict[int, None] = {}
    with open(pipe) as lines:
        for line in lines:
            session = int(line[1:])
            if line.startswith("+"):
                watched[session] = None
            else:
                watched.pop(session, None)
    return list(watched)
