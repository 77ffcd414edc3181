from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import func, select

from bench import stock_names
from bench.stocks import FACT_COLUMNS, STOCK_COLUMNS, fill, generate
from klyx.database import Database, DatabaseSettings
from klyx.database.models import Stock, StockMetadata

COUNT = 2_400
Row = dict[str, Any]

# Contract of the screener: what each preset asks for.
PRESETS: dict[str, Callable[[Row], bool]] = {
    "value": lambda row: (
        0 < row["pe_ttm"] < 20
        and row["roe_annual_pct"] >= 15
        and row["market_cap"] > 1e10
        and row["debt_to_equity"] < 1
        and row["current_ratio"] > 1.5
    ),
    "growth": lambda row: (
        row["revenue_growth_yoy_pct"] >= 20
        and row["profit_growth_yoy_pct"] >= 15
        and row["roe_annual_pct"] >= 18
        and row["market_cap"] > 5e9
    ),
    "momentum": lambda row: (
        row["month_change_pct"] > 5
        and row["qtr_change_pct"] > 10
        and 40 <= row["rsi"] <= 70
        and row["momentum_score"] >= 60
    ),
    "dividend": lambda row: (
        row["dividend_yield_pct"] >= 3
        and row["roe_annual_pct"] >= 12
        and row["debt_to_equity"] < 0.8
        and row["current_ratio"] > 1.5
        and row["market_cap"] > 1e10
    ),
    "quality": lambda row: (
        row["roe_annual_pct"] >= 20
        and row["roa_annual_pct"] >= 10
        and row["operating_margin_pct"] >= 15
        and row["debt_to_equity"] < 0.5
        and row["current_ratio"] > 2
        and row["promoter_holding_pct"] >= 50
    ),
    "garp": lambda row: (
        row["revenue_growth_yoy_pct"] >= 15
        and 0 < row["pe_ttm"] < 25
        and row["roe_annual_pct"] >= 15
        and row["peg_ratio"] < 1.5
    ),
    "breakout": lambda row: (
        50 <= row["rsi"] <= 75
        and row["day_change_pct"] > 2
        and row["month_change_pct"] > 8
        and row["adx"] > 25
        and row["market_cap"] > 5e9
    ),
    "low_volatility": lambda row: (
        row["beta_1yr"] < 0.8
        and row["roe_annual_pct"] >= 12
        and row["debt_to_equity"] < 0.7
        and row["market_cap"] > 1e10
        and row["dividend_yield_pct"] >= 1.5
    ),
    "minervini_trend": lambda row: (
        row["current_price"] > row["sma_50"] > row["sma_200"]
        and row["current_price"] > 1.3 * row["week_52_low"]
        and row["current_price"] > 0.75 * row["week_52_high"]
    ),
    "golden_crossover": lambda row: row["current_price"] > row["sma_50"] > row["sma_200"] and row["rsi"] > 50,
    "rsi_oversold": lambda row: 0 < row["rsi"] < 30 and row["market_cap"] > 5e9,
    "momentum_master": lambda row: (
        row["momentum_score"] >= 70 and row["rsi"] > 55 and row["current_price"] > row["sma_50"]
    ),
    "smart_money": lambda row: row["promoter_holding_pct"] > 40 and row["institutional_holding_pct"] > 25,
    "magic_formula": lambda row: (
        row["roce_annual_pct"] > 20 and row["earnings_yield_pct"] > 5 and row["market_cap"] > 5e9
    ),
    "canslim_growth": lambda row: (
        row["eps_growth_pct"] > 20 and row["rel_strength_score"] > 80 and row["current_price"] > 50
    ),
}


class Unknown(Exception):
    """A figure the condition needs is missing."""


class Known(dict[str, Any]):
    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if value is None:
            raise Unknown(name)
        return value


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(generate(COUNT))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(DatabaseSettings(url=database_url))
    yield database
    database.dispose()


def matches(row: Row, condition: Callable[[Row], bool]) -> bool:
    try:
        return row["data_quality_score"] is not None and row["data_quality_score"] >= 30 and condition(Known(row))
    except Unknown:
        return False


