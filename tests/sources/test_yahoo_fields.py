"""Yahoo's names and units become the raw field vocabulary."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pandas as pd
import pytest

from klyx.sources.yahoo_fields import (
    dividend_yield,
    fields_from_balance_sheet,
    fields_from_info,
    fields_from_quarters,
    number,
)

RUPEE_COMPANY: dict[str, Any] = {"currency": "INR", "financialCurrency": "INR"}


def statement(rows: dict[str, list[float | None]], days: list[str]) -> pd.DataFrame:
    """A statement as yfinance hands it over: an item a row, a period a column."""
    return pd.DataFrame.from_dict(rows, orient="index", columns=pd.to_datetime(days)).astype(float)


@pytest.mark.parametrize("value", ["Infinity", "NaN", "12", None, {}, [], True, math.nan, math.inf, -math.inf])
def test_what_is_not_a_finite_number_is_unknown(value: object) -> None:
    assert number(value) is None


@pytest.mark.parametrize(("value", "expected"), [(0, 0.0), (-3, -3.0), (1.5, 1.5), (10**13, 1e13)])
def test_numbers_stay_zero_and_below_included(value: float, expected: float) -> None:
    assert number(value) == expected


def test_fractions_stay_fractions_whatever_their_size() -> None:
    info = {**RUPEE_COMPANY, "returnOnEquity": 1.7, "profitMargins": -0.62, "operatingMargins": 0.0}
    fields = fields_from_info(info)
    assert (fields["roe"], fields["profit_margin"], fields["operating_margin"]) == (1.7, -0.62, 0.0)


def test_a_price_or_market_cap_of_zero_is_unknown() -> None:
    info = {**RUPEE_COMPANY, "currentPrice": 0, "regularMarketPrice": 12.5, "marketCap": 0, "beta": 0}
    assert fields_from_info(info) == {"currentPrice": 12.5, "beta": 0.0, "_statement_currency": "INR"}


@pytest.mark.parametrize("currency", ["USD", None])
def test_statement_amounts_need_rupees(currency: str | None) -> None:
    info = {
        "currency": "INR",
        "financialCurrency": currency,
        "currentPrice": 1531.4,
        "totalRevenue": 19_500_000_000,
        "netIncomeToCommon": 3_200_000_000,
        "priceToBook": 573.6,
        "returnOnEquity": 0.29,
    }
    fields = fields_from_info(info)
    assert {"revenue", "net_income", "pb_ratio"}.isdisjoint(fields)
    assert (fields["currentPrice"], fields["roe"]) == (1531.4, 0.29)


def test_prices_in_another_currency_are_left_out() -> None:
    info = {
        "currency": "USD",
        "financialCurrency": "INR",
        "currentPrice": 20,
        "marketCap": 5,
        "totalRevenue": 7,
    }
    fields = fields_from_info(info)
    assert {"currentPrice", "marketCap"}.isdisjoint(fields)
    assert fields["revenue"] == 7.0


@pytest.mark.parametrize(("text", "expected"), [("none", None), ("", None), (3, None), ("strong_buy", "strong_buy")])
def test_recommendations(text: object, expected: str | None) -> None:
    assert fields_from_info({"recommendationKey": text}).get("recommendation_key") == expected


@pytest.mark.parametrize("yahoos_own", [0.4, 0.004, 40, None])
def test_a_dividend_yield_is_the_rate_by_the_price_whatever_unit_yahoo_uses(yahoos_own: float | None) -> None:
    info = {"dividendRate": 5.6, "currentPrice": 1400.0, "dividendYield": yahoos_own}
    assert dividend_yield(info) == pytest.approx(0.004)


def test_a_dividend_yield_without_a_rate_is_the_trailing_one() -> None:
    assert dividend_yield({"currentPrice": 100, "trailingAnnualDividendYield": 0.02, "dividendYield": 2.0}) == 0.02


def test_a_dividend_yield_of_unknown_unit_is_unknown() -> None:
    assert dividend_yield({"currentPrice": 100, "dividendYield": 2.0}) is None
    assert dividend_yield({"currentPrice": 100, "dividendRate": 0}) == 0.0


def test_the_newest_balance_sheet_with_figures_counts() -> None:
    table = statement(
        {"TotalAssets": [100.0, 120.0, None], "TotalDebt": [None, 0.0, None], "Goodwill": [1.0, 1.0, 5.0]},
        ["2024-03-31", "2025-03-31", "2026-03-31"],
    )
    assert fields_from_balance_sheet(table) == {"total_assets": 120.0, "total_debt": 0.0}


def test_quarters_that_have_not_ended_are_ignored() -> None:
    table = statement({"TotalRevenue": [200.0, 100.0], "NetIncome": [20.0, 10.0]}, ["2026-06-30", "2026-03-31"])
    fields = fields_from_quarters(table, date(2026, 6, 1))
    assert fields == {
        "quarterly_revenue": 100.0,
        "quarterly_net_income": 10.0,
        "quarterly_date": "2026-03-31",
    }


def test_growth_compares_with_the_same_quarter_even_when_one_is_missing() -> None:
    days = ["2026-06-30", "2026-03-31", "2025-12-31", "2025-06-30"]
    table = statement({"TotalRevenue": [110.0, 300.0, 300.0, 100.0]}, days)
    assert fields_from_quarters(table, date(2026, 8, 1))["quarterly_revenue_growth"] == pytest.approx(0.1)


@pytest.mark.parametrize("year_ago", [None, 0.0, -5.0])
def test_growth_on_nothing_is_unknown(year_ago: float | None) -> None:
    table = statement({"TotalRevenue": [110.0, year_ago]}, ["2026-06-30", "2025-06-30"])
    assert "quarterly_revenue_growth" not in fields_from_quarters(table, date(2026, 8, 1))


def test_statements_without_the_items_or_periods_are_empty() -> None:
    assert fields_from_balance_sheet(pd.DataFrame()) == {}
    assert fields_from_quarters(pd.DataFrame(), date(2026, 8, 1)) == {}
    only_profit = statement({"NetIncome": [5.0]}, ["2026-06-30"])
    assert fields_from_quarters(only_profit, date(2026, 8, 1))["quarterly_net_income"] == 5.0
