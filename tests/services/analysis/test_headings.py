import pytest

from klyx.services.analysis.headings import heading_of, is_own_output, tidy_headings
from klyx.services.analysis.table import Cell
from tests.services.analysis.builders import table


@pytest.mark.parametrize(
    ("cell", "heading"),
    [
        ("  stock\n name ", "Stock Name"),
        ("<b>My</b> notes", "bMy/b notes"),
        ("x" * 300, "x" * 255),
        (None, ""),
        ("", ""),
        (True, ""),
        (2025, "2025"),
    ],
)
def test_heading_of(cell: Cell, heading: str) -> None:
    assert heading_of(cell) == heading


def test_repeats_are_dropped_with_or_without_a_number() -> None:
    tidy, problems = tidy_headings(
        table(
            ("Stock Name", "Current Price", "Current Price.1", "current price", "Market Capitalization.12"),
            ("Infosys Ltd.", 1, 2, 3, 4),
        )
    )
    assert tidy.columns == ("Stock Name", "Current Price")
    assert tidy.rows == (("Infosys Ltd.", 1),)
    assert problems == ()


def test_headings_with_digits_elsewhere_are_kept() -> None:
    tidy, _ = tidy_headings(table(("Stock Name", "Day SMA50", "v1.2 score", "S.1a"), ("x", 1, 2, 3)))
    assert tidy.columns == ("Stock Name", "Day SMA50", "v1.2 score", "S.1a")


def test_blank_headings_with_values_are_reported_and_empty_ones_are_not() -> None:
    tidy, problems = tidy_headings(
        table(("Stock Name", "", " ", ""), ("Infosys Ltd.", None, "lost", "-"), ("TCS", "", 5, None))
    )
    assert tidy.columns == ("Stock Name",)
    assert [problem.message for problem in problems] == [
        "Columns without a heading, left out: 1. Give each column its own heading."
    ]
    assert problems[0].source == "stocks.xlsx"


def test_headings_are_found_below_a_merged_title() -> None:
    tidy, _ = tidy_headings(
        table(
            ("My portfolio", "", ""),
            (None, None, None),
            ("Stock Name", "NSE code", None),
            ("Infosys Ltd.", "INFY", None),
        )
    )
    assert tidy.columns == ("Stock Name", "NSE Code")
    assert tidy.rows == (("Infosys Ltd.", "INFY"),)


def test_headings_are_searched_in_the_first_rows_only() -> None:
    rows = [("filler",)] * 10 + [("Stock Name",)]
    tidy, _ = tidy_headings(table(("Title",), *rows))
    assert tidy.columns == ("Title",)


def test_columns_the_analysis_writes_are_left_out_and_reported() -> None:
    tidy, problems = tidy_headings(
        table(("Stock Name", "tech_rsi", "_quality", "News_Headlines"), ("x", "boom", "boom", "boom"))
    )
    assert tidy.columns == ("Stock Name",)
    assert "Tech_RSI, _quality, News_Headlines" in problems[0].message


def test_own_output_is_recognised() -> None:
    assert is_own_output(table(("Stock Name", "Financial Insights", "Tech_Trend")))
    assert not is_own_output(table(("Stock Name", "Tech_Trend")))
