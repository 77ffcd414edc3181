"""Headlines through real HTTP from a simulated Google News; histories from a source in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import orjson
import pytest
from sqlalchemy import select

from bench.market import Company, Market
from bench.market.server import Simulator
from klyx.database import Database
from klyx.database.models import Stock
from klyx.database.types import utc_now
from klyx.services import price_history
from klyx.services.analysis.pipeline import analyse
from klyx.services.analysis.table import Row
from klyx.services.insight_sources import Insights, InsightSearch
from klyx.services.market_data.columns import ColumnValue
from klyx.services.market_data.store import store
from klyx.services.price_history import FetchedBars
from klyx.sources.base import DailyBar, Deadline, SourceRateLimited, SourceUnavailable
from klyx.sources.context import SourceContext
from klyx.sources.google_news import GoogleNewsSource
from klyx.sources.settings import SourceSettings
from tests.stock_rows import add_stock

MARKET = Market.generated(60)
COMPANY: Company = next(company for company in MARKET if len(company.headlines()) > 2)
ROW: Row = {"Stock Name": COMPANY.name, "NSE Code": COMPANY.symbol, "Current Price": 100.0}
COMPLETE: Row = {**ROW, "Day SMA50": 90.0, "Day RSI": 55.0, "Day MACD": 1.5}


def rising_bars(days: int = 300) -> tuple[DailyBar, ...]:
    today = utc_now().date()
    return tuple(
        DailyBar(today - timedelta(days=days - number - 1), price, price + 1, price - 1, price, 1000)
        for number, price in ((number, 100.0 + number) for number in range(days))
    )


class Histories:
    """Answers the same bars for every symbol, or fails."""

    name, slug = "Histories", "histories"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[str] = []

    def history(self, symbol: str, since: date, deadline: Deadline) -> Sequence[DailyBar]:
        self.asked.append(symbol)
        if self.error is not None:
            raise self.error
        return rising_bars()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(MARKET) as running:
        yield running


@pytest.fixture
def news(simulator: Simulator) -> GoogleNewsSource:
    settings = SourceSettings(base_url_rewrites=simulator.rewrites, backoff_seconds=0.01, max_attempts=1)
    return GoogleNewsSource(SourceContext(settings))


def search(
    database: Database,
    rows: Sequence[Row],
    histories: Histories | None = None,
    news: GoogleNewsSource | None = None,
    seconds: float = 20,
) -> Insights:
    listed = [str(row["NSE Code"]) for row in rows]
    sources = [histories] if histories else []
    with InsightSearch(database, sources, [news] if news else [], rows, listed, Deadline(seconds), 2) as running:
        return running.collect()


def add(database: Database) -> int:
    with database.begin() as session:
        return add_stock(session, COMPANY.name, COMPANY.symbol)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_is_not_kept_is_asked_for_and_told_in_the_analysis(database: Database, news: GoogleNewsSource) -> None:
    found = search(database, [ROW], Histories(), news)
    (row,) = analyse([ROW], {}, found.news, found.snapshots).rows
    assert row["Tech_Trend"] == "Bullish (Long Term)"
    assert row["Tech_RSI"] == 100.0
    assert orjson.loads(str(row["News_Headlines"]))
    assert "News sentiment is" in str(row["Financial Insights"])


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_complete_snapshot_of_the_workbook_needs_no_history(database: Database) -> None:
    histories = Histories()
    found = search(database, [COMPLETE], histories)
    assert (found.snapshots, histories.asked) == ({}, [])
    (row,) = analyse([COMPLETE], {}, {}, found.snapshots).rows
    assert row["Tech_RSI"] == 55.0


def test_what_is_kept_and_fresh_is_not_asked_for(database: Database, news: GoogleNewsSource) -> None:
    stock_id = add(database)
    kept: dict[str, str | int] = {
        "news_headlines": '[{"title":"Kept","publisher":"Mint"}]',
        "news_sentiment": "Bullish",
        "news_score": 1,
    }
    with database.begin() as session:
        price_history.store_bars(session, {stock_id: FetchedBars(rising_bars(), replaces=True)})
        store(
            session, {stock_id: {name: ColumnValue(value, "Google News", utc_now()) for name, value in kept.items()}}
        )
    histories = Histories()
    found = search(database, [ROW], histories, news)
    assert histories.asked == []
    assert found.snapshots[COMPANY.symbol].rsi == 100.0
    assert found.news[COMPANY.name]["text"].splitlines() == ["News sentiment is Bullish (score 1).", "Kept (Mint)"]


def test_what_is_kept_and_old_is_asked_for(database: Database, news: GoogleNewsSource) -> None:
    stock_id = add(database)
    old = utc_now() - timedelta(days=2)
    with database.begin() as session:
        bars = tuple(bar for bar in rising_bars() if bar.day < utc_now().date() - timedelta(days=9))
        price_history.store_bars(session, {stock_id: FetchedBars(bars, replaces=True)})
        store(session, {stock_id: {"news_headlines": ColumnValue("[]", "Google News", old)}})
    histories = Histories()
    found = search(database, [ROW], histories, news)
    assert histories.asked == [COMPANY.symbol]
    assert "Kept" not in found.news[COMPANY.name]["text"]
    with database.read() as session:
        assert session.scalar(select(Stock.news_headlines)) == "[]"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_headlines_that_are_old_are_told_where_nobody_has_newer_ones(database: Database) -> None:
    stock_id = add(database)
    kept: dict[str, str | int] = {
        "news_headlines": '[{"title":"Kept","publisher":"Mint"}]',
        "news_sentiment": "Bullish",
        "news_score": 1,
    }
    old = utc_now() - timedelta(days=9)
    with database.begin() as session:
        store(session, {stock_id: {name: ColumnValue(value, "Google News", old) for name, value in kept.items()}})
    assert search(database, [ROW]).news[COMPANY.name]["sentiment"] == "Bullish"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("error", [SourceRateLimited("slow down", 60.0), SourceUnavailable("down"), ValueError("bug")])
def test_failures_cost_only_their_insights(
    database: Database, news: GoogleNewsSource, simulator: Simulator, error: Exception
) -> None:
    simulator.fail("500", slug="google_news")
    rows = [{**ROW, "Stock Name": f"Company {number}", "NSE Code": f"C{number}"} for number in range(6)]
    histories = Histories(error)
    found = search(database, rows, histories, news)
    assert found == Insights()
    limited = isinstance(error, SourceRateLimited)
    assert len(histories.asked) <= 2 if limited else len(histories.asked) == 6
    assert len(analyse(rows, {}, found.news, found.snapshots).rows) == 6


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_after_the_deadline_nobody_is_asked(database: Database) -> None:
    histories = Histories()
    assert search(database, [ROW], histories, seconds=0) == Insights()
    assert histories.asked == []
