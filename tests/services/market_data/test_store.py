from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from klyx.bundled import read_starter_list
from klyx.database import Database
from klyx.database.models import Stock, StockFieldProvenance, StockMetadata
from klyx.database.starter import SAMPLE_SOURCE, load_starter_list
from klyx.database.versions import STOCKS, read_version
from klyx.services import stocks
from klyx.services.market_data.columns import ColumnValue, stock_columns
from klyx.services.market_data.merge import merge
from klyx.services.market_data.scores import recompute_scores
from klyx.services.market_data.store import STOCKS_AT_ONCE, store
from klyx.sources.base import SourceRecord, StatementKind
from tests.stock_rows import add_stock

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AT_NOON, A_DAY_LATER = "2026-01-31T12:00:00Z", "2026-02-01T12:00:00Z"
WHOLE: dict[str, Any] = {
    "currentPrice": 100.004,
    "_previous_close": 98.0,
    "marketCap": 5e11,
    "pe_ratio": 21.5,
    "roe": 0.22,
    "revenue": 9e10,
    "net_income": 2e10,
    "total_assets": 3e11,
    "total_debt": 0.0,
    "stockholders_equity": 9e10,
    "week52High": 120.0,
}


def columns(
    source: str, moment: datetime = NOON, kind: StatementKind | None = None, **fields: Any
) -> dict[str, ColumnValue]:
    return stock_columns(merge([SourceRecord("TCS", source, moment, fields, kind)]))


def write(database: Database, figures: dict[int, dict[str, ColumnValue]]) -> int:
    with database.begin(STOCKS) as session:
        return store(session, figures)


def add(database: Database, **values: Any) -> int:
    with database.begin() as session:
        return add_stock(session, "Tata Consultancy", "TCS", last_updated=None, **values)


def stock(database: Database) -> Any:
    with database.read() as session:
        return stocks.find_stock(session, "TCS")


def origins(database: Database) -> dict[str, tuple[str, datetime, str | None]]:
    row = StockFieldProvenance
    with database.read() as session:
        found = session.execute(select(row.field, row.source, row.obtained_at, row.statement_kind))
        return {field: (source, moment, kind) for field, source, moment, kind in found}


def test_figures_their_origin_and_the_rows_own_facts_are_stored_together(database: Database) -> None:
    stock_id = add(database, data_quality_score=0)
    assert write(database, {stock_id: columns("Yahoo Finance", kind="consolidated", **WHOLE)}) == 1
    row = stock(database)
    assert (row["current_price"], row["market_cap"], row["roe_annual_pct"]) == (100.0, 5e11, 22.0)
    assert (row["total_assets"], row["week_52_high"]) == (3e11, 120.0)
    assert (row["day_change_pct"], row["debt_to_equity"]) == (2.0449, 0.0)
    assert (row["data_quality_score"], row["data_sources"], row["last_updated"]) == (100, "Yahoo Finance", AT_NOON)
    recorded = origins(database)
    assert recorded["current_price"] == ("Yahoo Finance", NOON, None)
    assert recorded["total_assets"] == ("Yahoo Finance", NOON, "consolidated")
    assert recorded["debt_to_equity"] == ("Klyx", NOON, "consolidated")


def test_the_same_again_changes_nothing_but_its_age(database: Database) -> None:
    stock_id = add(database)
    write(database, {stock_id: columns("Yahoo Finance", **WHOLE)})
    before = stock(database)
    assert write(database, {stock_id: columns("Yahoo Finance", NOON + DAY, **WHOLE)}) == 0
    after = stock(database)
    assert after["last_updated"] == A_DAY_LATER
    assert {name for name in after if after[name] != before[name]} == {"last_updated", "Last Updated"}
    assert origins(database)["pe_ttm"] == ("Yahoo Finance", NOON + DAY, None)


def test_an_older_figure_is_not_taken_and_raises_no_version(database: Database) -> None:
    stock_id = add(database)
    write(database, {stock_id: columns("Yahoo Finance", **WHOLE)})
    with database.read() as session:
        version = read_version(session, STOCKS)
    older = columns("Yahoo Finance", NOON - DAY, currentPrice=1.0, roe=0.01)
    assert write(database, {stock_id: older}) == 0
    assert stock(database)["current_price"] == 100
    assert stock(database)["last_updated"] == AT_NOON
    with database.read() as session:
        assert read_version(session, STOCKS) == version


def test_the_code_of_the_other_exchange_is_stored_with_its_origin(database: Database) -> None:
    stock_id = add(database)
    assert write(database, {stock_id: columns("MoneyControl", _bse_code="532540")}) == 1
    assert stock(database)["bse_code"] == "532540"
    assert origins(database)["bse_code"] == ("MoneyControl", NOON, None)


