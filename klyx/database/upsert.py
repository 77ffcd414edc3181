"""Insert rows unless they exist, in one statement, on both engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import CursorResult
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