def test_the_same_seed_gives_the_same_rows_whatever_the_count(rows: list[Row]) -> None:
    assert list(islice(generate(100_000), COUNT)) == rows
    assert list(generate(20, seed=21)) != rows[:20]


def test_every_column_has_values_and_gaps(rows: list[Row]) -> None:
    for name in (*STOCK_COLUMNS, *FACT_COLUMNS):
        unknown = sum(row[name] is None for row in rows)
        assert unknown < COUNT, f"{name} has no value"
        if name not in ("stock_name", "created_at"):
            assert unknown > COUNT * 0.005, f"{name} has next to no gap: {unknown}"


def test_some_stocks_are_known_by_name_only(rows: list[Row]) -> None:
    bare = [row for row in rows if all(row[name] is None for name in (*FACT_COLUMNS, "current_price", "market_cap"))]
    assert 10 < len(bare) < 100


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_finds_some_stocks_but_not_most(rows: list[Row], preset: str) -> None:
    found = sum(matches(row, PRESETS[preset]) for row in rows)
    assert 5 <= found < COUNT / 3


def test_figures_agree_with_one_another(rows: list[Row]) -> None:
    for row in map(Known, rows):
        if row.get("net_profit_annual") is None or row.get("market_cap") is None:
            continue
        makes_profit = row["net_profit_annual"] > 0
        if row.get("pe_ttm") is not None:
            assert (row["pe_ttm"] > 0) == makes_profit
        if row.get("net_profit_margin_pct") is not None:
            assert (row["net_profit_margin_pct"] > 0) == makes_profit
    holders = [[row[f"{who}_holding_pct"] for who in ("promoter", "fii", "dii", "institutional")] for row in rows]
    for promoter, foreign, domestic, institutional in holders:
        if None not in (promoter, foreign, domestic, institutional):
            assert promoter + institutional < 100
            assert institutional == pytest.approx(foreign + domestic, abs=1e-3)
    years = [(row["week_52_low"], row["current_price"], row["week_52_high"]) for row in rows]
    assert all(low <= price <= high for low, price, high in years if None not in (low, price, high))


def test_names_scale() -> None:
    few = [stock_names.identity_of(number) for number in range(COUNT)]
    many = [stock_names.identity_of(number) for number in range(100_000)]
    assert len({who.nse_code for who in many}) == len(many)
    assert {"M&M", "BAJAJ-AUTO"} <= {who.nse_code for who in few}
    word = stock_names.house_word(40)
    for companies in (few, many):
        assert sum(word in who.stock_name for who in companies) == stock_names.COMPANIES_PER_HOUSE
        assert sum("india" in who.stock_name.lower() for who in companies) > len(companies) / 10
    assert len(Counter(who.sector_name for who in few)) == len(stock_names.SECTORS)
    assert len(Counter(who.industry_name for who in few)) == sum(map(len, stock_names.SECTORS.values()))


def test_a_filled_database_holds_what_was_generated(database: Database) -> None:
    fill(database, 300)
    fill(database, 0)
    with database.read() as session:
        stocks = session.scalars(select(Stock).order_by(Stock.id)).all()
        facts = {one.stock_id: one for one in session.scalars(select(StockMetadata))}
    made = list(generate(300))
    assert len(stocks) == len(made)
    for stock, row in zip(stocks, made, strict=True):
        assert {name: getattr(stock, name) for name in STOCK_COLUMNS} == {name: row[name] for name in STOCK_COLUMNS}
        expected = {name: row[name] for name in FACT_COLUMNS}
        stored = {name: getattr(facts[stock.id], name) for name in FACT_COLUMNS} if stock.id in facts else {}
        assert stored == (expected if any(value is not None for value in expected.values()) else {})


def test_a_stock_can_be_added_after_filling(database: Database) -> None:
    fill(database, 20)
    with database.begin() as session:
        session.add(Stock(stock_name="A later one", nse_code="LATER"))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Stock)) == 21


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_filling_gives_the_connections_back_and_tells_the_planner(database: Database) -> None:
    fill(database, 200)
    assert database.pool is not None
    assert database.pool.lent_count == 0
    with database.read() as session:
        planned_for = session.scalar(select(func.pg_stat_get_live_tuples(func.to_regclass("stocks"))))
    assert planned_for == 200
