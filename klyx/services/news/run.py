"""The run that asks for the headlines of stocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from klyx.database import Database
from klyx.database.models import Stock, StockFieldProvenance
from klyx.database.starter import SAMPLE_SOURCE
from klyx.database.types import utc_now
from klyx.database.versions import STOCKS
from klyx.services.analysis.insights import News
from klyx.services.market_data.columns import ColumnValue
from klyx.services.market_data.store import store
from klyx.services.market_runs.choosing import choose
from klyx.services.market_runs.kinds import Chosen, Fetched, Item, Selection, StockWork, WorkContext
from klyx.services.news.digest import digest
from klyx.sources.base import Deadline, NewsSource, SourceCircuitOpen, SourceError, SourceRateLimited

FETCH_SECONDS = 60.0
FRESH_FOR = timedelta(hours=12)
NO_SOURCE = "No source of news is switched on."


@dataclass(frozen=True, slots=True)
class FoundNews:
    news: News
    source: str
    obtained_at: datetime


def select_stocks(session: Session, selection: Selection) -> Sequence[Chosen]:
    """Stocks whose headlines are not of the last 12 hours, the largest first; with `everything` all of them."""
    origin = StockFieldProvenance
    fresh = select(origin.stock_id).where(
        origin.stock_id == Stock.id,
        origin.field == "news_score",
        origin.obtained_at >= utc_now() - FRESH_FOR,
        origin.source != SAMPLE_SOURCE,
    )
    return choose(session, selection, ~fresh.exists())


def fetch_news(context: WorkContext, item: Item) -> Fetched:
    """The headlines of one stock from the first source that answers; no headlines are an answer too.

    Raises SourceRateLimited or SourceCircuitOpen when no source failed for another reason.
    """
    deadline = Deadline(FETCH_SECONDS)
    outcomes: dict[str, str] = {}
    errors: list[SourceError] = []
    for source in context.sources.giving(NewsSource):  # type: ignore[type-abstract]
        try:
            headlines = source.headlines(item.stock_name, deadline)
        except SourceError as error:
            outcomes[source.slug] = type(error).__name__
            errors.append(error)
            continue
        outcomes[source.slug] = "ok"
        news = digest(headlines, item.stock_name)
        return Fetched(item, FoundNews(news, source.name, utc_now()), outcomes)
    if errors and all(isinstance(error, SourceRateLimited | SourceCircuitOpen) for error in errors):
        raise errors[0]
    return Fetched(item, outcomes=outcomes, error=f"{errors[-1]}." if errors else NO_SOURCE)


def store_news(session: Session, results: Sequence[Fetched]) -> None:
    """Put the headlines of several stocks and their sentiment into `stocks`."""
    store(session, {result.item.stock_id: _columns(result.value) for result in results if result.value is not None})


def _columns(found: FoundNews) -> dict[str, ColumnValue]:
    columns: dict[str, str | int] = {
        "news_headlines": found.news["headlines_json"],
        "news_sentiment": found.news["sentiment"],
        "news_score": found.news["score"],
    }
    return {name: ColumnValue(value, found.source, found.obtained_at) for name, value in columns.items()}


def finish(_database: Database) -> Mapping[str, Any]:
    """Nothing follows from headlines."""
    return {}


WORK = StockWork(select_stocks, fetch_news, store_news, finish, changing=(STOCKS,))
