import math
from dataclasses import fields, replace

import pytest

from klyx.services.analysis.ratios import (
    FinancialInputs,
    divide,
    financial_ratios,
    inputs_of_row,
    price_earnings_to_growth,
    ratios_of_row,
    return_on_capital_employed,
)
from klyx.services.analysis.table import Row

COMPANY = FinancialInputs(
    revenue=1000.0,
    cost_of_goods_sold=600.0,
    operating_income=200.0,
    ebit=200.0,
    ebitda=250.0,
    net_income=120.0,
    total_assets=2000.0,
    current_assets=500.0,
    inventory=100.0,
    receivables=250.0,
    cash=50.0,
    current_liabilities=250.0,
    total_debt=400.0,
    equity=800.0,
    interest_expense=40.0,
    current_portion_of_debt=60.0,
    price=30.0,
    shares=60.0,
    earnings_growth=0.15,
)

BY_HAND = {
    "roe": 0.15,
    "roa": 0.06,
    "gross_margin": 0.4,
    "operating_margin": 0.2,
    "net_margin": 0.12,
    "current_ratio": 2.0,
    "quick_ratio": 1.6,
    "cash_ratio": 0.2,
    "debt_to_equity": 0.5,
    "interest_coverage": 5.0,
    "debt_service_coverage": 2.0,
    "asset_turnover": 0.5,
    "inventory_turnover": 6.0,
    "receivables_turnover": 4.0,
    "days_sales_outstanding": 91.25,
    "eps": 2.0,
    "pe_ratio": 15.0,
    "book_value_per_share": 800.0 / 60.0,
    "pb_ratio": 2.25,
    "ps_ratio": 1.8,
    "ev_to_ebitda": 8.6,
    "peg_ratio": 1.0,
}


def test_every_ratio_by_hand() -> None:
    assert financial_ratios(COMPANY) == pytest.approx(BY_HAND)


def test_nothing_known_gives_nothing() -> None:
    assert set(financial_ratios(FinancialInputs()).values()) == {None}


@pytest.mark.parametrize("name", [field.name for field in fields(FinancialInputs)])
def test_one_missing_input_or_zero_invents_nothing(name: str) -> None:
    without = financial_ratios(replace(COMPANY, **{name: None}))
    for ratio, value in without.items():
        assert value is None or value == pytest.approx(BY_HAND[ratio])
    assert None in without.values()
    for value in financial_ratios(replace(COMPANY, **{name: 0.0})).values():
        assert value is None or math.isfinite(value)


def test_zero_is_a_figure_but_no_divisor() -> None:
    ratios = financial_ratios(replace(COMPANY, net_income=0.0, total_debt=0.0, revenue=0.0))
    assert ratios["roe"] == 0.0
    assert ratios["debt_to_equity"] == 0.0
    assert ratios["net_margin"] is None
    assert ratios["pe_ratio"] is None


def test_two_negatives_make_no_excellent_return() -> None:
    ratios = financial_ratios(replace(COMPANY, net_income=-120.0, equity=-800.0))
    assert ratios["roe"] is None
    assert ratios["debt_to_equity"] is None
    assert ratios["pe_ratio"] == -15.0


@pytest.mark.parametrize(
    ("pe_ratio", "growth", "expected"),
    [(30.0, 0.15, 2.0), (30.0, 0.0, None), (30.0, -0.1, None), (None, 0.1, None), (30.0, None, None)],
)
def test_price_earnings_to_growth(pe_ratio: float | None, growth: float | None, expected: float | None) -> None:
    assert price_earnings_to_growth(pe_ratio, growth) == expected


@pytest.mark.parametrize(
    ("ebit", "assets", "liabilities", "expected"),
    [(150.0, 1500.0, 500.0, 0.15), (150.0, 500.0, 500.0, None), (150.0, 400.0, 500.0, None), (None, 2.0, 1.0, None)],
)
def test_return_on_capital_employed(
    ebit: float | None, assets: float | None, liabilities: float | None, expected: float | None
) -> None:
    assert return_on_capital_employed(ebit, assets, liabilities) == expected


def test_divide_never_leaves_the_finite_numbers() -> None:
    assert divide(1e308, 1e-10) is None
    assert divide(0.0, 5.0) == 0.0


def test_inputs_of_a_row() -> None:
    row: Row = {
        "Current Price": 50.0,
        "Market Capitalization": 5000.0,
        "Operating Revenue Annual": 900.0,
        "Operating Profit Annual": 90.0,
        "Revenue Growth Annual YoY %": 40.0,
        "Net Profit Annual YoY Growth %": 20.0,
    }
    inputs = inputs_of_row(row)
    assert inputs.shares == 100.0
    assert inputs.ebit == inputs.operating_income == 90.0
    assert inputs.earnings_growth == 0.2
    assert inputs_of_row({**row, "EPS TTM Growth %": 10.0}).earnings_growth == 0.1
    assert (inputs.interest_expense, inputs.inventory, inputs.cash) == (None, None, None)


def test_what_a_row_states_wins_over_what_is_computed() -> None:
    row: Row = {
        "Net Profit Annual": 120.0,
        "YF_StockholdersEquity": 800.0,
        "YF_TotalAssets": 2000.0,
        "ROE Annual %": 17.6,
        "Operating Profit Margin Qtr %": 14.93,
        "PE TTM Price to Earnings": 60.66,
    }
    ratios = ratios_of_row(row)
    assert ratios["roe"] == pytest.approx(0.176)
    assert ratios["operating_margin"] == pytest.approx(0.1493)
    assert ratios["pe_ratio"] == 60.66
    assert ratios["roa"] == pytest.approx(0.06)


def test_a_stated_zero_wins_too() -> None:
    row: Row = {"Net Profit Annual": 120.0, "YF_StockholdersEquity": 800.0, "ROE Annual %": 0}
    assert ratios_of_row(row)["roe"] == 0
