"""Server-sent events: how one is written, and how many streams a process may have open."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Response

from klyx.caller_slots import CallerSlots

BUSY = "Too many live updates are open right now. Please try again in a few seconds."
RETRY_AFTER_SECONDS = 5
HEARTBEAT = b": ping\n\n"
# A client that lost the stream comes back after this time.
RECONNECT = b"retry: 2000\n\n"
# no-transform and X-Accel-Buffering keep proxies from compressing or collecting the stream.
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
_LOOK_ONLY = int(socket.MSG_PEEK | socket.MSG_DONTWAIT)
_as_json = json.JSONEncoder(allow_nan=False).encode


class StreamSlots(CallerSlots):
    """The streams one process may have open at a time, in all and for one caller."""

    def __init__(self, count: int, count_per_caller: int) -> None:
        super().__init__(count, count_per_caller, BUSY, RETRY_AFTER_SECONDS)

    def respond(self, events: Iterable[bytes], caller: str) -> Response:
        """An answer that streams `events` and gives its slot back however it ends. Raises Unavailable."""
        return stream(events, self.take(caller))


def stream(events: Iterable[bytes], give_back: Callable[[], None]) -> Response:
    """An answer that streams `events` and then calls `give_back`, however it ends."""
    response = Response(events, content_type="text/event-stream; charset=utf-8", headers=HEADERS)
    # Not in the generator: one that was never started runs no `finally`.
    response.call_on_close(give_back)
    return response


def reader_watch(environ: Mapping[str, Any]) -> Callable[[], bool]:
    """What tells whether the reader of this request's answer has left, without writing anything to find out.

    Where the server does not show its socket, nobody is seen to leave before the next write.
    """
    found = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if not isinstance(found, socket.socket):
        return lambda: False

    def has_left() -> bool:
        try:
            return found.recv(1, _LOOK_ONLY) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    return has_left


def event_bytes(payload: dict[str, Any], event_id: int) -> bytes:
    """One event in one piece, in ASCII: clients decode each piece they receive by itself."""
    return f"id: {event_id}\n".encode("ascii") + data_bytes(payload)


def data_bytes(payload: dict[str, Any]) -> bytes:
    """An event of one line, without an id."""
    return f"data: {_as_json(payload)}\n\n".encode("ascii")
