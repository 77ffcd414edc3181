"""Telling when a request really left: after the connection was made and the last byte was handed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

_told: ContextVar[Callable[[], None] | None] = ContextVar("outbound_request_left", default=None)


@contextmanager
def telling(left: Callable[[], None]) -> Iterator[None]:
    """Calls `left` for the request that this thread sends meanwhile, if its connection comes from `tells`."""
    token = _told.set(left)
    try:
        yield
    finally:
        _told.reset(token)


def tells(manager: PoolManager) -> None:
    """Has a manager make connections that tell."""
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def _tell() -> None:
    left = _told.get()
    if left is not None:
        left()


class _Connection(HTTPConnection):
    def request(self, *arguments: Any, **options: Any) -> None:
        super().request(*arguments, **options)
        _tell()


class _TlsConnection(HTTPSConnection):
    def request(self, *arguments: Any, **options: Any) -> None:
        super().request(*arguments, **options)
        _tell()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
