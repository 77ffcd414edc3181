"""SQL expressions that lists, search and look-ups share, each in the words of both engines."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import orjson
from sqlalchemy import ColumnElement, String, any_, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

Columns = Any  # what `.c` of a table or subquery gives
Condition = Callable[[Columns], ColumnElement[bool]]


LIKE_ESCAPE = "\\"


def escaped_for_like(text: str) -> str:
    """The text with SQL's wildcards taken literally, for LIKE with LIKE_ESCAPE."""
    for special in (LIKE_ESCAPE, "%", "_"):
        text = text.replace(special, LIKE_ESCAPE + special)
    return text


def by_market_cap(columns: Columns) -> tuple[ColumnElement[Any], ...]:
    """The order of every list: the largest company first, unknown sizes last, and no two alike."""
    return columns.market_cap.desc().nulls_last(), columns.id


def lower_case(dialect_name: str, *, is_ascii: bool) -> Callable[[Any], ColumnElement[str]]:
    """The function that folds letter case so that texts can be compared; `is_ascii` tells of the text asked for.

    PostgreSQL knows the letters of the database's locale. SQLite knows ASCII only, which is enough for a text
    of ASCII; for others it asks Python (see klyx.database.engine), and has no index.
    """
    return func.unicode_lower if dialect_name == "sqlite" and not is_ascii else func.lower


def is_any_of(dialect_name: str, expression: ColumnElement[str], parameter: str) -> ColumnElement[bool]:
    """Whether the text is among those of a parameter (see `texts`): one parameter, however many they are."""
    if dialect_name == "postgresql":
        return expression == any_(cast(bindparam(parameter), ARRAY(TEXT)))
    listed = func.json_each(bindparam(parameter, type_=String)).table_valued("value")
    return expression.in_(select(listed.c.value))


def texts(dialect_name: str, values: Collection[str]) -> Any:
    """The value of a parameter of `is_any_of`."""
    return list(values) if dialect_name == "postgresql" else orjson.dumps(list(values)).decode()
