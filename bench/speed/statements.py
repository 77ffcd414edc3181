"""The statements that PostgreSQL was sent, from its own log: no application need tell, none can leave one out."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
from psycopg2 import sql

_ENTRY = re.compile(r"(?m)^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ )")
_READ = re.compile(r"\s*(?:SELECT|WITH)\b", re.IGNORECASE)
_STATEMENT = "LOG:  statement: "
# The server tells its processes with signals, and nothing says when all have heard.
SETTLE_SECONDS = 0.3


class StatementLog:
    """Switches the log on and off, as the superuser `postgres` of a server on this machine."""

    def __init__(self, port: int, file: Path) -> None:
        self._port = port
        self._file = file

    @contextlib.contextmanager
    def recording(self) -> Iterator[list[str]]:
        """A list that has, afterwards, every statement sent meanwhile, with its values, in order."""
        found: list[str] = []
        self._set("all")
        try:
            start = self._file.stat().st_size
            yield found
            with self._file.open("rb") as log:
                log.seek(start)
                found += statements_in(log.read().decode(errors="replace"))
        finally:
            self._set("none")

    def _set(self, kind: str) -> None:
        connection = psycopg2.connect(host="127.0.0.1", port=self._port, user="postgres", dbname="postgres")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("ALTER SYSTEM SET log_statement = {}").format(sql.Literal(kind)))
                cursor.execute("SELECT pg_reload_conf()")
        finally:
            connection.close()
        threading.Event().wait(SETTLE_SECONDS)


def statements_in(log: str) -> list[str]:
    """The statements of a server log in PostgreSQL's default form; it indents further lines with a tab."""
    entries = (entry.partition(_STATEMENT)[2] for entry in _ENTRY.split(log))
    return [entry.replace("\n\t", "\n").strip() for entry in entries if entry]


def reads_of_stocks(statements: list[str]) -> list[str]:
    """Those that read whole stocks, whether from the table or from a view: all of them name the price."""
    return [one for one in statements if _READ.match(one) and "current_price" in one]
