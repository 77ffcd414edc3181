"""The run over news, on both engines, asking the simulated Google News over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from bench.market import Company, Market
from bench.market.server import Simulator
from klyx.config import load_settings
from klyx.database import Database
from klyx.database.models import Stock
from klyx.services import stocks
from klyx.services.market_runs.kinds import Fetched, Item, Selection, WorkContext
from klyx.services.news.run import WORK
from klyx.sources.base import SourceRateLimited
from klyx.sources.build import build_sources
from klyx.sources.settings import SourceSettings
from tests.stock_rows import add_stock


@pytest.fixture(scope="module")
def market() -> Market:
    return Market.generated(60)


@pytest.fixture
def simulator(market: Market) -> Iterator[Simulator]:
    with Simulator(market) as running:
        yield running


@pytest.fixture
def context(database: Database, simulator: Simulator, tmp_path: Path) -> WorkContext:
    settings = load_settings({"FLASK_ENV": "testing", "INSTANCE_FOLDER": str(tmp_path)})
    asking = SourceSettings(
        enabled=frozenset({"google_news"}), base_url_rewrites=simulator.rewrites, backoff_seconds=0.01
    )
    return WorkContext(settings, database, build_sources(asking))


def item(database: Database, company: Company) -> Item:
    with database.begin() as session:
        stock_id = add_stock(session, company.name, company.symbol, market_cap=company.market_cap)
    return Item(0, stock_id, company.symbol, company.name)


def fetch_and_store(context: WorkContext, one: Item) -> Fetched:
    found = WORK.fetch(context, one)
    with context.database.begin(*WORK.changing) as session:
        WORK.store(session, [found])
    return found


def in_the_news(market: Market) -> Company:
    return next(company for company in market if len(company.headlines()) > 2)


def test_headlines_and_their_sentiment_are_stored_as_clients_read_them(context: WorkContext, market: Market) -> None:
    company = in_the_news(market)
    one = item(context.database, company)

    found = fetch_and_store(context, one)

    assert found.outcomes == {"google_news": "ok"}
    with context.database.read() as session:
        stock = stocks.find_stock(session, company.symbol)
        told = stocks.provenance_of(session, stock)
    headlines = orjson.loads(str(stock["News_Headlines"]))
    assert [shown["title"] for shown in headlines] == [made.title for made in company.headlines()[:5]]
    assert isinstance(headlines[0]["providerPublishTime"], int)
    assert stock["News_Score"] in range(-5, 6)
    assert stock["News_Sentiment"] in ("Strong Bullish", "Bullish", "Neutral", "Bearish", "Strong Bearish")
    assert told["news_headlines"]["source"] == "Google News"


def test_a_company_without_news_is_neutral(context: WorkContext, market: Market) -> None:
    one = item(context.database, next(company for company in market if not company.headlines()))

    fetch_and_store(context, one)

    with context.database.read() as session:
        stock = session.get_one(Stock, one.stock_id)
        assert (stock.news_headlines, stock.news_sentiment, stock.news_score) == ("[]", "Neutral", 0)


def test_bad_weather_keeps_what_is_known(context: WorkContext, market: Market, simulator: Simulator) -> None:
    one = item(context.database, in_the_news(market))
    fetch_and_store(context, one)
    with context.database.read() as session:
        before = session.get_one(Stock, one.stock_id).news_headlines
    simulator.fail("html", slug="google_news")

    found = fetch_and_store(context, one)

    assert found.outcomes == {"google_news": "SourceUnavailable"}
    assert found.error == "Google News sent an answer that cannot be read."
    with context.database.read() as session:
        assert session.get_one(Stock, one.stock_id).news_headlines == before
    simulator.recover()
    simulator.fail("429", slug="google_news", retry_after="20")
    with pytest.raises(SourceRateLimited):
        WORK.fetch(context, one)


def test_stocks_with_fresh_news_are_left_out(context: WorkContext, market: Market) -> None:
    first, second, *_ = market
    one, two = item(context.database, first), item(context.database, second)
    fetch_and_store(context, one)

    with context.database.read() as session:
        assert [chosen.stock_id for chosen in WORK.select(session, Selection())] == [two.stock_id]
        assert len(WORK.select(session, Selection(everything=True))) == 2
