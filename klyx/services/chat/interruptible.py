"""Requests whose connection can be cut from another thread at any time after it was made, also before an answer."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

Cut = Callable[[], None]


class InterruptibleAdapter(HTTPAdapter):
    """Tells `connected` of every connection, with what cuts it, before anything is asked over it.

    Whoever waits for the connection then finds that the other side has closed it.
    """

    def __init__(self, connected: Callable[[Cut], object]) -> None:
        self._connected = connected
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        # A response can be cut by urllib3 itself, but there is none while the other side thinks.
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _telling(pool.ConnectionCls, self._connected)
        return pool


def _telling(kind: type[HTTPConnection], connected: Callable[[Cut], object]) -> type[HTTPConnection]:
    class Telling(kind):  # type: ignore[valid-type, misc]
        def connect(self) -> None:
            super().connect()
            connected(partial(_cut, self.sock))

    return Telling


def _cut(connection: socket.socket) -> None:
    # Past TLS's own shutdown, which would have whoever reads go on without it. A closed one needs no cut.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
