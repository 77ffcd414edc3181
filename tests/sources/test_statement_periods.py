from __future__ import annotations

import pytest

from klyx.sources.statement_periods import Line, Period, PeriodTable, joined, parse_period


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Mar 25", "Mar 2025"),
        ("MAR '25", "Mar 2025"),
        (" Mar 2025 ", "Mar 2025"),
        ("March 2025", "Mar 2025"),
        ("Sept 24", "Sep 2024"),
        ("Dec-09", "Dec 2009"),
        ("Mar'98", "Mar 1998"),
    ],
)
def test_periods_in_all_their_spellings(text: str, label: str) -> None:
    period = parse_period(text)
    assert period is not None
    assert period.label == label


@pytest.mark.parametrize("text", ["12 mths", "Decrease 10", "Total 25", "", "2025", "Mar 3025", "Mar 25 (Rs)", "Ma 25"])
def test_other_text_is_no_period(text: str) -> None:
    assert parse_period(text) is None


def table(years: list[int], *lines: Line, month: int = 3) -> PeriodTable:
    return PeriodTable("", tuple(Period(year, month) for year in years), lines)


def test_pages_are_joined_by_label_and_year() -> None:
    newer = table([2025, 2024], Line("Sales", (5.0, 4.0)), Line("Others", (1.0, 1.0)), Line("Others", (2.0, 2.0)))
    older = table([2024, 2023], Line("Sales", (99.0, 3.0)), Line("Others", (8.0, 3.0)), Line("Gone", (7.0, 7.0)))
    whole = joined([newer, older])
    assert [period.label for period in whole.periods] == ["Mar 2025", "Mar 2024", "Mar 2023"]
    assert [(line.label, line.values) for line in whole.lines] == [
        ("Sales", (5.0, 4.0, 3.0)),
        ("Others", (1.0, 1.0, 3.0)),
        ("Others", (2.0, 2.0, None)),
        ("Gone", (None, None, 7.0)),
    ]


@pytest.mark.parametrize(
    "label",
    [
        "Basic EPS (Rs.)",
        "Diluted Eps",
        "Earnings Per Share",
        "Dividend Per Equity Share (Rs.)",
        "Book Value [Excl. Revaluation Reserve]/Share (Rs.)",
        "Equity Dividend Rate (%)",
        "Tax rate",
        "Dividend payout %",
        "Net Profit Margin (%)",
        "Current Ratio (X)",
    ],
)
def test_what_is_no_amount_stays_as_printed_in_a_table_of_lakhs(label: str) -> None:
    scaled = table([2025, 2024], Line("Sales", (500.0, None)), Line(label, (12.5, 10.0))).scaled(0.01)
    assert scaled.lines == (Line("Sales", (5.0, None)), Line(label, (12.5, 10.0)))


@pytest.mark.parametrize(
    "label",
    ["Operations", "Corporate Tax", "Share Capital", "6% Preference Shares", "Effect of Exchange Rate Changes"],
)
def test_amounts_are_scaled_whatever_words_their_labels_hold(label: str) -> None:
    assert table([2025], Line(label, (500.0,))).scaled(0.01).lines == (Line(label, (5.0,)),)


def test_no_pages_are_no_table() -> None:
    assert joined([]).lines == ()


def test_only_the_newest_month_is_kept_and_unusable_months_are_not() -> None:
    periods = (Period(2024, 3), Period(2022, 12), Period(2025, 3), Period(2025, 10))
    mixed = PeriodTable("", periods, (Line("Sales", (4.0, 2.0, 5.0, 6.0)), Line("Old", (None, 1.0, None, None))))
    kept = mixed.restricted(10)
    assert [period.label for period in kept.periods] == ["Mar 2025", "Mar 2024"]
    assert kept.lines == (Line("Sales", (5.0, 4.0)),)


def test_a_table_of_unusable_months_is_empty() -> None:
    assert table([2025], Line("Sales", (1.0,)), month=10).restricted(10).lines == ()
