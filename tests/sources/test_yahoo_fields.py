"""Yahoo's names and units become the raw field vocabulary."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest

from klyx.sources.yahoo_fields import dividend_yield, fields_from_info, fields_from_series
from klyx.sources.yahoo_numbers import number
from klyx.sources.yahoo_series import Points, Series
from klyx.sources.yahoo_statements import piotroski_score

RUPEE_COMPANY: dict[str, Any] = {"currency": "INR", "financialCurrency": "INR"}


def points(series: dict[str, dict[str, float]]) -> dict[str, Points]:
    return {item: {date.fromisoformat(day): value for day, value in by_day.items()} for item, by_day in series.items()}


def annual(**items: dict[str, float]) -> Series:
    return Series(annual=points(items), currency="INR")


def quarterly(**items: dict[str, float]) -> Series:
    return Series(quarterly=points(items), currency="INR")


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


def test_a_dividend_yield_is_the_trailing_one_where_no_rate_is_told() -> None:
    info = {"currentPrice": 100, "trailingAnnualDividendYield": 0.02, "dividendYield": 2.0}
    assert dividend_yield({**info, "financialCurrency": "INR"}) == 0.02
    assert dividend_yield({**info, "financialCurrency": "INR", "trailingAnnualDividendYield": 0.0}) is None


@pytest.mark.parametrize(("currency", "trailing"), [("INR", 0.0), ("INR", 0.02), ("USD", 0.00034)])
def test_the_announced_rate_comes_before_the_trailing_yield(currency: str, trailing: float) -> None:
    info = {"currentPrice": 1500.0, "trailingAnnualDividendYield": trailing, "financialCurrency": currency}
    assert dividend_yield({**info, "dividendRate": 45.0}) == pytest.approx(0.03)


@pytest.mark.parametrize("currency", ["USD", None])
def test_a_trailing_yield_in_dollars_is_no_yield(currency: str | None) -> None:
    info = {"currentPrice": 1500.0, "trailingAnnualDividendYield": 0.00034, "financialCurrency": currency}
    assert dividend_yield(info) is None


def test_a_dividend_yield_of_unknown_unit_is_unknown() -> None:
    assert dividend_yield({"currentPrice": 100, "dividendYield": 2.0}) is None
    assert dividend_yield({"currentPrice": 100, "dividendRate": 0}) == 0.0


def test_the_newest_balance_sheet_with_figures_counts() -> None:
    found = fields_from_series(
        annual(
            TotalAssets={"2024-03-31": 100.0, "2025-03-31": 120.0},
            TotalDebt={"2025-03-31": 0.0},
            Goodwill={"2026-03-31": 5.0},
        ),
        date(2026, 6, 1),
    )
    assert found == {"total_assets": 120.0, "total_debt": 0.0}


def test_quarters_that_have_not_ended_are_ignored() -> None:
    found = fields_from_series(
        quarterly(
            TotalRevenue={"2026-06-30": 200.0, "2026-03-31": 100.0}, NetIncome={"2026-06-30": 20.0, "2026-03-31": 10.0}
        ),
        date(2026, 6, 1),
    )
    assert found == {"quarterly_revenue": 100.0, "quarterly_net_income": 10.0, "quarterly_date": "2026-03-31"}


@pytest.mark.parametrize(
    ("revenue", "income", "margin"), [(200.0, 50.0, 0.25), (200.0, -50.0, -0.25), (0.0, 5.0, None), (200.0, None, None)]
)
def test_the_quarters_margin_is_operating_income_by_revenue_of_that_quarter(
    revenue: float, income: float | None, margin: float | None
) -> None:
    operating = {"2026-03-31": 70.0, **({} if income is None else {"2026-06-30": income})}
    items = {
        "TotalRevenue": {"2026-03-31": 100.0, "2026-06-30": revenue},
        "OperatingIncome": operating,
        "NetIncome": {"2026-06-30": 10.0},
    }
    for in_rupees in (True, False):
        found = fields_from_series(quarterly(**items), date(2026, 8, 1), in_rupees=in_rupees)
        assert found.get("quarterly_operating_margin") == margin


def test_growth_compares_with_the_same_quarter_even_when_one_is_missing() -> None:
    revenue = {"2026-06-30": 110.0, "2026-03-31": 300.0, "2025-12-31": 300.0, "2025-06-30": 100.0}
    found = fields_from_series(quarterly(TotalRevenue=revenue), date(2026, 8, 1))
    assert found["quarterly_revenue_growth"] == pytest.approx(0.1)


def test_annual_and_quarterly_growth_are_never_mixed() -> None:
    both = Series(
        annual(TotalRevenue={"2025-03-31": 400.0, "2026-03-31": 500.0}, NetIncome={"2026-03-31": 5.0}).annual,
        quarterly(TotalRevenue={"2026-03-31": 90.0}, NetIncome={"2025-03-31": 1.0, "2026-03-31": 3.0}).quarterly,
        currency="INR",
    )
    found = fields_from_series(both, date(2026, 8, 1))
    assert found["revenue_growth"] == pytest.approx(0.25)
    assert found["quarterly_profit_growth"] == pytest.approx(2.0)
    assert {"profit_growth", "quarterly_revenue_growth"}.isdisjoint(found)


@pytest.mark.parametrize("year_ago", [None, 0.0, -5.0])
def test_growth_on_nothing_is_unknown(year_ago: float | None) -> None:
    before = {} if year_ago is None else {"2025-06-30": year_ago}
    found = fields_from_series(quarterly(TotalRevenue={"2026-06-30": 110.0, **before}), date(2026, 8, 1))
    assert "quarterly_revenue_growth" not in found


def test_statements_without_the_items_or_periods_are_empty() -> None:
    assert fields_from_series(Series(), date(2026, 8, 1)) == {}
    only_profit = quarterly(NetIncome={"2026-06-30": 5.0})
    assert fields_from_series(only_profit, date(2026, 8, 1))["quarterly_net_income"] == 5.0


STRONG = {
    "NetIncome": (10.0, 20.0),
    "OperatingCashFlow": (9.0, 25.0),
    "TotalAssets": (200.0, 210.0),
    "LongTermDebt": (60.0, 50.0),
    "CurrentAssets": (50.0, 70.0),
    "CurrentLiabilities": (40.0, 45.0),
    "OrdinarySharesNumber": (5.0, 5.0),
    "GrossProfit": (40.0, 60.0),
    "TotalRevenue": (100.0, 130.0),
}


def score(**changes: tuple[float, float] | None) -> int | None:
    figures = {name: values for name, values in {**STRONG, **changes}.items() if values is not None}
    years = (date(2025, 3, 31), date(2026, 3, 31))
    annual_figures = {name: dict(zip(years, values, strict=True)) for name, values in figures.items()}
    return piotroski_score(annual_figures, *reversed(years))


def test_each_of_piotroskis_signals_is_worth_a_point() -> None:
    assert score() == 9
    assert score(OperatingCashFlow=(9.0, 15.0)) == 8
    assert score(LongTermDebt=(60.0, 90.0)) == 8
    assert score(CurrentAssets=(50.0, 45.0)) == 8
    assert score(OrdinarySharesNumber=(5.0, 6.0)) == 8
    assert score(GrossProfit=(60.0, 60.0)) == 8
    assert score(NetIncome=(10.0, -5.0)) == 7
    assert score(OperatingCashFlow=(9.0, -30.0)) == 7
    assert score(TotalRevenue=(140.0, 130.0)) == 8


@pytest.mark.parametrize("missing", STRONG)
def test_a_signal_that_cannot_be_judged_leaves_the_score_unknown(missing: str) -> None:
    assert score(**{missing: None}) is None
