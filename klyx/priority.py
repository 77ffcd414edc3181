"""Who goes first where several programs share a machine's processors."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

# Linux may group processes by session and weigh only the groups against each other: then niceness says something
# within a session alone, and the group has a niceness of its own.
_GROUP = Path("/proc/self/autogroup")


def give_way(niceness: int) -> None:
    """Let other programs go before this process and what it starts, as its user may: more than 0, at most 19.

    The session is lowered with it when this process leads it, for only then is the session its own.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            _GROUP.write_text(str(niceness))
