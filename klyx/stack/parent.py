"""The process whose end is ours too: `make`, when it started us."""

from __future__ import annotations

import os
import signal
from pathlib import Path


class Parent:
    """Watches the process that started us.

    GNU make does not pass on a SIGINT or SIGHUP that only it got (`kill -INT`, a closed `ssh -t`): it stops
    catching the signal and waits for us to end. On Linux that can be seen.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._caught = self._caught_stop_signals()

    def wants_us_to_stop(self) -> bool:
        """Whether it has ended, or waits for our end."""
        return os.getppid() != self._pid or self._caught_stop_signals() != self._caught

    def _caught_stop_signals(self) -> int:
        try:
            status = Path(f"/proc/{self._pid}/status").read_text()
        except OSError:
            return 0
        mask = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:"))
        return mask & (1 << signal.SIGINT - 1 | 1 << signal.SIGHUP - 1)