def test_a_worse_source_fills_gaps_only(database: Database) -> None:
    stock_id = add(database)
    write(database, {stock_id: columns("Yahoo Finance", currentPrice=100.0, net_income=2e10)})
    worse = columns("MoneyControl", NOON + DAY, "standalone", net_income=7.0, promoter_holding=0.72)
    assert write(database, {stock_id: worse}) == 1
    row = stock(database)
    assert (row["net_profit_annual"], row["promoter_holding_pct"]) == (2e10, 72.0)
    assert row["data_sources"] == "Yahoo Finance, MoneyControl"
    assert origins(database)["net_profit_annual"] == ("Yahoo Finance", NOON, None)


def test_the_evenings_range_and_market_cap_come_with_its_price(database: Database) -> None:
    stock_id = add(database)
    names = ("currentPrice", "week52High", "week52Low", "marketCap", "pe_ratio")
    morning: dict[str, Any] = dict(zip(names, (100.0, 105.0, 90.0, 5e11, 20.0), strict=True))
    write(database, {stock_id: columns("NSE", **morning)})
    evening: dict[str, Any] = dict(zip(names, (110.0, 111.0, 89.0, 5.5e11, 22.0), strict=True))
    assert write(database, {stock_id: columns("Yahoo Finance", NOON + timedelta(hours=6), **evening)}) == 1
    row = stock(database)
    assert (row["current_price"], row["week_52_high"], row["week_52_low"]) == (110.0, 111.0, 89.0)
    assert (row["market_cap"], row["pe_ttm"]) == (5.5e11, 20.0)


def test_nothing_known_is_replaced_by_nothing(database: Database) -> None:
    stock_id = add(database, sector_name="Information Technology")
    write(database, {stock_id: columns("Yahoo Finance", **WHOLE)})
    before = stock(database)
    assert write(database, {stock_id: columns("NSE", NOON + DAY, currentPrice=101.0)}) == 1
    after = stock(database)
    assert (after["current_price"], after["sector_name"]) == (101.0, "Information Technology")
    assert after["market_cap"] == before["market_cap"]
    assert after["data_quality_score"] == 100
    assert after["data_sources"] == "NSE, Yahoo Finance"


LONG_AGO = NOON - 400 * DAY


def test_a_loss_takes_the_price_earnings_ratio_of_better_days_with_it(database: Database) -> None:
    stock_id = add(database, earnings_yield_pct=10.5, data_sources=None)
    better_days: dict[str, Any] = {"pe_ratio": 9.5, "peg_ratio": 0.7, "basic_eps": 12.0}
    write(database, {stock_id: columns("Yahoo Finance", LONG_AGO, **better_days, pb_ratio=2.0, dividend_yield=0.02)})
    recompute_scores(database)
    assert stock(database)["valuation_score"] == 100
    assert write(database, {stock_id: columns("Yahoo Finance", currentPrice=100.0, basic_eps=-2.0)}) == 1
    row = stock(database)
    assert (row["pe_ttm"], row["peg_ratio"], row["earnings_yield_pct"]) == (None, None, None)
    assert {"pe_ttm", "peg_ratio", "earnings_yield_pct"}.isdisjoint(origins(database))
    recompute_scores(database)
    row = stock(database)
    assert (row["valuation_score"], row["peg_ratio"], row["earnings_yield_pct"]) == (0, None, None)


def test_a_loss_stored_before_denies_what_stands_beside_it(database: Database) -> None:
    stock_id = add(database)
    with database.begin(STOCKS) as session:
        session.execute(update(Stock).values(pe_ttm=9.5, basic_eps_ttm=-2.0))
        stocks.record_provenance(session, {stock_id: ("basic_eps_ttm",)}, "Yahoo Finance", NOON)
    assert write(database, {stock_id: columns("NSE", NOON - 500 * DAY, _sector="IT")}) == 1
    assert stock(database)["pe_ttm"] is None


def test_a_ratio_that_is_told_beside_a_loss_per_share_is_not_stored(database: Database) -> None:
    stock_id = add(database)
    told = stock_columns(
        merge(
            [
                SourceRecord("TCS", "NSE", NOON, {"pe_ratio": 9.5}),
                SourceRecord("TCS", "Yahoo Finance", NOON, {"basic_eps": -2.0}),
            ]
        )
    )
    write(database, {stock_id: told})
    assert write(database, {stock_id: told}) == 0
    assert stock(database)["pe_ttm"] is None
    assert "pe_ttm" not in origins(database)


