"""The run over daily prices, on both engines, with a source that answers as Yahoo's history does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from klyx.config import load_settings
from klyx.database import Database
from klyx.database.models import PriceBar, Stock, StockFieldProvenance
from klyx.database.types import utc_now
from klyx.database.versions import PRICES, STOCKS, read_version
from klyx.services import stocks
from klyx.services.market_data.columns import ColumnValue
from klyx.services.market_data.store import store
from klyx.services.market_data.trust import FROM_DAILY_PRICES
from klyx.services.market_runs.kinds import RUN_KINDS, Fetched, Item, Selection, StockWork, WorkContext
from klyx.services.technicals import run
from klyx.services.technicals.beta import MARKET
from klyx.services.technicals.columns import technical_columns
from klyx.services.technicals.run import WORK, today_in_india
from klyx.sources.base import (
    DailyBar,
    Deadline,
    SourceError,
    SourceRateLimited,
    SourceUnavailable,
    SymbolUnknown,
)
from klyx.sources.build import Sources
from tests.services.technicals.bars import random_bars
from tests.stock_rows import add_stock

TECHNICAL_COLUMNS = (
    *("sma_50", "sma_200", "ema_20", "rsi", "macd", "adx", "atr", "beta_1yr"),
    *("week_change_pct", "month_change_pct", "qtr_change_pct", "year_1_change_pct", "year_3_change_pct"),
    *("tech_trend", "tech_rsi", "tech_rsi_state", "tech_macd", "tech_macd_signal", "tech_mfi"),
    *("tech_volume_signal", "tech_volume_pct"),
)


class Exchange:
    """Prices of three years up to today, or the failure it is told."""

    name = "Yahoo Finance"
    slug = "yahoo"

    def __init__(self) -> None:
        self.bars: dict[str, Sequence[DailyBar]] = {
            symbol: random_bars(1100 * 5 // 7, seed, today_in_india())
            for seed, symbol in enumerate(("RELIANCE", "INFY", MARKET))
        }
        self.failure: SourceError | None = None
        self.asked: list[str] = []

    def history(self, symbol: str, since: date, deadline: Deadline) -> Sequence[DailyBar]:
        self.asked.append(symbol)
        if self.failure is not None:
            raise self.failure
        if symbol not in self.bars:
            raise SymbolUnknown(f"Yahoo Finance does not know the symbol {symbol}")
        return [bar for bar in self.bars[symbol] if bar.day >= since]


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def context(database: Database, exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkContext:
    # What one process remembers of the index belongs to one test.
    monkeypatch.setattr(run, "_market", run._Market())
    settings = load_settings({"FLASK_ENV": "testing", "INSTANCE_FOLDER": str(tmp_path)})
    return WorkContext(settings, database, Sources((exchange,)))


def item(database: Database, code: str = "RELIANCE", **columns: object) -> Item:
    with database.begin() as session:
        return Item(0, add_stock(session, f"{code} Ltd.", code, **columns), code, f"{code} Ltd.")


def fetch_and_store(context: WorkContext, *items: Item) -> list[Fetched]:
    found = [WORK.fetch(context, one) for one in items]
    with context.database.begin(*WORK.changing) as session:
        WORK.store(session, found)
    return found


def test_every_technical_column_is_filled_and_says_where_it_is_from(context: WorkContext) -> None:
    reliance = item(context.database)

    (found,) = fetch_and_store(context, reliance)

    assert (found.error, found.outcomes) == (None, {"yahoo": "ok"})
    with context.database.read() as session:
        stock = session.get_one(Stock, reliance.stock_id)
        assert [name for name in TECHNICAL_COLUMNS if getattr(stock, name) is None] == []
        told = stocks.provenance_of(session, stocks.find_stock(session, "RELIANCE"))
        assert {told[name]["source"] for name in FROM_DAILY_PRICES} == {"Klyx"}
        assert {told[name]["source"] for name in set(TECHNICAL_COLUMNS).difference(FROM_DAILY_PRICES)} == {
            "Yahoo Finance"
        }
        assert min(read_version(session, PRICES), read_version(session, STOCKS)) > 0


def test_the_report_shows_its_own_rsi_and_macd_beside_the_usual_ones(context: WorkContext) -> None:
    reliance = item(context.database)
    fetch_and_store(context, reliance)

    with context.database.read() as session:
        shown = stocks.find_stock(session, "RELIANCE")
        stock = session.get_one(Stock, reliance.stock_id)

    assert (shown["Tech_RSI"], shown["Day RSI"]) == (stock.tech_rsi, stock.rsi)
    assert (shown["Tech_MACD"], shown["Day MACD"]) == (stock.tech_macd, stock.macd)
    assert stock.tech_rsi != stock.rsi


def test_beta_and_the_change_over_a_year_do_not_depend_on_which_run_came_last(context: WorkContext) -> None:
    def kept() -> list[float | None]:
        with context.database.read() as session:
            stock = session.get_one(Stock, reliance.stock_id)
            return [stock.beta_1yr, stock.year_1_change_pct]

    def quote(later: timedelta) -> None:
        moment = utc_now() + later
        with context.database.begin(STOCKS) as session:
            stated = {name: ColumnValue(0.123, "Yahoo Finance", moment) for name in FROM_DAILY_PRICES}
            store(session, {reliance.stock_id: stated})

    reliance = item(context.database)
    quote(timedelta(0))
    assert kept() == [0.123, 0.123]
    fetch_and_store(context, reliance)
    ours = kept()
    assert None not in ours
    assert 0.123 not in ours
    quote(timedelta(days=3))
    assert kept() == ours
    quote(timedelta(days=5))
    assert kept() == [0.123, 0.123]


def test_the_index_is_asked_for_once_and_beta_stays_unknown_without_it(
    context: WorkContext, exchange: Exchange
) -> None:
    del exchange.bars[MARKET]
    reliance, infosys = item(context.database), item(context.database, "INFY")

    fetch_and_store(context, reliance, infosys)

    assert exchange.asked == ["RELIANCE", MARKET, "INFY"]
    with context.database.read() as session:
        assert session.get_one(Stock, reliance.stock_id).beta_1yr is None
        assert session.get_one(Stock, infosys.stock_id).sma_200 is not None


def test_a_stock_that_is_not_traded_any_more_has_prices_but_no_indicators(
    context: WorkContext, exchange: Exchange
) -> None:
    exchange.bars["RELIANCE"] = random_bars(300, last_day=date(2026, 1, 5))
    reliance = item(context.database)

    fetch_and_store(context, reliance)

    with context.database.read() as session:
        assert session.get_one(Stock, reliance.stock_id).rsi is None
        assert len(session.scalars(select(PriceBar.day)).all()) == 300


def test_an_unknown_symbol_fails_and_changes_nothing(context: WorkContext) -> None:
    unknown = item(context.database, "GONE", rsi=50.0)

    (found,) = fetch_and_store(context, unknown)

    assert found.outcomes == {"yahoo": "SymbolUnknown"}
    assert found.error == "Yahoo Finance does not know the symbol GONE."
    with context.database.read() as session:
        assert session.get_one(Stock, unknown.stock_id).rsi == 50
        assert session.scalars(select(StockFieldProvenance)).all() == []


def test_a_source_that_wants_a_rest_puts_the_stock_back_and_one_that_is_down_fails_it(
    context: WorkContext, exchange: Exchange
) -> None:
    reliance = item(context.database)
    exchange.failure = SourceRateLimited("Yahoo Finance limits how often it may be asked", 30)
    with pytest.raises(SourceRateLimited):
        WORK.fetch(context, reliance)

    exchange.failure = SourceUnavailable("Yahoo Finance could not be reached")
    assert WORK.fetch(context, reliance).error == "Yahoo Finance could not be reached."


def test_without_a_source_of_prices_each_stock_says_so(context: WorkContext) -> None:
    nothing = WorkContext(context.settings, context.database, Sources(()))

    assert WORK.fetch(nothing, item(context.database)).error == "No source of daily prices is switched on."


def test_stocks_whose_prices_are_of_today_are_left_out(context: WorkContext) -> None:
    reliance = item(context.database, market_cap=1e12)
    infosys = item(context.database, "INFY", market_cap=2e12)
    fetch_and_store(context, reliance)

    with context.database.read() as session:
        due = [chosen.nse_code for chosen in WORK.select(session, Selection())]
        every = [chosen.nse_code for chosen in WORK.select(session, Selection(everything=True))]
        second = [chosen.nse_code for chosen in WORK.select(session, Selection(offset=1, limit=5, everything=True))]

    assert due == [infosys.nse_code]
    assert (every, second) == (["INFY", "RELIANCE"], ["RELIANCE"])


def test_a_session_under_way_is_left_to_the_evening(
    context: WorkContext, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    def selected() -> list[str]:
        with context.database.read() as session:
            return [chosen.nse_code for chosen in WORK.select(session, Selection())]

    def kept() -> tuple[date, float, float | None, float | None]:
        with context.database.read() as session:
            bar = session.scalars(select(PriceBar).order_by(PriceBar.day.desc())).first()
            stock = session.get_one(Stock, reliance.stock_id)
            assert bar is not None
            return bar.day, bar.close, stock.tech_rsi, stock.beta_1yr

    # A Friday: the company's price, and the index, fall by half until the session ends as it began.
    whole = {symbol: random_bars(300, seed, date(2026, 11, 20)) for seed, symbol in enumerate(("RELIANCE", MARKET))}
    under_way = {
        symbol: [*bars[:-1], replace(bars[-1], close=bars[-1].close / 2, low=bars[-1].low / 2)]
        for symbol, bars in whole.items()
    }
    reliance = item(context.database)
    exchange.bars.update(under_way)
    monkeypatch.setattr(run, "utc_now", lambda: datetime(2026, 11, 20, 10, 29, tzinfo=UTC))
    assert selected() == ["RELIANCE"]
    fetch_and_store(context, reliance)
    day, close, noon_rsi, noon_beta = kept()
    assert (day, close) == (date(2026, 11, 19), whole["RELIANCE"][-2].close)
    assert selected() == []

    exchange.bars.update(whole)
    monkeypatch.setattr(run, "utc_now", lambda: datetime(2026, 11, 20, 10, 30, tzinfo=UTC))
    assert selected() == ["RELIANCE"]
    fetch_and_store(context, reliance)
    day, close, rsi, beta = kept()
    expected = technical_columns(whole["RELIANCE"], {bar.day: bar.close for bar in whole[MARKET]})
    assert (day, close) == (date(2026, 11, 20), whole["RELIANCE"][-1].close)
    assert rsi == expected["tech_rsi"]
    assert beta == pytest.approx(expected["beta_1yr"], abs=1e-3)
    assert (rsi, beta) != (noon_rsi, noon_beta)
    assert selected() == []


def test_the_end_of_the_run_works_out_the_scores(context: WorkContext) -> None:
    fetch_and_store(context, item(context.database), item(context.database, "INFY"))

    assert WORK.finish(context.database) == {"scores_changed": 2}
    with context.database.read() as session:
        assert set(session.scalars(select(Stock.rel_strength_score))) == {0, 99}


def test_the_kinds_of_runs_know_it() -> None:
    assert RUN_KINDS["technicals"].load() is WORK
    assert isinstance(RUN_KINDS["news"].load(), StockWork)
