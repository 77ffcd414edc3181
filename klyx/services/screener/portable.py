"""Expressions that PostgreSQL and SQLite write differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class bytewise(FunctionElement[str]):  # noqa: N801 - used as a function, like SQLAlchemy's own
    """A text, compared by code points instead of by the database's collation."""

    type = String()
    inherit_cache = True
    name = "bytewise"


class iso_moment(FunctionElement[str]):  # noqa: N801
    """A moment as ISO 8601 text in UTC: `2025-01-31T09:30:00Z`."""

    type = String()
    inherit_cache = True
    name = "iso_moment"


@compiles(bytewise)
def _bytewise(element: bytewise, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(bytewise, "postgresql")
def _bytewise_postgresql(element: bytewise, compiler: SQLCompiler, **options: Any) -> str:
    return f'{compiler.process(element.clauses, **options)} COLLATE "C"'


@compiles(iso_moment, "postgresql")
def _iso_moment_postgresql(element: iso_moment, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"""to_char({moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


@compiles(iso_moment, "sqlite")
def _iso_moment_sqlite(element: iso_moment, compiler: SQLCompiler, **options: Any) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%SZ', {compiler.process(element.clauses, **options)})"


def without_tags(text: ColumnElement[Any]) -> ColumnElement[str]:
    """Clients put texts into pages as raw HTML, so nothing may open or close a tag."""
    return func.replace(func.replace(text, "<", ""), ">", "", type_=String())
