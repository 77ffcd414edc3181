"""The psycopg2 connection of the pool: it knows its age and whether it must be cleaned before reuse."""

import re
import select
import time
from collections.abc import Callable
from typing import Any

import orjson
import psycopg2
from psycopg2 import extensions, extras

_NUMERIC_OID = 1700

# A single statement that starts like this cannot change the session. Everything else is taken to
# (SET, LISTEN, temporary tables, ...), so that an unknown kind costs a clean-up and never a leak.
_HARMLESS = re.compile(
    rb"\s*(?:select|insert|update|delete|with|values|show|explain|lock|savepoint|release|rollback|set\s+local)\b",
    re.IGNORECASE,
)
_SUSPICIOUS = (b";", b"set_config", b"advisory_lock", b"advisory_unlock", b"into temp")


class TrackingCursor(extensions.cursor):
    """Notes on its connection when a statement may have changed the state of the session."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        self._note(query)
        super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        self._note(query)
        super().executemany(query, vars_list)

    def callproc(self, procname: Any, parameters: Any = None) -> None:
        self._note("call")
        super().callproc(procname, parameters)

    def _note(self, query: Any) -> None:
        connection = self.connection
        if isinstance(connection, PooledConnection) and not connection.modified:
            connection.modified = _may_modify_session(query)


def _may_modify_session(query: Any) -> bool:
    text = query if isinstance(query, bytes) else str(query).encode()
    if not _HARMLESS.match(text):
        return True
    lowered = text.lower()
    return any(word in lowered for word in _SUSPICIOUS)


class PooledConnection(extensions.connection):
    """A connection with the times the pool decides by (monotonic seconds). NUMERIC comes out as float."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.opened_at = time.monotonic()
        self.last_used_at = self.opened_at
        self.modified = False
        self.is_reader = False
        # Not through new_type(): its casters call Python for every number, which takes half again as long.
        self.string_types[_NUMERIC_OID] = extensions.FLOAT
        extras.register_default_json(self, loads=orjson.loads)
        extras.register_default_jsonb(self, loads=orjson.loads)

    def cursor(self, *arguments: Any, **options: Any) -> Any:
        factory: Callable[..., Any] | None = options.get("cursor_factory") or (arguments[1:2] or (None,))[0]
        if factory is not None and not (isinstance(factory, type) and issubclass(factory, TrackingCursor)):
            # What a cursor of another class does goes unseen.
            self.modified = True
        return super().cursor(*arguments, **options)

    def become_reader(self) -> None:
        """Every statement by itself and none may write: a read then needs no BEGIN and no ROLLBACK, which are trips
        to the server of their own. The server is told once, and `restore` leaves it at that.
        """
        self.set_session(readonly=True, autocommit=True)
        self.is_reader = True

    def become_plain(self) -> None:
        """As a new connection, after it was a reader."""
        self.is_reader = False
        self._restore_options()

    def restore(self) -> bool:
        """Back to the state of a new connection, or of a new reader; False when it is lost and must be thrown away.

        The options that psycopg2 keeps on this side are put back without asking the server.
        DISCARD ALL is sent only after a statement that may have changed the session, or autocommit.
        """
        if self.closed or self.encoding != "UTF8":
            return False
        try:
            if self.info.transaction_status != extensions.TRANSACTION_STATUS_IDLE:
                self.rollback()
            if self.is_reader and self._is_untouched_reader():
                return not self.closed
            if self.modified or self.autocommit:
                # Outside a transaction, as it must be; the options given at connect time stay in force.
                self.autocommit = True
                with self.cursor() as cursor:
                    cursor.execute("DISCARD ALL")
            self._restore_options()
        except psycopg2.Error:
            return False
        self.modified = self.is_reader = False
        return not self.closed

    def _is_untouched_reader(self) -> bool:
        return bool(
            not self.modified
            and self.autocommit
            and self.readonly
            and self.isolation_level is None
            and self.deferrable is None
            and self.cursor_factory is TrackingCursor
        )

    def _restore_options(self) -> None:
        if self.autocommit:
            self.autocommit = False
        for option in ("isolation_level", "readonly", "deferrable"):
            if getattr(self, option) is not None:
                setattr(self, option, None)
        self.cursor_factory = TrackingCursor

    def is_alive(self, ping: bool) -> bool:
        """Whether the server still holds the other end. Without `ping` only what has already arrived counts.

        An idle server says nothing, so anything to read is a farewell or the end of file.
        """
        if self.closed:
            return False
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        if not ping and not poll.poll(0):
            return True
        try:
            with self.cursor() as cursor:
                cursor.execute("SELECT 1")
            self.rollback()
        except psycopg2.Error:
            return False
        return True

    def close_quietly(self) -> None:
        """Close once; closing never fails, even when the other end is gone."""
        if not self.closed:
            self.close()
