"""One pool of PostgreSQL connections per process, on psycopg2's ThreadedConnectionPool.

psycopg2's own keeps only `minconn` idle connections, fails at once when exhausted, hands out dead
connections, loses the slot of one that died in a transaction, lets session state leak to the next user,
connects while holding its lock and ignores forks. This subclass keeps the interface and mends that.
"""

import functools
import logging
import os
import threading
import time
import weakref
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg2
from psycopg2 import extensions
from psycopg2.pool import PoolError, ThreadedConnectionPool

from klyx.database.connection import PooledConnection, TrackingCursor
from klyx.database.errors import DatabaseUnavailable, PoolExhausted

logger = logging.getLogger(__name__)

PING_AFTER_IDLE_SECONDS = 5.0


class ConnectionPool(ThreadedConnectionPool):
    """Opens connections when needed, up to `maxconn`, and lends the one used last.

    `getconn` raises PoolExhausted after `wait_seconds` without a free connection and
    DatabaseUnavailable when the server cannot be reached. Further options go to psycopg2.connect.
    Connections have no keys here: each call of `getconn` lends another one.
    """

    def __init__(
        self,
        minconn: int,
        maxconn: int,
        *,
        wait_seconds: float,
        max_idle_seconds: float,
        max_age_seconds: float,
        **connect_options: Any,
    ) -> None:
        super().__init__(0, maxconn)
        self.minconn = minconn
        self._wait_seconds = wait_seconds
        self._max_idle_seconds = max_idle_seconds
        self._max_age_seconds = max_age_seconds
        self._connect_options = connect_options
        self._purpose = threading.local()
        self._start_empty()
        os.register_at_fork(after_in_child=functools.partial(_forget_after_fork, weakref.ref(self)))

    def _start_empty(self) -> None:
        self._guard = threading.Lock()
        self._slots = threading.Semaphore(self.maxconn)
        self._idle: list[PooledConnection] = []
        self._lent: dict[int, PooledConnection] = {}

    def getconn(self, key: Hashable | None = None) -> PooledConnection:
        """A healthy connection in the state of a new session, for reading only within `lending_readers`."""
        if self.closed or key is not None:
            raise PoolError("connection pool is closed" if self.closed else "keys are not supported")
        slots = self._slots
        if not slots.acquire(timeout=self._wait_seconds):
            logger.warning("connection pool exhausted", extra={"pool_max": self.maxconn})
            raise PoolExhausted
        try:
            connection = self._take()
        except BaseException:
            slots.release()
            raise
        with self._guard:
            self._lent[id(connection)] = connection
        return connection

    @contextmanager
    def lending_readers(self) -> Iterator[None]:
        """Connections that this thread gets meanwhile are for reading (PooledConnection.become_reader)."""
        self._purpose.is_reading = True
        try:
            yield
        finally:
            self._purpose.is_reading = False

    def putconn(
        self,
        conn: extensions.connection | None = None,
        key: Hashable | None = None,
        close: bool = False,
    ) -> None:
        """Take a connection back: cleaned and kept, or closed when `close`, lost or too old."""
        with self._guard:
            connection = self._lent.pop(id(conn), None)
        if connection is None:
            # Lent by the parent of a fork: closing it would end the parent's session.
            return
        slots = self._slots
        try:
            if not close and not self.closed and not self._is_old(connection) and connection.restore():
                self._keep(connection)
            else:
                connection.close_quietly()
        finally:
            slots.release()
        self._close_surplus()

    def closeall(self) -> None:
        """Close the idle connections now and the lent ones when they come back; nothing is lent any more."""
        self.closed = True
        with self._guard:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close_quietly()

    @property
    def idle_count(self) -> int:
        """Connections waiting in the pool."""
        return len(self._idle)

    @property
    def lent_count(self) -> int:
        """Connections in use."""
        return len(self._lent)

    def forget(self) -> None:
        """Drop, without closing, what belongs to the process this one was forked from."""
        # psycopg2 closes no socket of another process when an object dies, so letting go is enough.
        self._start_empty()

    def _take(self) -> PooledConnection:
        is_reading: bool = getattr(self._purpose, "is_reading", False)
        while connection := self._pop_idle(is_reading):
            must_ping = time.monotonic() - connection.last_used_at > PING_AFTER_IDLE_SECONDS
            if self._is_old(connection) or not connection.is_alive(ping=must_ping):
                connection.close_quietly()
            elif self._suits(connection, is_reading):
                return connection
        connection = self._open()
        if not self._suits(connection, is_reading):
            raise DatabaseUnavailable
        return connection

    def _pop_idle(self, is_reading: bool) -> PooledConnection | None:
        with self._guard:
            # One that need not be told of its new purpose, else any.
            for position in reversed(range(len(self._idle))):
                if self._idle[position].is_reader == is_reading:
                    return self._idle.pop(position)
            return self._idle.pop() if self._idle else None

    def _suits(self, connection: PooledConnection, is_reading: bool) -> bool:
        """Whether it is, or has become, what is asked for; if not it is lost."""
        if connection.is_reader == is_reading:
            return True
        try:
            if is_reading:
                connection.become_reader()
            else:
                connection.become_plain()
        except psycopg2.Error:
            connection.close_quietly()
            return False
        return True

    def _open(self) -> PooledConnection:
        try:
            connection = psycopg2.connect(
                connection_factory=PooledConnection, cursor_factory=TrackingCursor, **self._connect_options
            )
        except psycopg2.OperationalError as error:
            logger.warning("cannot connect to the database", extra={"reason": str(error).strip()})
            raise DatabaseUnavailable from error
        return cast("PooledConnection", connection)

    def _keep(self, connection: PooledConnection) -> None:
        connection.last_used_at = time.monotonic()
        with self._guard:
            self._idle.append(connection)

    def _close_surplus(self) -> None:
        oldest_use = time.monotonic() - self._max_idle_seconds
        surplus: list[PooledConnection] = []
        with self._guard:
            # The list is a stack: what has been unused longest lies at its start.
            while len(self._idle) > self.minconn and self._idle[0].last_used_at < oldest_use:
                surplus.append(self._idle.pop(0))
        for connection in surplus:
            connection.close_quietly()

    def _is_old(self, connection: PooledConnection) -> bool:
        return time.monotonic() - connection.opened_at > self._max_age_seconds


def _forget_after_fork(reference: "weakref.ref[ConnectionPool]") -> None:
    pool = reference()
    if pool is not None:
        pool.forget()
