"""Insert rows unless they exist, in place of those that do, or on top of them, in one statement, on both engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

# Rows are given apart from the statement: so many go out in batches, no engine's limit of parameters is met, and the
# statement, made and compiled once, serves the next call too. Only with RETURNING is a batch one statement for
# psycopg2, and not one a row.


def insert_if_absent(session: Session, model: type[Any], rows: Sequence[dict[str, Any]]) -> int:
    """Insert `rows`, leaving out those that would break a unique constraint; returns how many were new.

    A race between two callers ends with one row and no error, which a look-up before an insert cannot promise.
    """
    if not rows:
        return 0
    statement = _inserting_if_absent(_dialect(session), model.__table__, tuple(rows[0]))
    return len(session.execute(statement, list(rows)).all())


def upsert(session: Session, model: type[Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert `rows`; one whose primary key exists replaces the other columns it names. All name the same."""
    if rows:
        statement = _replacing(_dialect(session), model.__table__, tuple(rows[0]))
        session.execute(statement, list(rows)).close()


def add_up(session: Session, model: type[Any], row: Mapping[str, Any]) -> None:
    """Insert `row`; when its primary key exists, its other columns, all numbers, are added to what is there."""
    session.execute(_adding(_dialect(session), model.__table__, tuple(row)), dict(row))


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name


@cache
def _inserting_if_absent(dialect_name: str, table: Table, names: tuple[str, ...]) -> Executable:
    return _insert(dialect_name, table, names).on_conflict_do_nothing().returning(_keys(table)[0])


@cache
def _replacing(dialect_name: str, table: Table, names: tuple[str, ...]) -> Executable:
    statement, keys = _insert(dialect_name, table, names), _keys(table)
    replaced = {name: statement.excluded[name] for name in names if not table.c[name].primary_key}
    return statement.on_conflict_do_update(index_elements=keys, set_=replaced).returning(keys[0])


@cache
def _adding(dialect_name: str, table: Table, names: tuple[str, ...]) -> Executable:
    statement = _insert(dialect_name, table, names)
    sums = {name: table.c[name] + statement.excluded[name] for name in names if not table.c[name].primary_key}
    return statement.on_conflict_do_update(index_elements=_keys(table), set_=sums)


def _insert(dialect_name: str, table: Table, names: tuple[str, ...]) -> postgresql.Insert | sqlite.Insert:
    statement = postgresql.insert(table) if dialect_name == "postgresql" else sqlite.insert(table)
    # Named here as well, because names that come with the rows alone are not checked against the table.
    return statement.values({name: bindparam(name) for name in names})


def _keys(table: Table) -> list[ColumnElement[Any]]:
    return list(table.primary_key.columns)
