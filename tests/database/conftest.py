"""Databases of the tests of klyx.database, opened with settings of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from klyx.database import Database, DatabaseSettings
from klyx.database.pool import ConnectionPool
from tests.servers import ThrowAwayPostgres


class OpenDatabase(Protocol):
    def __call__(self, url: str, **settings: Any) -> Database: ...


class OpenPool(Protocol):
    def __call__(self, **settings: Any) -> ConnectionPool: ...


@pytest.fixture
def open_database() -> Iterator[OpenDatabase]:
    """Opens databases; they are closed after the test."""
    opened: list[Database] = []

    def open_one(url: str, **settings: Any) -> Database:
        opened.append(Database(DatabaseSettings(url=url, **settings)))
        return opened[-1]

    yield open_one
    for database in opened:
        database.dispose()


@pytest.fixture
def database(database_url: str, open_database: OpenDatabase) -> Database:
    """A database with the current schema and no rows, once on each engine."""
    return open_database(database_url)


@pytest.fixture
def empty_postgres_url(postgres: ThrowAwayPostgres) -> Iterator[str]:
    """A PostgreSQL database without any table."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet, in a folder that does not exist either."""
    return f"sqlite:///{tmp_path / 'instance' / 'klyx.sqlite3'}"


@pytest.fixture
def open_pool(empty_postgres_url: str, open_database: OpenDatabase) -> OpenPool:
    """Opens pools on one empty PostgreSQL database."""

    def open_one(**settings: Any) -> ConnectionPool:
        pool = open_database(empty_postgres_url, **settings).pool
        assert pool is not None
        return pool

    return open_one
