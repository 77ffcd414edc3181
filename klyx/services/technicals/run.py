"""The run that fetches daily prices of all stocks and works out their technical columns."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from klyx.database import Database
from klyx.database.models import PriceBar, Stock
from klyx.database.types import utc_now
from klyx.database.versions import PRICES, STOCKS
from klyx.services import price_history
from klyx.services.market_data.columns import ColumnValue
from klyx.services.market_data.scores import recompute_scores
from klyx.services.market_data.store import store
from klyx.services.market_data.trust import FROM_DAILY_PRICES
from klyx.services.market_runs.choosing import choose
from klyx.services.market_runs.kinds import Chosen, Fetched, Item, Selection, StockWork, WorkContext
from klyx.services.price_history import FetchedBars
from klyx.services.stocks.provenance import CALCULATED
from klyx.services.technicals.beta import MARKET
from klyx.services.technicals.changes import LONGEST_CLOSURE, months_before
from klyx.services.technicals.columns import technical_columns
from klyx.sources.base import (
    Deadline,
    HistorySource,
    SourceCircuitOpen,
    SourceError,
    SourceRateLimited,
)

logger = logging.getLogger(__name__)

FETCH_SECONDS = 60.0
# India's time, which has no summer time.
INDIA = timedelta(hours=5, minutes=30)
# Sessions end at 15:30, and sources follow some minutes behind: until now the bar of a day is not complete.
COMPLETE_FROM = timedelta(hours=16)
# Indicators of a stock that has not been traded for so long would pass for today's.
LONGEST_PAUSE = timedelta(days=30)
MARKET_DAYS = 400
FRIDAY = 4
NO_SOURCE = "No source of daily prices is switched on."


@dataclass(frozen=True, slots=True)
class Prices:
    """What was fetched for one stock; `market_closes` is the market's index by day, empty when unknown."""

    fetched: FetchedBars
    source: str
    obtained_at: datetime
    market_closes: Mapping[date, float]


class _Market:
    """The index's closes, asked for once a session by each process, and once again some time after a failure."""

    RETRY_SECONDS = 300.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._day: date | None = None
        self._closes: Mapping[date, float] = {}
        self._retry: Deadline | None = None

    def closes(self, source: HistorySource, last_day: date, deadline: Deadline) -> Mapping[date, float]:
        """By day, up to `last_day`; empty when the source does not give them: then beta stays as it is."""
        with self._lock:
            if self._day == last_day and (self._closes or (self._retry is not None and not self._retry.expired)):
                return self._closes
            self._day, self._closes = last_day, {}
            try:
                bars = source.history(MARKET, last_day - timedelta(days=MARKET_DAYS), deadline)
            except SourceError as error:
                self._retry = Deadline(self.RETRY_SECONDS)
                logger.warning("The market's index is missing", extra={"source": source.name, "error": str(error)})
                return {}
            self._closes = {bar.day: bar.close for bar in bars if bar.day <= last_day}
            return self._closes


_market = _Market()


def select_stocks(session: Session, selection: Selection) -> Sequence[Chosen]:
    """Stocks without a bar of the last weekday that is complete, the largest first; with `everything` all of them."""
    newest = select(PriceBar.stock_id).where(PriceBar.stock_id == Stock.id, PriceBar.day >= _last_weekday())
    return choose(session, selection, ~newest.exists())


def fetch_technicals(context: WorkContext, item: Item) -> Fetched:
    """The missing daily prices of one stock from the first source that gives them, without a session under way.

    Raises SourceRateLimited or SourceCircuitOpen when no source failed for another reason.
    """
    with context.database.read() as session:
        kept = price_history.newest_bars(session, [item.stock_id]).get(item.stock_id, ())
    last_day = last_complete_day()
    first_day = last_day - timedelta(days=context.settings.price_history_days)
    deadline = Deadline(FETCH_SECONDS)
    outcomes: dict[str, str] = {}
    errors: list[SourceError] = []
    for source in context.sources.giving(HistorySource):  # type: ignore[type-abstract]
        try:
            fetched = price_history.fetch_bars(source, item.nse_code, kept, first_day, deadline)
        except SourceError as error:
            outcomes[source.slug] = type(error).__name__
            errors.append(error)
            continue
        outcomes[source.slug] = "ok"
        complete = replace(fetched, bars=tuple(bar for bar in fetched.bars if bar.day <= last_day))
        closes = _market.closes(source, last_day, deadline)
        return Fetched(item, Prices(complete, source.name, utc_now(), closes), outcomes)
    if errors and all(isinstance(error, SourceRateLimited | SourceCircuitOpen) for error in errors):
        raise errors[0]
    return Fetched(item, outcomes=outcomes, error=f"{errors[-1]}." if errors else NO_SOURCE)


def store_technicals(session: Session, results: Sequence[Fetched]) -> None:
    """Keep the prices of several stocks, and put what follows from them into `stocks`."""
    prices: dict[int, Prices] = {result.item.stock_id: result.value for result in results if result.value is not None}
    price_history.store_bars(session, {stock_id: found.fetched for stock_id, found in prices.items()})
    today = today_in_india()
    since = months_before(today, 36) - 2 * LONGEST_CLOSURE
    figures: dict[int, dict[str, ColumnValue]] = {}
    for stock_id, bars in price_history.read_bars(session, list(prices), since).items():
        if bars[-1].day < today - LONGEST_PAUSE:
            continue
        found = prices[stock_id]
        figures[stock_id] = {
            name: ColumnValue(value, CALCULATED if name in FROM_DAILY_PRICES else found.source, found.obtained_at)
            for name, value in technical_columns(bars, found.market_closes).items()
        }
    store(session, figures)


def finish(database: Database) -> Mapping[str, Any]:
    """Relative strength and the scores follow from the changes over a year."""
    return {"scores_changed": recompute_scores(database)}


def today_in_india() -> date:
    return (utc_now() + INDIA).date()


def last_complete_day() -> date:
    """The last day in India whose session, if it had one, is over."""
    return (utc_now() + INDIA - COMPLETE_FROM).date()


def _last_weekday() -> date:
    day = last_complete_day()
    return day - timedelta(days=max(0, day.weekday() - FRIDAY))


WORK = StockWork(select_stocks, fetch_technicals, store_technicals, finish, changing=(STOCKS, PRICES))
