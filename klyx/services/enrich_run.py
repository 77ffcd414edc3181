"""The run that completes the figures of stocks from all sources at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from klyx.database import Database
from klyx.database.models import DataRefreshLog, ItemState, RefreshItem, Stock, StockFieldProvenance
from klyx.database.starter import SAMPLE_SOURCE
from klyx.database.types import utc_now
from klyx.database.versions import STOCKS
from klyx.services.market_data.columns import stock_columns
from klyx.services.market_data.gather import gather, process_gatherer
from klyx.services.market_data.merge import merge
from klyx.services.market_data.scores import recompute_scores
from klyx.services.market_data.store import store
from klyx.services.market_runs.choosing import choose
from klyx.services.market_runs.kinds import Chosen, Fetched, Item, Selection, StockWork, WorkContext
from klyx.sources.base import Deadline, SourceCircuitOpen, SourceRateLimited

KIND = "enrich"
FETCH_SECONDS = 60.0
GOOD_QUALITY = 80
# A source whose day is used up is not waited for when others have told of the stock.
LONGEST_REST_SECONDS = 180.0
FRESH_FOR = timedelta(days=7)
# A stock of which nobody knows more is not asked for again and again.
ASKED_RECENTLY = timedelta(hours=20)
# What prices, indicators and news say of their age says nothing of these.
FIGURES = ("revenue_annual", "net_profit_annual", "pe_ttm", "roe_annual_pct", "basic_eps_ttm")
NOTHING_KNOWN = "No source gave figures of this stock."
NO_SOURCE = "No source of figures is switched on."


def select_stocks(session: Session, selection: Selection) -> Sequence[Chosen]:
    """Stocks of a quality below 80 or with figures older than a week, the largest first; those asked for in the
    last hours come not again. With `everything` all stocks."""
    now = utc_now()
    is_poor = func.coalesce(Stock.data_quality_score, 0) < GOOD_QUALITY
    return choose(session, selection, and_(or_(is_poor, ~_has_fresh_figures(now)), ~_was_asked(now)))


def _has_fresh_figures(now: datetime) -> Any:
    origin = StockFieldProvenance
    return (
        select(origin.stock_id)
        .where(
            origin.stock_id == Stock.id,
            origin.field.in_(FIGURES),
            origin.obtained_at >= now - FRESH_FOR,
            origin.source != SAMPLE_SOURCE,
        )
        .exists()
    )


def _was_asked(now: datetime) -> Any:
    return (
        select(RefreshItem.stock_id)
        .join(DataRefreshLog, DataRefreshLog.id == RefreshItem.run_id)
        .where(
            RefreshItem.stock_id == Stock.id,
            RefreshItem.state == ItemState.DONE.value,
            DataRefreshLog.refresh_type == KIND,
            DataRefreshLog.started_at >= now - ASKED_RECENTLY,
        )
        .exists()
    )


def fetch_figures(context: WorkContext, item: Item) -> Fetched:
    """All that the sources know of one stock, in the form `stocks` holds it.

    Raises SourceRateLimited or SourceCircuitOpen when no source failed for another reason.
    """
    sources = context.sources.quotes
    if not sources:
        return Fetched(item, error=NO_SOURCE)
    gathered = gather(item.nse_code, sources, Deadline(FETCH_SECONDS), enough_quality=None, memo=context.memo)
    columns = stock_columns(merge(gathered.records, process_gatherer().rejections))
    failures = list(gathered.failures.values())
    if columns:
        # Turns that come within the deadline were waited for: this rest is a longer one.
        rests = [error.retry_after_seconds for error in failures if isinstance(error, SourceRateLimited)]
        worth_it = [seconds for seconds in rests if seconds <= LONGEST_REST_SECONDS]
        return Fetched(item, columns, gathered.outcomes, rest_seconds=max(worth_it, default=0.0))
    if failures and all(isinstance(error, SourceRateLimited | SourceCircuitOpen) for error in failures):
        raise failures[0]
    return Fetched(item, outcomes=gathered.outcomes, error=NOTHING_KNOWN)


def store_figures(session: Session, results: Sequence[Fetched]) -> None:
    store(session, {result.item.stock_id: result.value for result in results})


def finish(database: Database) -> Mapping[str, Any]:
    """Relative strength is a place among all stocks, so scores come last."""
    return {"scored": recompute_scores(database)}


WORK = StockWork(select_stocks, fetch_figures, store_figures, finish, (STOCKS,))
