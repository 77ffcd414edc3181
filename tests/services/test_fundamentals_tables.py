from __future__ import annotations

import math
from typing import Any

import pytest

from klyx.services.fundamentals_tables import count_periods, empty_sections, newest_period, usable_sections


def usable(*rows: dict[str, Any]) -> list[dict[str, str | float | None]]:
    return usable_sections({"profit_loss": rows})["profit_loss"]


def test_all_four_sections_are_there() -> None:
    assert usable_sections({}) == {"balance_sheet": [], "profit_loss": [], "cash_flow": [], "ratios": []}
    assert usable_sections({}) == empty_sections()


def test_every_row_has_the_same_periods_the_label_first_and_the_newest_year_next() -> None:
    rows = usable(
        {"Mar 2023": 1, "headers": "Sales", "Mar 2025": 3.5},
        {"headers": "Tax", "Mar 2024": 2.0},
    )
    assert [list(row.items()) for row in rows] == [
        [("headers", "Sales"), ("Mar 2025", 3.5), ("Mar 2024", None), ("Mar 2023", 1.0)],
        [("headers", "Tax"), ("Mar 2025", None), ("Mar 2024", 2.0), ("Mar 2023", None)],
    ]


def test_months_are_not_mixed_and_ten_years_are_enough() -> None:
    years = {f"Mar {year}": 1.0 for year in range(2010, 2026)}
    rows = usable({"headers": "Sales", **years, "Dec 2024": 9.0, "Oct 2025": 9.0}, {"headers": "Tax", **years})
    assert list(rows[0]) == ["headers", *(f"Mar {year}" for year in range(2025, 2015, -1))]


@pytest.mark.parametrize("value", ["1,000", True, {}, [], math.nan, math.inf, -math.inf, 1e20, None])
def test_what_is_no_number_is_unknown(value: object) -> None:
    rows = usable({"headers": "Sales", "Mar 2025": value, "Mar 2024": 1.0}, {"headers": "Tax", "Mar 2025": 1.0})
    assert rows[0]["Mar 2025"] is None


def test_labels_cannot_hold_markup_and_rows_without_one_are_left_out() -> None:
    rows = usable(
        {"headers": "<b>Sales</b>\n&  more", "Mar 2025": 1.0},
        {"headers": " <> ", "Mar 2025": 1.0},
        {"headers": None, "Mar 2025": 1.0},
        {"headers": "x" * 1000, "Mar 2025": 1.0},
    )
    assert [row["headers"] for row in rows] == ["bSales/b & more", "x" * 200]


def test_a_single_row_is_no_section() -> None:
    assert usable({"headers": "Sales", "Mar 2025": 1.0}, {"headers": "Nothing", "Mar 2025": None}) == []


def test_how_new_and_how_much() -> None:
    rows: list[dict[str, Any]] = [{"headers": "Sales", "Mar 2025": 1.0, "Mar 2024": 1.0}]
    assert newest_period({"profit_loss": rows, "ratios": []}).label == "Mar 2025"
    assert newest_period({}) < newest_period({"profit_loss": rows})
    assert count_periods({"profit_loss": rows, "ratios": []}) == 2
