"""Bringing the schema up to date on request, with what was done in the form callers know."""

from __future__ import annotations

from typing import Any

from klyx.database import Database
from klyx.database.migrations import prepare, status
from klyx.database.schema_record import MigrationError
from klyx.errors import Conflict

APPLIED_BEFORE = "already applied"


def bring_up_to_date(database: Database) -> list[dict[str, Any]]:
    """Apply what is missing; one entry a migration (SQLite: a table). Raises Conflict when it cannot be done."""
    try:
        done = prepare(database)
        known = status(database).applied
    except MigrationError as error:
        raise Conflict(str(error)) from error
    return [
        {"migration": _number(name), "status": "success"}
        if name in done
        else {"migration": _number(name), "status": "skipped", "reason": APPLIED_BEFORE}
        for name in known
    ]


def _number(name: str) -> int | str:
    """0006_market_data -> 6; the name of a table stays."""
    number, _, _ = name.partition("_")
    return int(number) if number.isdigit() else name
