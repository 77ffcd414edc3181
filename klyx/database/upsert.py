"""Insert rows unless they exist, or in place of those that do, in one statement, on both engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert_if_absent(session: Session, model: type[Any], rows: Sequence[dict[str, Any]]) -> int:
    """Insert `rows`, leaving out those that would break a unique constraint; returns how many were new.

    A race between two callers ends with one row and no error, which a look-up before an insert cannot promise.
    """
    if not rows:
        return 0
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    result = session.execute(make(model.__table__).values(list(rows)).on_conflict_do_nothing())
    return cast("CursorResult[None]", result).rowcount


def upsert(session: Session, model: type[Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert `rows`; one whose primary key exists replaces the other columns it names. All name the same."""
    if not rows:
        return
    table: Table = model.__table__
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    keys = [column.name for column in table.primary_key]
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    # Given apart from the statement, many rows go out in batches, and no engine's limit of parameters is met.
    # Only with RETURNING is a batch one statement for psycopg2, and not one a row.
    upserting = statement.on_conflict_do_update(index_elements=keys, set_=replaced).returning(table.c[keys[0]])
    session.execute(upserting, list(rows)).close()
