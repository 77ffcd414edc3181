"""One stack per instance folder: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click

from klyx.stack.errors import StackError

# Longer than the guardian of a killed stack needs to end that stack's programs.
ENDING_SECONDS = 30.0
POLL_SECONDS = 0.1


@contextlib.contextmanager
def single_instance(folder: Path, urls: list[str]) -> Iterator[None]:
    """Holds the lock of `folder`. Raises StackError when a stack runs there, with its process id and URLs.

    The lock is shared with forks (the guardian), so it lasts until the last of the stack's programs is gone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "stack.lock").open("a+") as file:
        _lock(file)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "urls": urls}))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _lock(file: IO[str]) -> None:
    deadline = time.monotonic() + ENDING_SECONDS
    told = False
    while not _try_lock(file):
        holder = _read(file)
        if _lives(holder.get("pid", 0)):
            raise StackError(
                f"Klyx is already running here (process {holder['pid']}): {' '.join(holder['urls'])} "
                f"To end it, press Ctrl-C where it runs, or: kill {holder['pid']}"
            )
        if time.monotonic() > deadline:
            raise StackError(f"An earlier Klyx is still ending and holds {file.name}. Try again in a minute.")
        if not told:
            click.echo("klyx: An earlier Klyx is still ending; waiting for it.", err=True)
            told = True
        threading.Event().wait(POLL_SECONDS)


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: IO[str]) -> dict[str, Any]:
    file.seek(0)
    # Empty while the other one starts or ends.
    content = file.read()
    holder: dict[str, Any] = json.loads(content) if content else {}
    return holder


def _lives(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
