from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from klyx.services.market_data.columns import ColumnValue, stock_columns
from klyx.services.market_data.merge import merge
from klyx.services.market_data.vocabulary import NUMBERS, TEXTS
from klyx.sources.base import SourceRecord, StatementKind

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def record(source: str, kind: StatementKind | None = None, **fields: Any) -> SourceRecord:
    return SourceRecord("TCS", source, NOON, fields, kind)


def columns(*records: SourceRecord) -> dict[str, ColumnValue]:
    return stock_columns(merge(records))


def values(*records: SourceRecord) -> dict[str, Any]:
    return {column: found.value for column, found in columns(*records).items()}


def test_fractions_become_percent_points_at_any_size_and_sign() -> None:
    found = values(record("Yahoo Finance", roe=0.1488, roa=-0.07, revenue_growth=3.4, dividend_yield=0.0123))
    assert found == {
        "roe_annual_pct": 14.88,
        "roa_annual_pct": -7,
        "revenue_growth_yoy_pct": 340,
        "dividend_yield_pct": 1.23,
    }


def test_everything_else_stays_as_it_is() -> None:
    found = columns(record("NSE", marketCap=2_769_237_400_000.0, piotroski=7.0, recommendation_key="buy", _sector="IT"))
    assert found["market_cap"] == ColumnValue(2_769_237_400_000.0, "NSE", NOON, None)
    assert repr(found["piotroski_score"].value) == "7"
    assert found["recommendation_key"].value == "buy"
    assert found["sector_name"].value == "IT"


def test_a_value_carries_source_moment_and_statement_kind() -> None:
    found = columns(record("MoneyControl", "consolidated", net_income=5e9, promoter_holding=0.5))
    assert found["net_profit_annual"] == ColumnValue(5e9, "MoneyControl", NOON, "consolidated")
    assert found["promoter_holding_pct"] == ColumnValue(50.0, "MoneyControl", NOON, None)


def test_what_follows_from_one_source_is_calculated() -> None:
    whole = record(
        "MoneyControl",
        "standalone",
        currentPrice=102.0,
        _previous_close=100.0,
        total_debt=3e9,
        stockholders_equity=6e9,
        current_assets=4e9,
        current_liabilities=2e9,
        total_assets=12e9,
        revenue=20e9,
        net_income=3e9,
        operating_income=5e9,
        fii_holding=0.12,
        dii_holding=0.08,
    )
    found = columns(whole)
    calculated = {column: value.value for column, value in found.items() if value.source == "Klyx"}
    assert calculated == pytest.approx(
        {
            "day_change_pct": 2.0,
            "debt_to_equity": 0.5,
            "current_ratio": 2.0,
            "institutional_holding_pct": 20.0,
            "net_profit_margin_pct": 15.0,
            "operating_margin_pct": 25.0,
            "roe_annual_pct": 50.0,
            "roa_annual_pct": 25.0,
            "roce_annual_pct": 50.0,
        }
    )
    assert found["roe_annual_pct"].statement_kind == "standalone"
    assert found["day_change_pct"].statement_kind is None


def test_figures_of_two_sources_do_not_meet_in_one_ratio() -> None:
    found = values(
        record("Yahoo Finance", total_debt=3e9, currentPrice=100.0),
        record("MoneyControl", stockholders_equity=6e9, total_debt=2e9, _previous_close=98.0),
    )
    assert found == {"total_debt": 3e9, "current_price": 100.0, "stockholders_equity": 6e9}


def test_a_margin_that_a_source_states_comes_first() -> None:
    found = columns(record("Yahoo Finance", profit_margin=0.2, net_income=3e9, revenue=20e9))
    assert (found["net_profit_margin_pct"].value, found["net_profit_margin_pct"].source) == (20.0, "Yahoo Finance")


def test_institutions_are_the_sum_of_the_filing_and_not_the_proxy() -> None:
    yahoo = record("Yahoo Finance", institutional_holding=0.31)
    assert values(yahoo)["institutional_holding_pct"] == 31
    found = values(yahoo, record("MoneyControl", fii_holding=0.12, dii_holding=0.08))
    assert found["institutional_holding_pct"] == 20


def test_nothing_is_divided_by_what_is_not_there() -> None:
    found = values(record("MoneyControl", total_debt=3e9, stockholders_equity=-6e9, net_income=-2e9))
    assert found == {"total_debt": 3e9, "stockholders_equity": -6e9, "net_profit_annual": -2e9}


def test_nothing_known_gives_nothing() -> None:
    assert columns() == {}
    assert columns(record("NSE")) == {}


def test_each_column_is_that_of_one_raw_field() -> None:
    named = [field.column for field in NUMBERS.values() if field.column is not None]
    named += [field.column for field in TEXTS.values() if field.column is not None]
    assert len(named) == len(set(named))
