"""Which failures of the database mean "try again"."""

from __future__ import annotations

import sqlite3

import psycopg2.errors
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from klyx.database.errors import DatabaseUnavailable, PoolExhausted, as_unavailable


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PoolTimeout(), PoolExhausted),
        (DBAPIError("", None, Exception(), connection_invalidated=True), DatabaseUnavailable),
        (OperationalError("", None, psycopg2.errors.QueryCanceled()), DatabaseUnavailable),
        (OperationalError("", None, psycopg2.errors.DeadlockDetected()), DatabaseUnavailable),
        (OperationalError("", None, sqlite3.OperationalError("database is locked")), DatabaseUnavailable),
        (OperationalError("", None, sqlite3.OperationalError("no such table: x")), type(None)),
        (OperationalError("", None, psycopg2.errors.UndefinedTable()), type(None)),
        (ValueError(), type(None)),
    ],
)
def test_only_passing_failures_ask_to_try_again(error: Exception, kind: type[object]) -> None:
    assert type(as_unavailable(error)) is kind
