"""Running a screen: one statement, whose labelled columns are the result's rows as they go out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Integer, Label, Select, UnaryExpression, bindparam, func, select, true
from sqlalchemy.orm import Session

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
_TAGS = str.maketrans("", "", "<>")
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
    # The driver's own tuples: rows this wide are dear to wrap, and there is nothing to convert in them.
    connection = session.connection()
    statement = _statement(screen, fields, connection.dialect.name)
    with connection.execute(statement, {"limit": limit, "offset": offset}) as result:
        tuples = result.cursor.fetchall()
    total_matches, total_stocks = tuples[0][-2:]
    headings = tuple(field.name for field in fields)
    keys = ("id", *headings)
    # The totals stand after the last key, so zip leaves them out.
    rows = [] if tuples[0][0] is None else [dict(zip(keys, values, strict=False)) for values in tuples]
    _remove_tags(rows, [field.name for field in fields if field.is_text])
    return ScreenResult(rows, headings, total_matches, total_stocks, screen.condition.condition_count)


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


def _remove_tags(rows: list[dict[str, Cell]], headings: Sequence[str]) -> None:
    """Clients put texts into pages as raw HTML, so nothing may open or close a tag."""
    for heading in headings:
        # One look at a whole column: nearly none has any, and a look at each cell costs more than the rest.
        texts = "".join(cast("Iterator[str]", filter(None, map(itemgetter(heading), rows))))
        if "<" in texts or ">" in texts:
            for row in rows:
                text = row[heading]
                row[heading] = text.translate(_TAGS) if isinstance(text, str) else text


@cache
def _cell(field: ScreenField) -> Label[Any]:
    value = iso_moment(field.expression) if field.kind is Kind.MOMENT else field.expression
    return value.label(field.name)
