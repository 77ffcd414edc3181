"""SQLAlchemy engines: PostgreSQL through our own pool, SQLite through SQLAlchemy's."""

import functools
import json
import os
import weakref
from typing import Any, cast

import orjson
from sqlalchemy import URL, Connection, Engine, NullPool, QueuePool, create_engine, event, make_url
from sqlalchemy.dialects import registry
from sqlalchemy.engine.base import OptionEngine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import PoolProxiedConnection

from klyx.database.dialect import PooledDialect
from klyx.database.pool import ConnectionPool
from klyx.database.settings import DatabaseSettings

CONNECT_TIMEOUT_SECONDS = 5
READ_ONLY = "klyx_read_only"
# Every screen that somebody thinks up is a statement of its own, and one this wide keeps a third of a megabyte:
# with SQLAlchemy's 500 a web process grew to twice its size. What is asked often stays.
STATEMENTS_KEPT = 40
# For many short statements on a database that fits into memory: starting parallel workers or a compiler takes
# longer than such a statement, and a page that an index points to is not four times as dear as the next one.
_PLANNER_OPTIONS = "-c max_parallel_workers_per_gather=0 -c jit=off -c random_page_cost=1.1"

# NaN is refused here: neither JSON nor PostgreSQL knows it.
_to_json = functools.partial(json.dumps, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def parse_url(url: str) -> URL:
    """A `postgres://`, `postgresql://` or `sqlite:///path` URL for SQLAlchemy; ValueError for others."""
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg2"):
        return parsed.set(drivername="postgresql+klyx")
    if parsed.drivername == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed
    raise ValueError("the database URL must begin with postgres://, postgresql:// or sqlite:///path")


def postgresql_engine(url: URL, settings: DatabaseSettings) -> tuple[Engine, ConnectionPool]:
    """An engine that draws from a pool of ours. Nothing connects before the first use."""
    registry.register("postgresql.klyx", PooledDialect.__module__, PooledDialect.__name__)
    options: dict[str, Any] = {**url.translate_connect_args(username="user", database="dbname"), **url.query}
    milliseconds = round(settings.statement_timeout_seconds * 1000)
    session = f"-c statement_timeout={milliseconds} -c TimeZone=UTC {_PLANNER_OPTIONS}"
    options["options"] = f"{session} {options.get('options', '')}".strip()
    options.setdefault("application_name", settings.application_name)
    options.setdefault("connect_timeout", CONNECT_TIMEOUT_SECONDS)
    pool = ConnectionPool(
        settings.pool_min,
        settings.pool_max,
        wait_seconds=settings.pool_wait_seconds,
        max_idle_seconds=settings.pool_max_idle_seconds,
        max_age_seconds=settings.pool_max_age_seconds,
        **options,
    )
    engine = create_engine(
        url,
        creator=pool.getconn,
        poolclass=NullPool,
        use_native_hstore=False,
        hide_parameters=True,
        json_serializer=_to_json,
        query_cache_size=STATEMENTS_KEPT,
        json_deserializer=orjson.loads,
    )
    cast("PooledDialect", engine.dialect).connection_pool = pool
    return engine, pool


class ReadingEngine(OptionEngine):
    """The same engine, with connections that can only read, and need no transaction for it."""

    def raw_connection(self) -> PoolProxiedConnection:
        pool = cast("PooledDialect", self.dialect).connection_pool
        with pool.lending_readers():
            return super().raw_connection()


def reading_engine(engine: Engine) -> Engine:
    """`engine` for sessions that only read. On PostgreSQL, which takes its snapshot anew for each statement of a
    transaction anyway, every statement stands by itself.
    """
    options = {READ_ONLY: True}
    is_postgresql = engine.dialect.name == "postgresql"
    return ReadingEngine(engine, options) if is_postgresql else engine.execution_options(**options)


def sqlite_engine(url: URL, settings: DatabaseSettings, *, foreign_keys: bool = True) -> Engine:
    """An engine on a file: WAL, foreign keys enforced, writers take turns from their first statement on.

    `foreign_keys=False` is for rebuilding tables only.
    """
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=settings.pool_max,
        max_overflow=0,
        pool_timeout=settings.pool_wait_seconds,
        connect_args={"timeout": settings.sqlite_busy_timeout_seconds},
        hide_parameters=True,
        json_serializer=_to_json,
        query_cache_size=STATEMENTS_KEPT,
        json_deserializer=orjson.loads,
    )
    event.listen(engine, "connect", functools.partial(_prepare_sqlite_connection, foreign_keys))
    event.listen(engine, "begin", _begin_sqlite_transaction)
    os.register_at_fork(after_in_child=functools.partial(_forget_after_fork, weakref.ref(engine)))
    return engine


def _prepare_sqlite_connection(foreign_keys: bool, connection: DBAPIConnection, _record: Any) -> None:
    # Otherwise Python's driver begins transactions of its own, and not before selects.
    connection.isolation_level = None
    # SQLite's own lower() knows ASCII only.
    connection.create_function("unicode_lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON" if foreign_keys else "PRAGMA foreign_keys = OFF")
    cursor.close()


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _begin_sqlite_transaction(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("PRAGMA query_only = ON" if read_only else "PRAGMA query_only = OFF")
    # A writer that first read would find the lock taken when it wants to write, and could not wait for it.
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


_inherited_pools: list[object] = []


def _forget_after_fork(reference: "weakref.ref[Engine]") -> None:
    engine = reference()
    if engine is not None:
        # SQLite connections must not be used nor closed in a child, not even by the garbage collector.
        _inherited_pools.append(engine.pool)
        engine.dispose(close=False)
