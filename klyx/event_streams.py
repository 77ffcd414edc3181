"""Server-sent events: how one is written, and how many streams a process may have open."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any

from flask import Response

from klyx.errors import Unavailable

BUSY = "Too many live updates are open right now. Please try again in a few seconds."
RETRY_AFTER_SECONDS = 5
HEARTBEAT = b": ping\n\n"
# A client that lost the stream comes back after this time.
RECONNECT = b"retry: 2000\n\n"
# no-transform and X-Accel-Buffering keep proxies from compressing or collecting the stream.
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class StreamSlots:
    """The streams one process may have open at a time. Safe for threads."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    def respond(self, events: Iterable[bytes]) -> Response:
        """An answer that streams `events` and gives its slot back however it ends. Raises Unavailable."""
        if not self._free.acquire(blocking=False):
            raise Unavailable(BUSY, RETRY_AFTER_SECONDS)
        response = Response(events, content_type="text/event-stream; charset=utf-8", headers=HEADERS)
        # Not in the generator: one that was never started runs no `finally`.
        response.call_on_close(self._free.release)
        return response


def event_bytes(payload: dict[str, Any], event_id: int) -> bytes:
    """One event in one piece, in ASCII: clients decode each piece they receive by itself."""
    return f"id: {event_id}\ndata: {json.dumps(payload, allow_nan=False)}\n\n".encode("ascii")
