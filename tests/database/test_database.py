"""Database: transactions, read-only sessions, and what callers are told when it cannot serve."""

from __future__ import annotations

import multiprocessing
import os
import threading
from datetime import UTC, datetime

import pytest
from psycopg2 import extensions
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError

from klyx.database import Database, DatabaseUnavailable, PoolExhausted
from klyx.database.engine import parse_url
from klyx.database.models import Stock, User
from klyx.stack.ports import free_port
from tests.database.conftest import OpenDatabase
from tests.servers import ThrowAwayPostgres


def user(number: int = 1) -> User:
    return User(id=f"u{number}", email=f"u{number}@example.org", name="A", password_hash="x")


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(User)) or 0


def test_a_transaction_is_committed_and_its_objects_stay_readable(database: Database) -> None:
    with database.begin() as session:
        session.add(added := user())
    assert added.created_at.tzinfo is UTC
    assert count(database) == 1


def test_an_error_takes_the_transaction_back(database: Database) -> None:
    def work() -> None:
        with database.begin() as session:
            session.add(user())
            session.flush()
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        work()
    assert count(database) == 0


def test_a_read_only_session_refuses_to_write(database: Database) -> None:
    with database.read() as session:
        session.add(user())
        with pytest.raises(DBAPIError, match=r"read-?only"):
            session.flush()
    with database.begin() as session:
        session.add(user())
    assert count(database) == 1


def test_objects_of_a_read_only_session_stay_readable(database: Database) -> None:
    with database.begin() as session:
        session.add(user())
    with database.read() as session:
        found = session.scalars(select(User)).one()
    assert found.name == "A"


def test_broken_constraints_pass_unchanged(database: Database) -> None:
    with database.begin() as session:
        session.add(user())
    with pytest.raises(IntegrityError), database.begin() as session:
        session.add(user())


def test_foreign_keys_are_enforced(database: Database) -> None:
    with pytest.raises(IntegrityError), database.begin() as session:
        session.execute(text("INSERT INTO user_portfolio (user_id, stock_name) VALUES ('nobody', 'A')"))


def test_writers_at_once_take_turns(database: Database) -> None:
    with database.begin() as session:
        session.add(Stock(stock_name="A", analyst_count=0))

    def work() -> None:
        for _ in range(20):
            with database.begin() as session:
                # Reading before writing is what ends in "database is locked" without BEGIN IMMEDIATE.
                stock = session.scalars(select(Stock).with_for_update()).one()
                stock.analyst_count = (stock.analyst_count or 0) + 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.scalar(select(Stock.analyst_count)) == 80


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.begin() as session:
        session.add(user())
        session.flush()
        assert count(database) == 0
    assert count(database) == 1


def test_ping(database: Database) -> None:
    database.ping()
    assert database.dialect_name in ("sqlite", "postgresql")


