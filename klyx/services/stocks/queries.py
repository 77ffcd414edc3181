"""Lists, search, single stocks and batches: one statement each, built once per shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Integer, Select, String, bindparam, func, select
from sqlalchemy.orm import Session

from klyx.database.dialect import NUMBERS_AS_TEXT
from klyx.database.models import Stock, StockMetadata
from klyx.errors import Invalid, NotFound
from klyx.services.analysis.text import normalise_nse_code
from klyx.services.stocks.expressions import Columns, Condition, by_market_cap
from klyx.services.stocks.matching import NameIndex, StockReference, are_ascii, name_parameters, possible_matches
from klyx.services.stocks.search import LARGEST_LOOKED_AT, Search, by_rank, search_parameters
from klyx.services.stocks.union import STOCK_COLUMNS, StockObject, StockRow, union_object

DEFAULT_MIN_QUALITY = 30
MAX_BATCH_NAMES = 500
MAX_NAME_CHARACTERS = 255
# What a page asks for when it could not read which stock was clicked.
_NO_SYMBOLS = frozenset({"undefined", "null"})
_STOCKS = Stock.__table__
_AS_TEXT = {NUMBERS_AS_TEXT: True}
_REFERENCE_POSITIONS = tuple(
    next(position for position, column in enumerate(STOCK_COLUMNS) if column.name == name)
    for name in ("id", "stock_name", "nse_code", "sector_name", "isin")
)


@dataclass(frozen=True, slots=True)
class StockBatch:
    """One stock per distinct known name, in the order of the names; `missing` are the unknown names."""

    rows: list[StockRow]
    missing: list[str]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a list is narrowed by; lists of one shape share a statement and differ in its parameters."""

    dialect_name: str
    in_sector: bool
    has_floor: bool
    is_search: bool
    is_ascii: bool
    is_deep: bool = False


def select_stocks(ids: FromClause | None = None) -> Select[Any]:
    """The statement whose rows are StockRows, of all stocks or of those with these ids."""
    stocks = _STOCKS if ids is None else ids.join(_STOCKS, _STOCKS.c.id == ids.c.id)
    return select(*STOCK_COLUMNS).select_from(stocks.outerjoin(StockMetadata, StockMetadata.stock_id == _STOCKS.c.id))


def list_stocks(
    session: Session,
    *,
    limit: int,
    offset: int = 0,
    sector: str | None = None,
    search: str | None = None,
    min_quality: int | None = None,
) -> Sequence[StockRow]:
    """A page of stocks, the largest first; with `search` the best matches first.

    Without `min_quality` (0-100, an unknown score counts as 0) a plain list asks for 30 and a search
    for nothing, since a person who names a stock wants it however little is known of it.
    """
    shape, parameters = _narrowed(session, sector, search, min_quality)
    if search and limit + offset > LARGEST_LOOKED_AT:
        shape = replace(shape, is_deep=True)
    return _rows(session, _page_statement(shape), {**parameters, "limit": limit, "offset": offset})


def count_stocks(
    session: Session, *, sector: str | None = None, search: str | None = None, min_quality: int | None = None
) -> int:
    """How many stocks `list_stocks` has in all its pages."""
    shape, parameters = _narrowed(session, sector, search, min_quality)
    return session.scalar(_count_statement(shape), parameters) or 0


def known_total(found: int, *, limit: int, offset: int) -> int | None:
    """The total that a page with `found` stocks tells by itself because it is the last one, else None."""
    return offset + found if found < limit and (found > 0 or offset == 0) else None


def find_stock(session: Session, nse_code: str) -> StockObject:
    """The stock with this symbol, in any letter case, with or without `.NS` or `.BO`. Raises NotFound."""
    code = None if nse_code.strip().lower() in _NO_SYMBOLS else normalise_nse_code(nse_code)
    found = _rows(session, _SINGLE_STATEMENT, {"code": code}) if code else []
    if not found:
        raise NotFound("There is no stock with this symbol. Please check it or search for the company's name.")
    return union_object(found[0])


