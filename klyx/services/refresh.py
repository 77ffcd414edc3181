"""The day's prices of the whole exchange: price, day change, 52-week range and market value, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from klyx.database.models import Stock
from klyx.database.types import utc_now
from klyx.database.versions import STOCKS
from klyx.services.jobs import ProgressReporter
from klyx.services.market_data.columns import ColumnValue, stock_columns
from klyx.services.market_data.merge import merge
from klyx.services.market_data.plausible import Rejections
from klyx.services.market_data.scores import recompute_scores
from klyx.services.market_data.store import store
from klyx.services.market_runs.kinds import NothingFetched, Outcome, WholeWork, WorkContext
from klyx.sources.base import DayQuote, DayQuoteSource, Deadline, SourceError, SourceRecord

DEADLINE_SECONDS = 600.0
NO_PRICES = "No source gave the day's prices; the earlier ones stay. Please try again later."


def run(context: WorkContext, progress: ProgressReporter) -> Outcome:
    """Fetch and store, each page by itself, so that what came before a failure counts. Raises NothingFetched."""
    stocks = _stocks(context)
    quoted: set[int] = set()
    changed = 0
    failures: dict[str, dict[str, int]] = {}
    rejections = Rejections()
    for source in context.sources.giving(DayQuoteSource):  # type: ignore[type-abstract]
        try:
            for page in source.day_quotes(Deadline(DEADLINE_SECONDS)):
                found = _figures(page, stocks, source.name, utc_now(), rejections)
                new = {stock_id: columns for stock_id, columns in found.items() if stock_id not in quoted}
                progress.check()
                if new:
                    with context.database.begin(STOCKS) as session:
                        changed += store(session, new)
                quoted |= new.keys()
                progress.report(len(quoted), max(len(quoted), len(stocks)), f"Fetched {len(quoted):,} prices.")
        except SourceError as error:
            # What it gave until then stays; the next source is asked for the rest.
            failures[source.slug] = {type(error).__name__: 1}
        else:
            break
    if not quoted:
        raise NothingFetched(NO_PRICES, failures)
    progress.check()
    return _outcome(quoted, stocks, changed, failures, recompute_scores(context.database))


def _outcome(
    quoted: set[int], stocks: Mapping[str, int], changed: int, failures: Mapping[str, Mapping[str, int]], scored: int
) -> Outcome:
    # A stock that nobody traded today has no price of today: that is no failure, unless a source failed.
    missing = len(stocks) - len(quoted)
    details = {"changed": changed, "without_price": missing, "scored": scored}
    return Outcome(len(quoted), missing if failures else 0, len(stocks), details, failures)


def _stocks(context: WorkContext) -> dict[str, int]:
    with context.database.read() as session:
        rows = session.execute(select(Stock.nse_code, Stock.id).where(Stock.nse_code.is_not(None)))
        return {str(code): stock_id for code, stock_id in rows}


def _figures(
    page: Sequence[DayQuote], stocks: Mapping[str, int], source: str, now: datetime, rejections: Rejections
) -> dict[int, dict[str, ColumnValue]]:
    """Stock id -> column -> value, for the quotes of stocks we have that tell anything."""
    found: dict[int, dict[str, ColumnValue]] = {}
    for quote in page:
        stock_id = stocks.get(quote.symbol)
        if stock_id is None:
            continue
        columns = stock_columns(merge([_record(quote, source, now)], rejections))
        if columns:
            found[stock_id] = columns
    return found


def _record(quote: DayQuote, source: str, now: datetime) -> SourceRecord:
    """In the vocabulary of a whole answer, so that the same rules say what can be true and how it is stored."""
    given = {
        "currentPrice": quote.price,
        "_previous_close": quote.previous_close,
        "week52High": quote.week_52_high,
        "week52Low": quote.week_52_low,
        "marketCap": quote.market_cap,
    }
    fields = {name: value for name, value in given.items() if value is not None}
    return SourceRecord(quote.symbol, source, now, fields)


def preview(context: WorkContext) -> Outcome:
    """How many stocks there are; asking for their prices is what the run itself is."""
    with context.database.read() as session:
        return Outcome(0, 0, _count(session))


def _count(session: Session) -> int:
    return session.scalar(select(func.count()).where(Stock.nse_code.is_not(None))) or 0


WORK = WholeWork(run, preview)
