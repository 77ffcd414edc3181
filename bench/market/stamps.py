"""When a request reached this machine, as its kernel noted it: a busy reader is late, and would count in bunches."""

from __future__ import annotations

import io
import socket
import struct
import sys
import time
from typing import Any

# Linux' SO_TIMESTAMPNS, which Python does not name. Every read then comes with the time its bytes arrived.
_OPTION = 35
_TIME = struct.Struct("@ll")


class StampedReader(io.RawIOBase):
    """Reads a connection; `arrived` tells when the first bytes since it was last asked came in."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._first: float | None = None
        self._is_stamped = sys.platform == "linux"
        if self._is_stamped:
            connection.setsockopt(socket.SOL_SOCKET, _OPTION, 1)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content, ancillary, *_ = self._connection.recvmsg(len(buffer), socket.CMSG_SPACE(_TIME.size))
        if self._first is None:
            self._first = self._moment(ancillary)
        buffer[: len(content)] = content
        return len(content)

    def arrived(self) -> float:
        """On the monotonic clock."""
        first, self._first = self._first, None
        return time.monotonic() if first is None else first

    def _moment(self, ancillary: list[Any]) -> float:
        now = time.monotonic()
        for level, kind, content in ancillary:
            if self._is_stamped and (level, kind) == (socket.SOL_SOCKET, _OPTION):
                seconds, nanoseconds = _TIME.unpack(content)
                # Both clocks go equally fast over the moment between arrival and now.
                ago = time.time() - float(seconds) - float(nanoseconds) / 1e9
                return now - max(0.0, ago)
        return now
