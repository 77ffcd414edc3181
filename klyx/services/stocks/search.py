"""Search by name and symbol: what matches, how matches rank, and from which indexes they are read.

The values of a search are parameters (see `search_parameters`), so that each statement is built once.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    bindparam,
    case,
    func,
    or_,
    select,
    union,
)

from klyx.database.models import Stock
from klyx.services.analysis.text import normalise_nse_code
from klyx.services.stocks.expressions import (
    LIKE_ESCAPE,
    Columns,
    Condition,
    by_market_cap,
    escaped_for_like,
    lower_case,
)

# Where the text is found decides first, then the market cap.
_SAME_LETTERS, _SAME_NAME, _SAME_SYMBOL, _BEGINS, _CONTAINS = range(5)
# So many of the largest companies are looked at before an index of texts is asked. When those have too few
# matches for the page, matches are rare, and the index finds few.
LARGEST_LOOKED_AT = 2000
_SEARCH = bindparam("search", type_=String)
_CODE = bindparam("code", type_=String)
_BEGINNING = bindparam("beginning", type_=String)
_CONTAINED = bindparam("contained", type_=String)
_WANTED = bindparam("limit", type_=Integer) + bindparam("offset", type_=Integer)


def search_parameters(search: str) -> dict[str, str]:
    """The values of a search's parameters; wildcards of SQL in the text are taken literally."""
    escaped = escaped_for_like(search)
    return {
        "search": search,
        "code": normalise_nse_code(search) or "",
        "beginning": f"{escaped}%",
        "contained": f"%{escaped}%",
    }


def by_rank(candidates: Columns) -> tuple[ColumnElement[Any], ...]:
    """The order of a search's answer: the best match first."""
    return candidates.rank, *by_market_cap(candidates)


class Search:
    """Conditions and candidates of a search in the words of one engine."""

    def __init__(self, dialect_name: str, *, is_ascii: bool) -> None:
        self._is_postgresql = dialect_name == "postgresql"
        self._lower = lower_case(dialect_name, is_ascii=is_ascii)

    def matches(self, columns: Columns) -> ColumnElement[bool]:
        """Whether the text is part of the name or symbol, or another spelling of the symbol."""
        # ILIKE on the column itself is what the trigram index understands.
        contained = columns.stock_name.ilike(_CONTAINED, escape=LIKE_ESCAPE)
        if not self._is_postgresql:
            contained = self._name_like(columns, _CONTAINED)
        return or_(contained, _symbol_like(columns, _CONTAINED), columns.nse_code == _CODE)

    def candidates(self, where: FromClause, *conditions: Condition) -> FromClause:
        """`id`, `market_cap` and `rank` of every match in `where`, a table or subquery."""
        return self._ranked(where, self.matches, *conditions).subquery("candidates")

    def best_candidates(self, sector: Condition | None, *conditions: Condition) -> FromClause:
        """As `candidates`, but no more than the parameters `limit` and `offset` make necessary.

        Matches are read from one index after another, and a step is left out when those before it have found
        enough. Each finds all that ranks before what later ones could add, so the page is exact.
        """
        stocks = Stock.__table__
        if sector:
            conditions = (*conditions, sector)
        exact = self._ranked(stocks, self._is_named, *conditions).cte("exact")
        largest = self._step("largest", exact, _largest_companies(sector), self.matches, *conditions)
        first = union(select(exact), select(largest)).cte("first")
        at_the_beginning = first.c.rank <= _BEGINS
        beginning = self._step("beginning", first, stocks, self._begins, *conditions, counted=at_the_beginning)
        found = union(select(first), select(beginning)).cte("found")
        containing = self._step("containing", found, stocks, self.matches, *conditions)
        return union(select(found), select(containing)).subquery("candidates")

    def _step(
        self,
        name: str,
        found: CTE,
        where: FromClause,
        *conditions: Condition,
        counted: ColumnElement[bool] | None = None,
    ) -> CTE:
        """The best matches in `where`, or nothing when those found already fill the page."""
        number = select(func.count()).select_from(found)
        if counted is not None:
            number = number.where(counted)
        matches = self._ranked(where, *conditions).where(number.scalar_subquery() < _WANTED)
        return matches.order_by(*by_rank(matches.selected_columns)).limit(_WANTED).cte(name)

    def _ranked(self, where: FromClause, *conditions: Condition) -> Select[Any]:
        columns = where.c
        rank = case(
            (columns.stock_name == _SEARCH, _SAME_LETTERS),
            (self._lower(columns.stock_name) == self._lower(_SEARCH), _SAME_NAME),
            (columns.nse_code == _CODE, _SAME_SYMBOL),
            (self._begins(columns), _BEGINS),
            else_=_CONTAINS,
        )
        return select(columns.id, columns.market_cap, rank.label("rank")).where(
            *(condition(columns) for condition in conditions)
        )

    def _is_named(self, columns: Columns) -> ColumnElement[bool]:
        return or_(self._lower(columns.stock_name) == self._lower(_SEARCH), columns.nse_code == _CODE)

    def _begins(self, columns: Columns) -> ColumnElement[bool]:
        return or_(self._name_like(columns, _BEGINNING), _symbol_like(columns, _BEGINNING))

    def _name_like(self, columns: Columns, pattern: ColumnElement[str]) -> ColumnElement[bool]:
        return self._lower(columns.stock_name).like(self._lower(pattern), escape=LIKE_ESCAPE)


def _symbol_like(columns: Columns, pattern: ColumnElement[str]) -> ColumnElement[bool]:
    # Symbols are stored in upper case.
    like: ColumnElement[bool] = columns.nse_code.like(func.upper(pattern), escape=LIKE_ESCAPE)
    return like


def _largest_companies(sector: Condition | None) -> FromClause:
    """What an index of market caps holds of them, without a look at the table."""
    columns = Stock.__table__.c
    read = select(columns.id, columns.market_cap, columns.stock_name, columns.nse_code, columns.data_quality_score)
    if sector:
        read = read.add_columns(columns.sector_name).where(sector(columns))
    return read.order_by(*by_market_cap(columns)).limit(LARGEST_LOOKED_AT).subquery("largest_companies")
