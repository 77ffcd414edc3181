"""Starting the real supervisor and looking for what it left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MARKER = "KLYX_TEST_RUN"


@pytest.fixture(autouse=True)
def _default_signals() -> Iterator[None]:
    """Programs start with the usual signals, also when the tests were started by nohup or in the background.

    A signal that a process ignores is ignored by all that it starts, and the stack respects that.
    """
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    hang_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGHUP, hang_up)


@dataclass
class Run:
    """A program under test, started as the leader of a session. All its descendants carry `mark`."""

    process: subprocess.Popen[str]
    mark: str
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        assert self.process.stdout is not None
        self._pipe = f"pipe:[{os.fstat(self.process.stdout.fileno()).st_ino}]"
        self._reader = threading.Thread(target=self._read_output, daemon=True)
        self._reader.start()

    def _read_output(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stdout:
            self.lines.extend(stdout)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def living(self) -> list[int]:
        """Every living process of this run, the program itself included, whatever its session or parent."""
        found: list[int] = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                is_zombie = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
                if not is_zombie and self._is_ours(entry):
                    found.append(int(entry.name))
        return found

    def _is_ours(self, process: Path) -> bool:
        # A server that writes its title over its environment still writes to our pipe.
        if f"{MARKER}={self.mark}".encode() in (process / "environ").read_bytes():
            return True
        return self._pipe in (str((process / "fd" / number).readlink()) for number in "12")

    def find(self, words: str) -> int:
        """The process of this run whose command line holds `words`, never a child of another such process."""
        found = [pid for pid in self.living() if words in _command(pid)]
        for pid in found:
            if _parent(pid) not in found and pid != self.process.pid:
                return pid
        raise LookupError(words)

    def wait(self, seconds: float = 30.0) -> int:
        return self.process.wait(seconds)

    def close(self) -> None:
        """Ends whatever lives, and reads what it wrote to the end."""
        while living := self.living():
            for pid in living:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


Start = Callable[..., Run]


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.05)
    return True


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts `python ARGUMENTS` in the project's folder; whatever lives afterwards is killed."""
    runs: list[Run] = []

    def start_one(*arguments: str, environ: Mapping[str, str] | None = None) -> Run:
        mark = uuid.uuid4().hex
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **(environ or {}), MARKER: mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        runs.append(Run(process, mark))
        return runs[-1]

    yield start_one
    for run in runs:
        run.close()
