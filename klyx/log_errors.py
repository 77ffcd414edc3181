"""Tracebacks for the log, without what a database says of the values it was given."""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Iterator
from types import TracebackType

import psycopg2
from pythonjsonlogger.orjson import OrjsonFormatter
from sqlalchemy.exc import InvalidRequestError, StatementError

# PostgreSQL quotes whole rows in its DETAIL lines, and SQLAlchemy repeats them when a session is used on.
_QUOTING = (StatementError, InvalidRequestError, psycopg2.Error, sqlite3.Error)
_LINK = "\nDuring this, or because of it:\n\n"

ExceptionInformation = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class ErrorFormatter(OrjsonFormatter):
    """JSON lines whose tracebacks hold no stored value."""

    def formatException(self, ei: ExceptionInformation) -> str:  # noqa: N802 (logging's name)
        error = ei[1]
        if error is None or not any(isinstance(each, _QUOTING) for each in _chain(error)):
            return str(super().formatException(ei))
        return _LINK.join(reversed([_text(each) for each in _chain(error)])).rstrip()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it came from, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _text(error: BaseException) -> str:
    if not isinstance(error, _QUOTING):
        return "".join(traceback.format_exception(type(error), error, error.__traceback__, chain=False))
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{_kind(error)}\n"


def _kind(error: BaseException) -> str:
    """The types of the error and of the driver's, and the code that the database gives it."""
    drivers = getattr(error, "orig", None) or error
    code = getattr(drivers, "pgcode", None) or getattr(drivers, "sqlite_errorname", None)
    kinds = ": ".join(dict.fromkeys(f"{type(each).__module__}.{type(each).__name__}" for each in (error, drivers)))
    return f"{kinds} ({code})" if code else kinds
