"""Limits that a child process puts on itself before it looks at its input. Imports nothing of klyx."""

import contextlib
import math
import resource
import signal
import sys

OPEN_FILES = 16


def confine(memory_bytes: int, seconds: float) -> None:
    """Bound memory, time, files and processes of this process for good. Call once, before reading.

    `memory_bytes` is its whole address space, `seconds` its processor time and its wall-clock time from now on.
    """
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NPROC, 0)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    _lower(resource.RLIMIT_CPU, math.ceil(seconds))
    # macOS has no working address-space limit; there the time and content limits stand alone.
    with contextlib.suppress(ValueError) if sys.platform == "darwin" else contextlib.nullcontext():
        _lower(resource.RLIMIT_AS, memory_bytes)
    # The default action of SIGALRM ends the process even inside native code, and if the parent has died.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (bounded, bounded))
