"""What can go wrong between the application and its database, in words for a caller."""

import sqlite3

import psycopg2.errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from klyx.errors import Unavailable

_CONTENTION = (
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.SerializationFailure,
)


class PoolExhausted(Unavailable):
    """Every connection stayed in use for the whole wait limit."""

    def __init__(self) -> None:
        super().__init__("The server is busy. Please try again in a moment.", retry_after_seconds=1)


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached, dropped the connection, is locked, or took too long."""

    def __init__(self, message: str = "The database cannot be reached.") -> None:
        super().__init__(f"{message} Please try again in a moment.", retry_after_seconds=2)


def as_unavailable(error: Exception) -> Unavailable | None:
    """The failure of a caller to be told to try again, or None when `error` is of another kind."""
    if isinstance(error, PoolTimeout):
        return PoolExhausted()
    if not isinstance(error, DBAPIError):
        return None
    if error.connection_invalidated:
        return DatabaseUnavailable()
    if isinstance(error.orig, psycopg2.errors.QueryCanceled):
        return DatabaseUnavailable("The database took too long to answer.")
    locked = isinstance(error.orig, sqlite3.OperationalError) and "locked" in str(error.orig)
    if locked or isinstance(error.orig, _CONTENTION):
        return DatabaseUnavailable("The data is being changed by someone else.")
    return None
