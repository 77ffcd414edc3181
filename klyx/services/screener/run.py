"""Running a screen: one statement, whose labelled columns are the result's rows as they go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Label, func, select, true, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from klyx.services.screener.conditions import Screen
from klyx.services.screener.fields import ScreenField, result_fields
from klyx.services.screener.portable import iso_moment, without_tags
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
Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class ScreenResult:
    """`rows` are flat, with the same keys in the same order: `id`, then the headings in `columns`.

    `total_matches` counts the matches on every page, `total_stocks` all stocks of sufficient quality.
    """

    rows: list[dict[str, Cell]]
    columns: tuple[str, ...]
    total_matches: int
    total_stocks: int
    filters_applied: int

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
    matches = (
        select(STOCKS.c.id, STOCKS.c.nse_code, sort_key(screen.sort_by).label("sort_key"))
        .select_from(stocks_with_metadata())
        .where(passes_floor(), compile_group(screen.condition))
        .cte("matches")
    )
    found = matches.columns
    order = in_order(found.sort_key, found.nse_code, found.id, descending=screen.descending)
    page = select(matches).order_by(*order).limit(limit).offset(offset).subquery("page")
    # The totals come with every row, and alone when there is none, so that one statement always tells them.
    totals = select(
        select(func.count()).select_from(matches).scalar_subquery().label("total_matches"),
        select(func.count()).select_from(STOCKS).where(passes_floor()).scalar_subquery().label("total_stocks"),
    ).subquery("totals")
    shown = page.columns
    statement = (
        select(STOCKS.c.id, *(_cell(field) for field in fields), *totals.columns)
        .select_from(
            totals.outerjoin(page, true())
            .outerjoin(STOCKS, STOCKS.c.id == shown.id)
            .outerjoin(METADATA, METADATA.c.stock_id == shown.id)
        )
        .order_by(*in_order(shown.sort_key, shown.nse_code, shown.id, descending=screen.descending))
    )
    rows = session.connection().execute(statement).all()
    total_matches, total_stocks = rows[0][-2:]
    headings = tuple(field.name for field in fields)
    keys = ("id", *headings)
    return ScreenResult(
        # The totals stand after the last key, so zip leaves them out.
        [] if rows[0].id is None else [dict(zip(keys, row, strict=False)) for row in rows],
        headings,
        total_matches,
        total_stocks,
        screen.condition.condition_count,
    )


def matching_ids(session: Session, screen: Screen) -> list[int]:
    """The ids of all matches, ascending."""
    statement = (
        select(STOCKS.c.id)
        .select_from(stocks_with_metadata())
        .where(passes_floor(), compile_group(screen.condition))
        .order_by(STOCKS.c.id)
    )
    return list(session.connection().scalars(statement))


@cache
def _cell(field: ScreenField) -> Label[Any]:
    value: ColumnElement[Any] = field.expression
    if field.is_text:
        value = without_tags(value)
    elif field.kind is Kind.MOMENT:
        value = iso_moment(value)
    # Drivers give plain numbers and texts here; no type means no look at each cell.
    return type_coerce(value, NullType()).label(field.name)
