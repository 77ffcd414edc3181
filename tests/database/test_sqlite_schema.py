"""Making a SQLite file, and bringing an older one up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from klyx.database.migrations import initialise, migrate, prepare, status
from klyx.database.models import Base, DebtScenario, Stock, StockMetadata, User
from klyx.database.schema_record import MigrationError
from tests.database.conftest import OpenDatabase

TABLES = {table.name for table in Base.metadata.sorted_tables}


def definition_of(path: str) -> set[tuple[str, str, str]]:
    """Everything the file is made of: kind, name and SQL with the blanks of a rename undone."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {(kind, name, " ".join(sql.replace('"', "").split())) for kind, name, sql in rows}


def run(path: str, *statements: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.fixture
def path(sqlite_url: str) -> str:
    return sqlite_url.removeprefix("sqlite:///")


def test_a_new_file_gets_every_table_and_its_folder(
    sqlite_url: str, path: str, open_database: OpenDatabase
) -> None:
    database = open_database(sqlite_url)
    before = status(database)
    assert (before.dialect_name, before.applied, set(before.pending)) == ("sqlite", (), TABLES)
    assert set(initialise(database)) == TABLES
    after = status(database)
    assert (set(after.applied), after.pending) == (TABLES, ())
    assert {("view", "screener_view"), ("trigger", "stock_metadata_updated_at")} < {
        (kind, name) for kind, name, _ in definition_of(path)
    }


def test_a_file_is_set_up_only_once(sqlite_url: str, open_database: OpenDatabase) -> None:
    database = open_database(sqlite_url)
    initialise(database)
    with pytest.raises(MigrationError, match="already set up"):
        initialise(database)
    assert migrate(database) == ()


def test_an_older_file_becomes_the_same_as_a_new_one_and_keeps_its_rows(
    sqlite_url: str, path: str, open_database: OpenDatabase, tmp_path: Path
) -> None:
    database = open_database(sqlite_url)
    initialise(database)
    with database.begin() as session:
        session.add(User(id="u1", email="a@example.org", name="A", password_hash="x"))
        session.add(Stock(id=7, stock_name="Adani Ports", nse_code="ADANIPORTS", pe_ttm=21.5))
        session.flush()
        session.add(StockMetadata(stock_id=7, week_52_high=1500.25))
        session.add(DebtScenario(user_id="u1", name="Current", debts="[]", monthly_budget=10))
    database.dispose()
    # What an earlier version might have left: fewer columns, checks, indexes and tables.
    run(
        path,
        "DROP VIEW screener_view",
        "DROP INDEX ix_stocks_pe_ttm",
        "CREATE TABLE older (id INTEGER PRIMARY KEY, stock_name TEXT, nse_code TEXT, pe_ttm NUMERIC, gone TEXT)",
        "INSERT INTO older SELECT id, stock_name, nse_code, pe_ttm, 'x' FROM stocks",
        "DROP TABLE stocks",
        "ALTER TABLE older RENAME TO stocks",
        "CREATE INDEX ix_stocks_stock_name ON stocks (stock_name)",
        "DROP TABLE chat_messages",
        "DELETE FROM schema_migrations WHERE version IN ('stocks', 'chat_messages')",
    )
    reopened = open_database(sqlite_url)
    assert set(status(reopened).pending) == {"stocks", "chat_messages"}
    assert set(prepare(reopened)) == {"stocks", "chat_messages"}

    new = open_database(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    initialise(new)
    assert definition_of(path) == definition_of(str(tmp_path / "new.sqlite3"))
    with reopened.read() as session:
        stock = session.scalars(select(Stock)).one()
        facts = session.scalars(select(StockMetadata)).one()
        assert (stock.id, stock.nse_code, stock.pe_ttm, facts.week_52_high) == (7, "ADANIPORTS", 21.5, 1500.25)
        assert session.scalars(select(DebtScenario.name)).all() == ["Current"]


def test_a_rebuilt_table_keeps_the_rows_that_refer_to_it(
    sqlite_url: str, path: str, open_database: OpenDatabase
) -> None:
    database = open_database(sqlite_url)
    initialise(database)
    with database.begin() as session:
        session.add(User(id="u1", email="a@example.org", name="A", password_hash="x"))
        session.flush()
        session.add(DebtScenario(user_id="u1", name="Current", debts="[]", monthly_budget=10))
    database.dispose()
    run(path, "DELETE FROM schema_migrations WHERE version = 'users'")
    assert migrate(database) == ("users",)
    with database.begin() as session:
        assert session.scalars(select(DebtScenario.user_id)).all() == ["u1"]
        session.delete(session.get_one(User, "u1"))
    with database.read() as session:
        assert session.scalars(select(DebtScenario.user_id)).all() == []


def test_rows_that_break_a_new_rule_stop_the_change_and_stay(
    sqlite_url: str, path: str, open_database: OpenDatabase
) -> None:
    database = open_database(sqlite_url)
    initialise(database)
    database.dispose()
    run(
        path,
        "PRAGMA ignore_check_constraints = ON",
        "INSERT INTO stocks (stock_name, momentum_score) VALUES ('A', 500)",
        "DELETE FROM schema_migrations WHERE version = 'stocks'",
    )
    before = definition_of(path)
    with pytest.raises(MigrationError, match=r"Rows of stocks break a rule that is new.*momentum_score_range"):
        migrate(database)
    assert definition_of(path) == before
    with database.read() as session:
        assert session.scalars(select(Stock.momentum_score)).all() == [500]


def test_dangling_references_stop_the_change(sqlite_url: str, path: str, open_database: OpenDatabase) -> None:
    database = open_database(sqlite_url)
    initialise(database)
    database.dispose()
    run(
        path,
        "INSERT INTO stock_metadata (stock_id) VALUES (99)",
        "DELETE FROM schema_migrations WHERE version = 'stocks'",
    )
    with pytest.raises(MigrationError, match="A row of stock_metadata refers to a row of stocks"):
        migrate(database)
