"""Running a screen: one statement, whose labelled columns are the result's rows as they go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

import orjson
from sqlalchemy import Integer, Label, Select, UnaryExpression, bindparam, func, select, true
from sqlalchemy.orm import Session

from klyx.database.dialect import NUMBERS_AS_TEXT
from klyx.services.json_rows import Column, RowEncoder
from klyx.services.screener.conditions import Screen
from klyx.services.screener.fields import ScreenField, result_fields
from klyx.services.screener.portable import iso_moment
from klyx.services.screener.sql import (
    METADATA,
    STOCKS,
    compile_group,
    in_order,
    passes_floor,
    sort_key,
    stocks_with_metadata,
)
from klyx.services.stocks import Kind

MAX_ROWS = 500
# Presets, and the screens people come back to; SQLAlchemy keeps the compiled text of more.
_STATEMENTS_KEPT = 15
Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class ScreenResult:
    """`encoded` is the JSON array of the rows, flat, with the same keys in the same order: `id`, then the headings in
    `columns`.

    `total_matches` counts the matches on every page, `total_stocks` all stocks of sufficient quality.
    """

    encoded: bytes
    columns: tuple[str, ...]
    total_matches: int
    total_stocks: int
    filters_applied: int

    @property
    def rows(self) -> list[dict[str, Cell]]:
        rows: list[dict[str, Cell]] = orjson.loads(self.encoded)
        return rows

    @property
    def match_rate(self) -> str:
        """e.g. "0.6%"; "0%" when there are no stocks."""
        return f"{100 * self.total_matches / self.total_stocks:.1f}%" if self.total_stocks else "0%"


def run_screen(
    session: Session, screen: Screen, *, limit: int, offset: int = 0, columns: Sequence[str] | None = None
) -> ScreenResult:
    """One page of the matches, with all of a row's columns or name, symbol and those named.

    Raises Invalid for an unknown column.
    """
    fields = result_fields(columns)
    # The driver's own tuples: rows this wide are dear to wrap, and there is nothing to convert in them.
    connection = session.connection()
    statement = _statement(screen, fields, connection.dialect.name)
    paging = {"limit": limit, "offset": offset}
    with connection.execute(statement, paging, execution_options={NUMBERS_AS_TEXT: True}) as result:
        tuples = result.cursor.fetchall()
    total_matches, total_stocks = map(int, tuples[0][-2:])
    # The totals stand after the last column, where the encoder does not look.
    encoded = _encoder(fields).encode([] if tuples[0][0] is None else tuples)
    headings = tuple(field.name for field in fields)
    return ScreenResult(encoded, headings, total_matches, total_stocks, screen.condition.condition_count)


def matching_ids(session: Session, screen: Screen) -> list[int]:
    """The ids of all matches, ascending."""
    statement = (
        select(STOCKS.c.id)
        .select_from(stocks_with_metadata())
        .where(passes_floor(), compile_group(screen.condition))
        .order_by(STOCKS.c.id)
    )
    return list(session.connection().scalars(statement))


@lru_cache(maxsize=_STATEMENTS_KEPT)
def _statement(screen: Screen, fields: tuple[ScreenField, ...], dialect_name: str) -> Select[Any]:
    """Per row the id, the fields, and both totals; a page without rows is one row of nulls and the totals."""
    matches = (
        select(STOCKS.c.id, STOCKS.c.nse_code, sort_key(screen.sort_by).label("sort_key"))
        .select_from(stocks_with_metadata())
        .where(passes_floor(), compile_group(screen.condition))
        .cte("matches")
    )
    order = partial(_in_order, descending=screen.descending)
    limit, offset = bindparam("limit", type_=Integer), bindparam("offset", type_=Integer)
    page = select(matches).order_by(*order(matches.c)).limit(limit).offset(offset).subquery("page")
    totals = select(
        select(func.count()).select_from(matches).scalar_subquery().label("total_matches"),
        select(func.count()).select_from(STOCKS).where(passes_floor()).scalar_subquery().label("total_stocks"),
    ).subquery("totals")
    rows = select(STOCKS.c.id, *(_cell(field) for field in fields))
    if dialect_name == "postgresql":
        # OFFSET keeps the planner from reading and hashing all stocks once more to find the rows of a page.
        row = rows.select_from(stocks_with_metadata()).where(STOCKS.c.id == page.c.id).offset(0).lateral("row")
        found = select(*row.c, *totals.c).select_from(totals.outerjoin(page, true()).outerjoin(row, true()))
    else:
        found = rows.add_columns(*totals.c).select_from(
            totals.outerjoin(page, true())
            .outerjoin(STOCKS, STOCKS.c.id == page.c.id)
            .outerjoin(METADATA, METADATA.c.stock_id == page.c.id)
        )
    return found.order_by(*order(page.c))


def _in_order(columns: Any, *, descending: bool) -> tuple[UnaryExpression[Any], ...]:
    return in_order(columns.sort_key, columns.nse_code, columns.id, descending=descending)


@lru_cache(maxsize=_STATEMENTS_KEPT)
def _encoder(fields: tuple[ScreenField, ...]) -> RowEncoder:
    columns = [Column((field.name,), field.is_number) for field in fields]
    return RowEncoder([Column(("id",), is_number=True), *columns])


@cache
def _cell(field: ScreenField) -> Label[Any]:
    value = iso_moment(field.expression) if field.kind is Kind.MOMENT else field.expression
    return value.label(field.name)
