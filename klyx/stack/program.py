"""A program of the stack, and one run of it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from klyx.stack import sessions
from klyx.stack.errors import StackError


@dataclass(frozen=True, slots=True)
class Program:
    """`title` begins sentences ("The worker could not start"); `log`: the file it writes to, if any."""

    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    stop_seconds: float = 5.0
    log: Path | None = None

    def what_happened(self, status: int) -> str:
        """An exit status as people say it, and where to read more."""
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        return f"it {how}; its own message is {f'in {self.log}' if self.log else 'above'}."


class Child:
    """One run of a program, in a session of its own so that Ctrl-C reaches only the supervisor."""

    def __init__(self, program: Program) -> None:
        self.program = program
        try:
            self._process = subprocess.Popen(
                program.command, env=program.environment, stdin=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise StackError(f"{program.title} could not start: {error}.") from error

    @property
    def session(self) -> int:
        return self._process.pid

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def end(self, pause: Callable[[float], bool]) -> None:
        """Ends it, with the program's time to do so itself; `pause` as in `sessions.end`."""
        sessions.end(self.session, self.program.stop_seconds, pause)
        self._process.wait()

    def reap(self) -> int:
        """Ends whatever a run that has ended left behind; its exit status, negative for a signal."""
        sessions.kill(self.session)
        return self._process.wait()

