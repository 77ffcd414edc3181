"""The connection pool under what production does to it."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import psycopg2
import psycopg2.extras
import pytest
from psycopg2 import extensions
from psycopg2.pool import PoolError

from klyx.database.errors import DatabaseUnavailable, PoolExhausted
from klyx.database.pool import ConnectionPool
from klyx.stack.ports import free_port
from tests.database.conftest import OpenPool
from tests.servers import ThrowAwayPostgres


def query(connection: extensions.connection, statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    assert row is not None
    return row[0]


def borrowed_value(pool: ConnectionPool, statement: str) -> Any:
    connection = pool.getconn()
    try:
        return query(connection, statement)
    finally:
        pool.putconn(connection)


def backend(pool: ConnectionPool) -> int:
    return int(borrowed_value(pool, "SELECT pg_backend_pid()"))


def test_nothing_connects_before_the_first_use(open_pool: OpenPool) -> None:
    pool = open_pool()
    assert (pool.idle_count, pool.lent_count) == (0, 0)


def test_up_to_the_maximum_stays_connected(open_pool: OpenPool) -> None:
    pool = open_pool(pool_min=1, pool_max=4)
    lent = [pool.getconn() for _ in range(4)]
    for connection in lent:
        pool.putconn(connection)
    assert pool.idle_count == 4


def test_a_backend_killed_while_idle_is_replaced(open_pool: OpenPool, postgres: ThrowAwayPostgres) -> None:
    pool = open_pool(pool_max=1)
    first = backend(pool)
    url = f"/{query(pool_connection := pool.getconn(), 'SELECT current_database()')}"
    pool.putconn(pool_connection)
    assert postgres.terminate_backends(url) == 1
    assert backend(pool) != first


def test_a_backend_killed_in_a_transaction_gives_its_slot_back(
    open_pool: OpenPool, postgres: ThrowAwayPostgres
) -> None:
    pool = open_pool(pool_max=1, pool_wait_seconds=0.2)
    connection = pool.getconn()
    url = f"/{query(connection, 'SELECT current_database()')}"
    postgres.terminate_backends(url)
    with pytest.raises(psycopg2.OperationalError):
        query(connection, "SELECT 1")
    pool.putconn(connection)
    assert (pool.idle_count, pool.lent_count) == (0, 0)
    assert borrowed_value(pool, "SELECT 1") == 1


def test_a_backend_killed_before_the_rollback_gives_its_slot_back(
    open_pool: OpenPool, postgres: ThrowAwayPostgres
) -> None:
    pool = open_pool(pool_max=1, pool_wait_seconds=0.2)
    connection = pool.getconn()
    postgres.terminate_backends(f"/{query(connection, 'SELECT current_database()')}")
    # psycopg2 has not noticed: it believes itself in a transaction, and the rollback will fail.
    pool.putconn(connection)
    assert borrowed_value(pool, "SELECT 1") == 1


def test_no_slot_is_lost_over_many_failures(open_pool: OpenPool, postgres: ThrowAwayPostgres) -> None:
    pool = open_pool(pool_max=2, pool_wait_seconds=0.2)
    url = f"/{borrowed_value(pool, 'SELECT current_database()')}"
    for turn in range(200):
        connection = pool.getconn()
        query(connection, "SELECT 1")
        if turn % 4 == 0:
            postgres.terminate_backends(url)
        elif turn % 4 == 1:
            with pytest.raises(psycopg2.ProgrammingError):
                query(connection, "SELECT nonsense")
        elif turn % 4 == 2:
            connection.close()
        pool.putconn(connection, close=turn % 8 == 3)
    both = [pool.getconn(), pool.getconn()]
    assert [query(connection, "SELECT 1") for connection in both] == [1, 1]
    for connection in both:
        pool.putconn(connection)
    assert pool.lent_count == 0


def test_an_exhausted_pool_answers_within_the_wait_limit(open_pool: OpenPool) -> None:
    pool = open_pool(pool_max=1, pool_wait_seconds=0.3)
    connection = pool.getconn()
    begun = time.monotonic()
    with pytest.raises(PoolExhausted) as raised:
        pool.getconn()
    waited = time.monotonic() - begun
    pool.putconn(connection)
    assert 0.3 <= waited < 5
    assert (raised.value.status, raised.value.headers) == (503, {"Retry-After": "1"})
    assert borrowed_value(pool, "SELECT 1") == 1


def test_a_waiting_caller_gets_the_connection_that_comes_back(open_pool: OpenPool) -> None:
    pool = open_pool(pool_max=1, pool_wait_seconds=20)
    connection = pool.getconn()
    found: list[int] = []
    waiting = threading.Thread(target=lambda: found.append(borrowed_value(pool, "SELECT 7")))
    waiting.start()
    pool.putconn(connection)
    waiting.join(20)
    assert found == [7]


def test_many_threads_never_exceed_the_maximum(open_pool: OpenPool) -> None:
    pool = open_pool(pool_max=3, pool_wait_seconds=20)
    counts: list[int] = []

    def work() -> None:
        for _ in range(25):
            connection = pool.getconn()
            counts.append(pool.lent_count)
            query(connection, "SELECT 1")
            pool.putconn(connection)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counts) == 300
    assert max(counts) <= 3
    assert pool.lent_count == 0


def test_an_unreachable_server_is_unavailable_and_costs_no_slot() -> None:
    pool = ConnectionPool(
        0,
        1,
        wait_seconds=0.2,
        max_idle_seconds=60,
        max_age_seconds=60,
        host="127.0.0.1",
        port=free_port(),
        dbname="klyx",
        user="klyx",
    )
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
            pool.getconn()


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("SET search_path = nowhere", "SHOW search_path"),
        ("SELECT set_config('search_path', 'nowhere', false)", "SHOW search_path"),
        ("SET statement_timeout = 0", "SHOW statement_timeout"),
        ("SELECT 1; SET TIME ZONE 'Asia/Kolkata'", "SHOW TimeZone"),
        ("LISTEN news", "SELECT count(*) FROM pg_listening_channels()"),
        ("CREATE TEMP TABLE scratch (x int)", "SELECT to_regclass('scratch')"),
        ("SELECT pg_advisory_lock(1)", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"),
    ],
)
def test_committed_session_state_does_not_reach_the_next_user(
    open_pool: OpenPool, change: str, read: str
) -> None:
    pool = open_pool(pool_max=1)
    before, first = borrowed_value(pool, read), backend(pool)
    connection = pool.getconn()
    with connection.cursor() as cursor:
        cursor.execute(change)
    connection.commit()
    assert query(connection, read) != before
    pool.putconn(connection)
    assert borrowed_value(pool, read) == before
    assert backend(pool) == first


def test_state_set_through_a_cursor_of_another_class_is_reset(open_pool: OpenPool) -> None:
    pool = open_pool(pool_max=1)
    connection = pool.getconn()
    with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute("SET search_path = nowhere")
    connection.commit()
    pool.putconn(connection)
    assert borrowed_value(pool, "SHOW search_path") != "nowhere"


@pytest.mark.parametrize(
    "change",
    [
        lambda connection: connection.set_session(autocommit=True),
        lambda connection: connection.set_session(readonly=True),
        lambda connection: connection.set_session(readonly=True, autocommit=True),
        lambda connection: connection.set_session(isolation_level="SERIALIZABLE", deferrable=True),
        lambda connection: connection.set_client_encoding("LATIN1"),
    ],
)
def test_options_of_the_connection_do_not_reach_the_next_user(
    open_pool: OpenPool, change: Callable[[extensions.connection], None]
) -> None:
    pool = open_pool(pool_max=1)
    connection = pool.getconn()
    change(connection)
    query(connection, "SELECT 1")
    pool.putconn(connection)

    fresh = pool.getconn()
    options = (fresh.autocommit, fresh.readonly, fresh.isolation_level, fresh.deferrable, fresh.encoding)
    server = query(fresh, "SELECT current_setting('transaction_read_only') || current_setting('transaction_isolation')")
    pool.putconn(fresh)
    assert options == (False, None, None, None, "UTF8")
    assert server == "offread committed"


@pytest.mark.parametrize(
    "statement",
    ["SET search_path = nowhere", "SET default_transaction_read_only = off", "BEGIN", "LISTEN news", "SELECT 1"],
)
def test_what_a_reader_does_reaches_neither_a_reader_nor_a_writer(open_pool: OpenPool, statement: str) -> None:
    pool = open_pool(pool_max=1)
    for is_reading in (True, False):
        with pool.lending_readers():
            connection = pool.getconn()
        with connection.cursor() as cursor:
            cursor.execute(statement)
        pool.putconn(connection)
        with pool.lending_readers() if is_reading else nullcontext():
            fresh = pool.getconn()
        state = query(fresh, "SELECT current_setting('transaction_read_only') || current_setting('search_path')")
        listening = query(fresh, "SELECT count(*) FROM pg_listening_channels()")
        assert (fresh.autocommit, fresh.readonly) == ((True, True) if is_reading else (False, None))
        pool.putconn(fresh)
        assert (state, listening) == (("on" if is_reading else "off") + '"$user", public', 0)


def test_a_connection_lost_while_idle_is_replaced_whatever_it_was_for(open_pool: OpenPool) -> None:
    pool = open_pool(pool_max=1)
    connection = pool.getconn()
    pool.putconn(connection)
    connection.close()
    with pool.lending_readers():
        reader = pool.getconn()
    assert query(reader, "SHOW transaction_read_only") == "on"
    pool.putconn(reader)


def test_an_unfinished_transaction_is_rolled_back(open_pool: OpenPool) -> None:
    pool = open_pool(pool_max=1)
    connection = pool.getconn()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE unfinished (x int)")
    pool.putconn(connection)
    assert borrowed_value(pool, "SELECT to_regclass('unfinished')") is None


def test_plain_statements_cost_no_clean_up(open_pool: OpenPool) -> None:
    pool = open_pool(pool_max=1)
    connection = pool.getconn()
    query(connection, "SELECT 1")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 100")
    assert not connection.modified
    connection.commit()
    assert query(connection, "SHOW statement_timeout") == "20s"
    pool.putconn(connection)


def test_connections_are_replaced_at_their_age_limit(open_pool: OpenPool) -> None:
    pool = open_pool(pool_max=1, pool_max_age_seconds=0)
    assert backend(pool) != backend(pool)


def test_surplus_idle_connections_are_closed_down_to_the_minimum(open_pool: OpenPool) -> None:
    pool = open_pool(pool_min=1, pool_max=3, pool_max_idle_seconds=0)
    lent = [pool.getconn() for _ in range(3)]
    for connection in lent:
        pool.putconn(connection)
    assert pool.idle_count == 1


def test_a_long_idle_connection_is_asked_before_it_is_lent(
    open_pool: OpenPool, postgres: ThrowAwayPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("klyx.database.pool.PING_AFTER_IDLE_SECONDS", -1)
    pool = open_pool(pool_max=1)
    first = backend(pool)
    assert backend(pool) == first
    postgres.terminate_backends(f"/{borrowed_value(pool, 'SELECT current_database()')}")
    assert backend(pool) != first


def _in_child(pool: ConnectionPool, lent: Any, answers: multiprocessing.Queue[tuple[int, int]]) -> None:
    pool.putconn(lent)
    answers.put((backend(pool), backend(pool)))


def test_a_fork_neither_uses_nor_ends_the_connections_of_its_parent(open_pool: OpenPool) -> None:
    pool = open_pool(pool_max=2)
    idle = backend(pool)
    lent = pool.getconn()
    other = pool.getconn()
    mine = query(other, "SELECT pg_backend_pid()")
    pool.putconn(lent)
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[tuple[int, int]] = context.Queue()
    child = context.Process(target=_in_child, args=(pool, other, answers))
    child.start()
    first, second = answers.get(timeout=30)
    child.join(30)

    assert first == second
    assert first not in (idle, mine)
    assert query(other, "SELECT pg_backend_pid()") == mine
    pool.putconn(other)
    assert {backend(pool)} <= {idle, mine}


def test_a_closed_pool_lends_nothing_and_closes_what_comes_back(open_pool: OpenPool) -> None:
    pool = open_pool(pool_max=2)
    lent = pool.getconn()
    pool.closeall()
    with pytest.raises(PoolError, match="closed"):
        pool.getconn()
    pool.putconn(lent)
    assert lent.closed
    assert (pool.idle_count, pool.lent_count) == (0, 0)


def test_keys_are_refused(open_pool: OpenPool) -> None:
    with pytest.raises(PoolError, match="keys"):
        open_pool().getconn("mine")


def test_numbers_and_documents_come_out_as_python_values(open_pool: OpenPool) -> None:
    pool = open_pool()
    assert repr(borrowed_value(pool, "SELECT 1.50::numeric")) == "1.5"
    assert borrowed_value(pool, """SELECT '{"b": 1, "a": [null]}'::json""") == {"b": 1, "a": [None]}


def test_a_statement_for_many_rows_and_a_procedure_are_seen(open_pool: OpenPool) -> None:
    pool = open_pool(pool_max=1)
    connection = pool.getconn()
    with connection.cursor() as cursor:
        cursor.executemany("SELECT %s", [(1,), (2,)])
        seen = [connection.modified]
        cursor.callproc("set_config", ("search_path", "nowhere", False))
        seen.append(connection.modified)
    connection.commit()
    assert seen == [False, True]
    pool.putconn(connection)
    assert borrowed_value(pool, "SHOW search_path") != "nowhere"


def test_a_connection_closed_while_idle_is_replaced(open_pool: OpenPool) -> None:
    pool = open_pool(pool_max=1)
    connection = pool.getconn()
    pool.putconn(connection)
    connection.close()
    assert borrowed_value(pool, "SELECT 1") == 1