def test_an_exhausted_pool_is_a_503(database_url: str, open_database: OpenDatabase) -> None:
    database = open_database(database_url, pool_max=1, pool_min=0, pool_wait_seconds=0.1)
    with database.read() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(PoolExhausted) as raised:
            database.ping()
    assert (raised.value.status, raised.value.headers) == (503, {"Retry-After": "1"})
    database.ping()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_connection_lost_in_a_transaction_is_a_503_and_the_next_one_works(
    database: Database, database_url: str, postgres: ThrowAwayPostgres
) -> None:
    def work() -> None:
        with database.begin() as session:
            session.add(user())
            session.flush()
            assert postgres.terminate_backends(database_url) == 1
            session.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable) as raised:
        work()
    assert raised.value.headers == {"Retry-After": "2"}
    assert count(database) == 0
    assert database.pool is not None
    assert database.pool.lent_count == 0


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_connection_lost_before_the_commit_is_a_503(
    database: Database, database_url: str, postgres: ThrowAwayPostgres
) -> None:
    def work() -> None:
        with database.begin() as session:
            session.add(user())
            session.flush()
            assert postgres.terminate_backends(database_url) == 1

    with pytest.raises(DatabaseUnavailable):
        work()
    assert count(database) == 0


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_statement_that_takes_too_long_is_a_503(database_url: str, open_database: OpenDatabase) -> None:
    database = open_database(database_url, statement_timeout_seconds=0.1)
    with pytest.raises(DatabaseUnavailable, match="too long"), database.read() as session:
        session.execute(text("SELECT pg_sleep(20)"))
    database.ping()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_row_locked_by_someone_else_is_a_503(database: Database) -> None:
    with database.begin() as session:
        session.add(user())
    with database.begin() as holder:
        holder.scalars(select(User).with_for_update()).one()
        with pytest.raises(DatabaseUnavailable, match="being changed"), database.begin() as session:
            session.scalars(select(User).with_for_update(nowait=True)).one()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_the_session_is_named_and_speaks_utc(database_url: str, open_database: OpenDatabase) -> None:
    url = f"{database_url}?options=-c%20work_mem%3D5MB".replace("postgresql://", "postgres://")
    with open_database(url, application_name="klyx worker").read() as session:
        settings = [
            session.scalar(text(f"SHOW {name}"))
            for name in ("application_name", "TimeZone", "statement_timeout", "work_mem")
        ]
    assert settings == ["klyx worker", "UTC", "20s", "5MB"]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_the_engine_draws_from_the_pool(database: Database) -> None:
    assert database.pool is not None
    with database.read() as session:
        session.execute(text("SELECT 1"))
        assert (database.pool.lent_count, database.pool.idle_count) == (1, 0)
    assert (database.pool.lent_count, database.pool.idle_count) == (0, 1)
    connection = database.engine.connect()
    connection.execute(text("SELECT 1"))
    connection.invalidate()
    connection.close()
    assert (database.pool.lent_count, database.pool.idle_count) == (0, 0)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_session_for_reading_has_no_transaction_and_costs_no_clean_up(database: Database) -> None:
    assert database.pool is not None
    database.ping()
    with database.pool.lending_readers():
        lent = database.pool.getconn()
    database.pool.putconn(lent)
    for _ in range(2):
        with database.read() as session:
            backend = session.scalar(text("SELECT pg_backend_pid()"))
            assert lent.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE
            assert session.scalar(text("SHOW transaction_read_only")) == "on"
        assert (lent.is_reader, lent.modified, lent.get_backend_pid()) == (True, False, backend)
    with pytest.raises(InternalError, match="read-only transaction"), database.read() as session:
        session.execute(text("CREATE TABLE forbidden (x int)"))


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_reader_s_connection_becomes_a_writer_s_and_back(database: Database) -> None:
    pids = []
    for open_session in (database.read, database.begin, database.read, database.begin):
        with open_session() as session:
            pids.append(session.scalar(text("SELECT pg_backend_pid()")))
            is_reading = session.scalar(text("SHOW transaction_read_only"))
            is_held = session.scalar(text("SHOW default_transaction_read_only"))
            assert (is_reading, is_held) == (("on", "on") if open_session == database.read else ("off", "off"))
    assert len(set(pids)) == 1


def test_an_unreachable_server_is_a_503(open_database: OpenDatabase) -> None:
    database = open_database(f"postgresql://klyx@127.0.0.1:{free_port()}/klyx")
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        database.ping()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_sqlite_writes_ahead_and_checks_references(database: Database) -> None:
    with database.begin() as session:
        pragmas = [session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys", "busy_timeout")]
    assert pragmas == ["wal", 1, 5000]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_sqlite_file_locked_for_too_long_is_a_503(database_url: str, open_database: OpenDatabase) -> None:
    database = open_database(database_url, sqlite_busy_timeout_seconds=0.1)
    with database.begin() as holder:
        holder.execute(text("SELECT 1"))
        with pytest.raises(DatabaseUnavailable, match="being changed"), database.begin() as session:
            session.execute(text("SELECT 1"))
        database.ping()


def _add_user_in_child(database: Database) -> None:
    with database.begin() as session:
        session.add(user(os.getpid()))


def test_a_forked_process_uses_connections_of_its_own(database: Database) -> None:
    assert count(database) == 0
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_add_user_in_child, args=(database,)) for _ in range(3)]
    for child in children:
        child.start()
    with database.begin() as session:
        session.add(user())
    for child in children:
        child.join(30)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert count(database) == 4


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "postgresql+asyncpg://x/y"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="database URL must begin with"):
        parse_url(url)


def test_moments_survive_in_any_time_zone(database: Database) -> None:
    moment = datetime.fromisoformat("2026-01-31T09:30:00.123456+05:30")
    with database.begin() as session:
        session.add(Stock(stock_name="A", last_updated=moment))
    with database.read() as session:
        found = session.scalars(select(Stock.last_updated)).one()
        later = session.scalars(select(Stock.id).where(Stock.last_updated > moment)).all()
    assert (found, found.tzinfo if found else None, later) == (moment, UTC, [])