def test_a_loss_of_the_year_denies_only_what_is_older(database: Database) -> None:
    stock_id = add(database)
    write(database, {stock_id: columns("NSE", NOON, pe_ratio=40.0)})
    write(database, {stock_id: columns("MoneyControl", NOON, net_income=-1e9)})
    assert stock(database)["pe_ttm"] == 40
    write(database, {stock_id: columns("MoneyControl", NOON + 3 * DAY, net_income=-1e9)})
    assert stock(database)["pe_ttm"] is None


def test_no_loss_or_an_older_or_invented_one_denies_nothing(database: Database) -> None:
    stock_id = add(database)
    write(database, {stock_id: columns("Yahoo Finance", LONG_AGO, basic_eps=-2.0)})
    write(database, {stock_id: columns("NSE", pe_ratio=40.0)})
    assert stock(database)["pe_ttm"] == 40
    with database.begin(STOCKS) as session:
        stocks.record_provenance(session, {stock_id: ("basic_eps_ttm",)}, SAMPLE_SOURCE, NOON + DAY)
    write(database, {stock_id: columns("NSE", NOON, currentPrice=100.0)})
    assert stock(database)["pe_ttm"] == 40
    write(database, {stock_id: columns("Yahoo Finance", NOON + DAY, basic_eps=2.0, net_income=-1e9)})
    assert stock(database)["pe_ttm"] == 40


def test_a_ratio_goes_with_its_parts(database: Database) -> None:
    stock_id = add(database)
    yahoo = columns("Yahoo Finance", total_debt=3e9, stockholders_equity=6e9)
    write(database, {stock_id: yahoo})
    other = columns("MoneyControl", NOON + DAY, total_debt=9e9, stockholders_equity=6e9)
    assert write(database, {stock_id: other}) == 0
    assert stock(database)["debt_to_equity"] == 0.5
    late = columns("MoneyControl", NOON + 60 * DAY, total_debt=9e9, stockholders_equity=6e9)
    assert write(database, {stock_id: late}) == 1
    assert stock(database)["debt_to_equity"] == 1.5


def test_a_sample_loses_and_leaves_the_sources(database: Database) -> None:
    with database.begin() as session:
        load_starter_list(session, read_starter_list())
        stock_id = session.scalars(select(Stock.id).where(Stock.nse_code == "TCS")).one()
    write(database, {stock_id: columns("Alpha Vantage", NOON - 4000 * DAY, currentPrice=5.0)})
    row = stock(database)
    assert row["current_price"] == 5
    assert row["market_cap"] > 5
    assert row["data_sources"] == "Alpha Vantage, Sample data"
    with database.begin() as session:
        fields = StockFieldProvenance.field
        kept = ("stock_name", "nse_code", "sector_name", "industry_name", "isin")
        for found in session.scalars(select(StockFieldProvenance).where(fields.not_in(kept))):
            if found.field != "current_price":
                session.delete(found)
    write(database, {stock_id: columns("Alpha Vantage", NOON, currentPrice=6.0)})
    assert stock(database)["data_sources"] == "Alpha Vantage"


def test_a_stock_that_is_gone_is_left_out(database: Database) -> None:
    stock_id = add(database)
    figures = columns("NSE", currentPrice=5.0)
    assert write(database, {stock_id: figures, stock_id + 1: figures}) == 1
    assert write(database, {}) == 0


def test_many_stocks_at_once(database: Database) -> None:
    count = STOCKS_AT_ONCE + 20
    with database.begin() as session:
        ids = [add_stock(session, f"Company {index}", f"C{index}") for index in range(count)]
    figures = {stock_id: columns("NSE", currentPrice=float(stock_id), week52Low=1.0) for stock_id in ids}
    assert write(database, figures) == count
    with database.read() as session:
        assert session.scalars(select(Stock.current_price).order_by(Stock.id)).all() == ids
        assert set(session.scalars(select(StockMetadata.week_52_low))) == {1.0}


def test_two_writers_of_one_stock_end_with_the_better_value(database: Database) -> None:
    stock_id = add(database)
    sources = ["NSE", "Yahoo Finance", "MoneyControl", "Alpha Vantage"] * 3
    threads = [
        threading.Thread(target=write, args=(database, {stock_id: columns(source, pe_ratio=float(place + 1))}))
        for place, source in enumerate(sources)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert origins(database)["pe_ttm"][0] == "NSE"
    assert stock(database)["pe_ttm"] in (1.0, 5.0, 9.0)
