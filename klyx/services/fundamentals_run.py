"""The run that keeps the statements of all stocks: of the company alone and of its group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, get_args

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from klyx.database import Database
from klyx.database.models import FundamentalsCache, Stock
from klyx.database.types import utc_now
from klyx.database.versions import FUNDAMENTALS
from klyx.services.fundamentals import STAND_IN, Search, search, store
from klyx.services.market_runs.choosing import choose
from klyx.services.market_runs.kinds import Chosen, Fetched, Item, Selection, StockWork, WorkContext
from klyx.sources.base import (
    Deadline,
    SourceCircuitOpen,
    SourceRateLimited,
    StatementKind,
    StatementSource,
)

KINDS: tuple[StatementKind, ...] = get_args(StatementKind)
# Enough for the turns of some twenty requests between those of other stocks.
FETCH_SECONDS = 150.0
# Statements come out once a year; the run comes once a week.
FRESH_FOR = timedelta(days=6)
NO_SOURCE = "No source of statements is switched on."
OK = "ok"


def select_stocks(session: Session, selection: Selection) -> Sequence[Chosen]:
    """Stocks for which one kind was not fetched for six days, or from a source that stood in for a better one only;
    the largest first; with `everything` all of them."""
    fresh = select(func.count()).where(
        FundamentalsCache.symbol == Stock.nse_code,
        FundamentalsCache.fetched_at >= utc_now() - FRESH_FOR,
        FundamentalsCache.payload[STAND_IN].as_boolean().is_not(true()),
    )
    return choose(session, selection, fresh.correlate(Stock).scalar_subquery() < len(KINDS))


def fetch(context: WorkContext, item: Item) -> Fetched:
    """Both kinds, one after the other. Raises what says that every source wants a rest."""
    sources = context.sources.giving(StatementSource)  # type: ignore[type-abstract]
    if not sources:
        return Fetched(item, error=NO_SOURCE)
    found = [search(sources, item.nse_code, kind, Deadline(FETCH_SECONDS)) for kind in KINDS]
    failures = [one.failure for one in found if one.has_failed]
    if len(failures) == len(found) and isinstance(failures[0], SourceRateLimited | SourceCircuitOpen):
        raise failures[0]
    if len(failures) == len(found):
        return Fetched(item, outcomes=_outcomes(found), error=f"{failures[0]}.")
    return Fetched(item, found, _outcomes(found))


def _outcomes(found: Sequence[Search]) -> dict[str, str]:
    """Of each source the worse of its two answers; that it has no statements of one kind is no failure."""
    outcomes: dict[str, str] = {}
    for one in found:
        for slug, outcome in one.outcomes.items():
            told = OK if outcome == "SymbolUnknown" else outcome
            outcomes[slug] = told if outcomes.get(slug, OK) == OK else outcomes[slug]
    return outcomes


def store_all(session: Session, fetched: Sequence[Fetched]) -> None:
    for stock in fetched:
        for found in stock.value or ():
            store(session, found)


def finish(database: Database) -> Mapping[str, Any]:
    """How many statements are kept."""
    with database.read() as session:
        return {"statements_kept": session.scalar(select(func.count()).select_from(FundamentalsCache)) or 0}


WORK = StockWork(select_stocks, fetch, store_all, finish, changing=(FUNDAMENTALS,))
