"""Asking a child process that is bounded in time, memory and the length of its answer.

What must not run in a process that serves requests, because it reads hostile files or because its libraries are
heavy, runs in a child that lives for one question. Its program is a folder (`python -I <folder>`) whose modules
import as little as possible; it calls `klyx.confinement.confine` before it reads its input.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

READ_BYTES = 64 * 1024
# The child's own alarm comes first; the parent's is for a child that cannot be trusted to have set it.
GRACE_SECONDS = 2.0
TIME_SIGNALS = (signal.SIGALRM, signal.SIGXCPU, signal.SIGKILL)


class AnswerTooLongError(Exception):
    """The child wrote more than was allowed."""


def ask_child(
    program: Path,
    request: str,
    source: int,
    *,
    seconds: float,
    max_answer_bytes: int,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Exit status (negative: the signal that ended it) and output of one child, which is gone afterwards.

    `request` is its only argument, the file descriptor `source` its standard input; `environment` is all it
    gets, so it inherits no secret. A child that takes longer than `seconds` has the status -SIGALRM. Raises
    AnswerTooLongError.
    """
    try:
        with _child(program, request, source, environment or {}) as (child, output):
            answer = _read_answer(output, seconds + GRACE_SECONDS, max_answer_bytes)
            return child.wait(timeout=GRACE_SECONDS), answer
    except (TimeoutError, subprocess.TimeoutExpired):
        return -signal.SIGALRM, b""


@contextlib.contextmanager
def _child(
    program: Path, request: str, source: int, environment: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    output, child_output = os.pipe()
    try:
        child = subprocess.Popen(
            [sys.executable, "-I", str(program), request],
            stdin=source,
            stdout=child_output,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            # A session of its own: killing it ends its group.
            start_new_session=True,
        )
    except BaseException:
        os.close(output)
        raise
    finally:
        os.close(child_output)
    try:
        yield child, output
    finally:
        os.close(output)
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _read_answer(output: int, seconds: float, max_answer_bytes: int) -> bytes:
    """Everything the child writes. Raises TimeoutError or AnswerTooLongError."""
    deadline = time.monotonic() + seconds
    answer = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(output, READ_BYTES)
            if not chunk:
                return bytes(answer)
            answer += chunk
            if len(answer) > max_answer_bytes:
                raise AnswerTooLongError
    raise TimeoutError