def batch(session: Session, names: Sequence[str]) -> StockBatch:
    """The stocks with these names (see NameIndex.find). Raises Invalid for too many."""
    if len(names) > MAX_BATCH_NAMES:
        raise Invalid(f"Please ask for at most {MAX_BATCH_NAMES} stocks at a time.")
    distinct = list(dict.fromkeys(names))
    if not distinct:
        return StockBatch([], [])
    dialect_name = session.get_bind().dialect.name
    statement = _batch_statement(dialect_name, are_ascii=are_ascii(distinct))
    rows = _rows(session, statement, name_parameters(dialect_name, distinct))
    by_reference = {_reference(row): row for row in rows}
    find = NameIndex(list(by_reference)).find
    found = {name: by_reference[reference] for name in distinct if (reference := find(name))}
    return StockBatch(list(found.values()), [name for name in distinct if name not in found])


def _reference(row: StockRow) -> StockReference:
    key, *names = (row[position] for position in _REFERENCE_POSITIONS)
    return StockReference(int(key), *names)


def _narrowed(
    session: Session, sector: str | None, search: str | None, min_quality: int | None
) -> tuple[_Shape, dict[str, Any]]:
    floor = min_quality if min_quality is not None else (0 if search else DEFAULT_MIN_QUALITY)
    parameters: dict[str, Any] = search_parameters(search) if search else {}
    if sector:
        parameters["sector"] = sector
    if floor > 0:
        parameters["floor"] = floor
    shape = _Shape(
        dialect_name=session.get_bind().dialect.name,
        in_sector=bool(sector),
        has_floor=floor > 0,
        is_search=bool(search),
        is_ascii=not search or search.isascii(),
    )
    return shape, parameters


def _in_sector(columns: Columns) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = columns.sector_name == bindparam("sector", type_=String)
    return condition


def _reaches_floor(columns: Columns) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = columns.data_quality_score >= bindparam("floor", type_=Integer)
    return condition


def _has_symbol(columns: Columns) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = columns.nse_code.is_not(None)
    return condition


@cache
def _page_statement(shape: _Shape) -> Select[Any]:
    """The ids of the page first, from indexes alone where possible; then their rows, which are wide."""
    by = by_rank if shape.is_search else by_market_cap
    if shape.is_search:
        candidates = _candidates(shape)
        chosen = select(candidates).order_by(*by(candidates.c))
    else:
        columns = _STOCKS.c
        conditions = (condition(columns) for condition in _conditions(shape))
        chosen = select(columns.id, columns.market_cap).where(*conditions).order_by(*by(columns))
    limit, offset = bindparam("limit", type_=Integer), bindparam("offset", type_=Integer)
    page = chosen.limit(limit).offset(offset).subquery("page")
    return select_stocks(page).order_by(*by(page.c))


@cache
def _count_statement(shape: _Shape) -> Select[Any]:
    conditions = _conditions(shape)
    if shape.is_search:
        conditions.append(Search(shape.dialect_name, is_ascii=shape.is_ascii).matches)
    return select(func.count()).select_from(_STOCKS).where(*(condition(_STOCKS.c) for condition in conditions))


def _candidates(shape: _Shape) -> FromClause:
    search = Search(shape.dialect_name, is_ascii=shape.is_ascii)
    if shape.is_deep or shape.dialect_name != "postgresql":
        return search.candidates(_STOCKS, *_conditions(shape))
    floor = (_reaches_floor,) if shape.has_floor else ()
    return search.best_candidates(_in_sector if shape.in_sector else None, *floor)


def _conditions(shape: _Shape) -> list[Condition]:
    conditions: list[Condition] = []
    if not shape.is_search:
        # The clients' lists are keyed by symbol, so stocks without one can only be searched for.
        conditions.append(_has_symbol)
    if shape.in_sector:
        conditions.append(_in_sector)
    if shape.has_floor:
        conditions.append(_reaches_floor)
    return conditions


_SINGLE_STATEMENT = select_stocks().where(_STOCKS.c.nse_code == bindparam("code", type_=String))


@cache
def _batch_statement(dialect_name: str, *, are_ascii: bool) -> Select[Any]:
    # Of several stocks with one name the largest is meant.
    named = possible_matches(dialect_name, are_ascii=are_ascii)
    return select_stocks().where(named).order_by(*by_market_cap(_STOCKS.c))


def _rows(session: Session, statement: Select[Any], parameters: Mapping[str, Any]) -> Sequence[StockRow]:
    """The driver's own tuples: `encode_stocks` knows their types, and rows of 90 columns are dear to wrap."""
    with session.connection().execute(statement, parameters, execution_options=_AS_TEXT) as result:
        return result.cursor.fetchall()
