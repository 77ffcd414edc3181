"""Lists, search and single stocks, as stock objects. Each is one SELECT of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from klyx.database.models import Stock, StockMetadata
from klyx.errors import Invalid, NotFound
from klyx.services.analysis.text import normalise_nse_code
from klyx.services.stocks.matching import BY_MARKET_CAP, look_up_names
from klyx.services.stocks.union import STOCK_COLUMNS, StockObject, union_object

DEFAULT_MIN_QUALITY = 30
MAX_BATCH_NAMES = 500
MAX_NAME_CHARACTERS = 255
# What a page asks for when it could not read which stock was clicked.
_NO_SYMBOLS = frozenset({"undefined", "null"})
_ESCAPE = "\\"


@dataclass(frozen=True, slots=True)
class StockPage:
    """A part of a list; `total` counts the whole list."""

    stocks: list[StockObject]
    total: int


@dataclass(frozen=True, slots=True)
class StockBatch:
    """One stock per distinct known name, in the order of the names; `missing` are the unknown names."""

    stocks: list[StockObject]
    missing: list[str]


def select_stocks() -> Select[Any]:
    """The statement whose rows `union_object` reads; narrow and order it further."""
    joined = Stock.__table__.outerjoin(StockMetadata.__table__, StockMetadata.stock_id == Stock.id)
    return select(*STOCK_COLUMNS).select_from(joined)


def list_stocks(
    session: Session,
    *,
    limit: int,
    offset: int = 0,
    sector: str | None = None,
    search: str | None = None,
    min_quality: int | None = None,
) -> StockPage:
    """Stocks, the largest first; with `search` the best matches first.

    Without `min_quality` (0-100, an unknown score counts as 0) a plain list asks for 30 and a search
    for nothing, since a person who names a stock wants it however little is known of it.
    """
    conditions: list[ColumnElement[bool]] = []
    ranking: list[ColumnElement[int]] = []
    if search:
        conditions.append(_matches(search))
        ranking.append(_rank(search))
    else:
        # The clients' lists are keyed by symbol, so stocks without one can only be searched for.
        conditions.append(Stock.nse_code.is_not(None))
    if sector:
        conditions.append(Stock.sector_name == sector)
    floor = min_quality if min_quality is not None else (0 if search else DEFAULT_MIN_QUALITY)
    if floor > 0:
        conditions.append(Stock.data_quality_score >= floor)
    page = select_stocks().where(*conditions).order_by(*ranking, *BY_MARKET_CAP).limit(limit).offset(offset)
    stocks = _objects(session, page)
    total = session.scalar(select(func.count()).select_from(Stock).where(*conditions)) or 0
    return StockPage(stocks, total)


def _like(text: str) -> str:
    for special in (_ESCAPE, "%", "_"):
        text = text.replace(special, _ESCAPE + special)
    return text


def _matches(search: str) -> ColumnElement[bool]:
    pattern = f"%{_like(search)}%"
    return or_(
        Stock.stock_name.ilike(pattern, escape=_ESCAPE),
        Stock.nse_code.ilike(pattern, escape=_ESCAPE),
        Stock.nse_code == (normalise_nse_code(search) or ""),
    )


def _rank(search: str) -> ColumnElement[int]:
    """Exact name, exact symbol, prefix, the rest; letter case only decides between equal names."""
    prefix = f"{_like(search)}%"
    return case(
        (Stock.stock_name == search, 0),
        (func.lower(Stock.stock_name) == func.lower(search), 1),
        (Stock.nse_code == (normalise_nse_code(search) or ""), 2),
        (or_(Stock.stock_name.ilike(prefix, escape=_ESCAPE), Stock.nse_code.ilike(prefix, escape=_ESCAPE)), 3),
        else_=4,
    )


def find_stock(session: Session, nse_code: str) -> StockObject:
    """The stock with this symbol, in any letter case, with or without `.NS` or `.BO`. Raises NotFound."""
    code = None if nse_code.strip().lower() in _NO_SYMBOLS else normalise_nse_code(nse_code)
    found = _objects(session, select_stocks().where(Stock.nse_code == code)) if code else []
    if not found:
        raise NotFound("There is no stock with this symbol. Please check it or search for the company's name.")
    return found[0]


def batch(session: Session, names: Sequence[str]) -> StockBatch:
    """The stocks with these names (exact, else symbol, else in another letter case). Raises Invalid for too many."""
    if len(names) > MAX_BATCH_NAMES:
        raise Invalid(f"Please ask for at most {MAX_BATCH_NAMES} stocks at a time.")
    references = look_up_names(session, names)
    ids = {reference.id for reference in references.values()}
    by_id = {stock["id"]: stock for stock in _objects(session, select_stocks().where(Stock.id.in_(ids)))} if ids else {}
    distinct = list(dict.fromkeys(names))
    return StockBatch(
        [by_id[references[name].id] for name in distinct if name in references],
        [name for name in distinct if name not in references],
    )


def _objects(session: Session, statement: Select[Any]) -> list[StockObject]:
    return [union_object(row) for row in session.execute(statement)]
