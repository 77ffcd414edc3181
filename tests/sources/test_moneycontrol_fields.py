from __future__ import annotations

from datetime import date

import pytest

from klyx.sources.moneycontrol_fields import crores_per_unit, fields_from_holdings, fields_from_profit_loss
from klyx.sources.moneycontrol_tables import Grid
from klyx.sources.statement_periods import Line, Period, PeriodTable

TODAY = date(2025, 11, 20)
CRORE = 10_000_000


def profit_loss(periods: tuple[Period, ...], revenue: tuple[float | None, ...]) -> PeriodTable:
    return PeriodTable("", periods, (Line("Total Operating Revenues", revenue),))


@pytest.mark.parametrize(
    ("heading", "factor"),
    [
        ("Balance Sheet of X (in Rs. Cr.)", 1.0),
        ("Balance Sheet of X (Rs. in Crores)", 1.0),
        ("Balance Sheet of X (in Rs. Lakhs)", 0.01),
        ("Balance Sheet of X (in Rs. Mn)", 0.1),
        ("Balance Sheet of X (in USD Mn)", None),
        ("Balance Sheet of X", None),
    ],
)
def test_the_unit_is_read_from_the_heading(heading: str, factor: float | None) -> None:
    assert crores_per_unit(heading) == factor


def test_figures_of_the_newest_year_in_rupees() -> None:
    lines = (
        Line("Total Operating Revenues", (120.0, 100.0)),
        Line("Other Income", (5.0, 5.0)),
        Line("Finance Costs", (2.0, 2.0)),
        Line("Total Expenses", (102.0, 97.0)),
        Line("Profit/Loss For The Period", (15.0, -3.0)),
        Line("Basic EPS (Rs.)", (1.5, 1.0)),
    )
    table = PeriodTable("", (Period(2025, 3, 12), Period(2024, 3, 12)), lines)
    assert fields_from_profit_loss(table, TODAY) == {
        "revenue": 120.0 * CRORE,
        "net_income": 15.0 * CRORE,
        "operating_income": 20.0 * CRORE,
        "revenue_growth": pytest.approx(0.2),
        "eps_growth": pytest.approx(0.5),
        "profit_margin": pytest.approx(0.125),
        "operating_margin": pytest.approx(1 / 6),
    }


def test_the_years_earnings_per_share_are_not_told_as_those_of_four_quarters() -> None:
    lines = (Line("Sales", (120.0, 100.0)), Line("Basic EPS (Rs.)", (1.5, 1.0)))
    fields = fields_from_profit_loss(PeriodTable("", (Period(2025, 3, 12), Period(2024, 3, 12)), lines), TODAY)
    assert "basic_eps" not in fields
    assert fields["eps_growth"] == pytest.approx(0.5)


def test_growth_needs_the_year_before() -> None:
    table = profit_loss((Period(2025, 3, 12), Period(2023, 3, 12)), (120.0, 100.0))
    assert fields_from_profit_loss(table, TODAY) == {"revenue": 120.0 * CRORE}


def test_fifteen_months_are_no_year() -> None:
    table = profit_loss((Period(2025, 3, 15), Period(2024, 3, 12)), (150.0, 100.0))
    assert fields_from_profit_loss(table, TODAY) == {"revenue": 100.0 * CRORE}


def test_old_statements_say_nothing_of_today() -> None:
    assert fields_from_profit_loss(profit_loss((Period(2021, 3),), (5.0,)), TODAY) == {}


def test_an_unknown_amount_is_left_out_and_a_zero_is_not() -> None:
    assert fields_from_profit_loss(profit_loss((Period(2025, 3),), (None,)), TODAY) == {}
    assert fields_from_profit_loss(profit_loss((Period(2025, 3),), (0.0,)), TODAY) == {"revenue": 0.0}


def owners(*rows: tuple[str, ...]) -> list[Grid]:
    return [[["Sensex", "81,000"]], [["Type", "Sep 2025", "Mar 2025", "Jun 2025"], *(list(row) for row in rows)]]


def test_owners_with_their_changes_in_a_quarter() -> None:
    found = fields_from_holdings(
        owners(
            ("Pledged Promoter Shares", "9.00", "9.00", "9.00"),
            ("Promoter Holding", "50.25%", "40.00", "50.00"),
            ("Non-Promoter", "49.75", "49.75", "49.75"),
            ("FII", "10.00", "12.00", "--"),
            ("Mutual Funds", "6.00", "5.00", "7.00"),
            ("DII", "20.50", "20.00", "20.00"),
            ("Public & Others", "19.25", "19.00", "19.00"),
        )
    )
    assert found == {
        "promoter_holding": 0.5025,
        "fii_holding": 0.1,
        "mf_holding": 0.06,
        "dii_holding": 0.205,
        "public_holding": 0.1925,
        "promoter_holding_change": 0.0025,
        "mf_holding_change": -0.01,
        "institutional_holding": 0.305,
    }


def test_the_total_counts_before_its_parts() -> None:
    found = fields_from_holdings(
        [
            [
                ["Indian Promoters", "10", "1,00,000", "30.00"],
                ["Foreign Promoters", "2", "50,000", "20.00"],
                ["Total shareholding of Promoter and Promoter Group", "12", "1,50,000", "50.00"],
                ["Foreign Institutional Investors", "30", "9,000", "12.5"],
            ]
        ]
    )
    assert found == {"promoter_holding": 0.5, "fii_holding": 0.125}


@pytest.mark.parametrize("share", ["1,500.00", "-5.0", "n.a."])
def test_what_is_no_share_is_left_out(share: str) -> None:
    found = fields_from_holdings(owners(("Promoter", "50", "50", "50"), ("FII", share, "1", "1")))
    assert "fii_holding" not in found


def test_more_than_everything_is_nothing() -> None:
    assert fields_from_holdings(owners(("Promoter", "70", "", ""), ("Public", "70", "", ""))) == {}


def test_tables_without_promoters_are_no_owners() -> None:
    assert fields_from_holdings(owners(("FII", "10", "10", "10"))) == {}
