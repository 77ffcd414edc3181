import pytest

from klyx.services.analysis.cleaning import clean_cells
from klyx.services.analysis.table import Cell
from tests.services.analysis.builders import column, table


def only_cell(heading: str, cell: Cell) -> Cell:
    # The first column keeps a row alive whose other cell is missing.
    cleaned, _ = clean_cells(table(("kept", heading), ("x", cell)))
    return cleaned.rows[0][1]


@pytest.mark.parametrize(
    ("heading", "cell", "expected"),
    [
        ("Current Price", "1,234.5", 1234.5),
        ("ROE Annual %", "12.3%", 12.3),
        ("ROE Annual %", 0, 0),
        ("ROE Annual %", "0", 0.0),
        ("ROE Annual %", "Export NA", None),
        ("ROE Annual %", "", None),
        ("ROE Annual %", float("nan"), None),
        ("ROE Annual %", float("inf"), None),
        ("ROE Annual %", "high", None),
        ("ROE Annual %", True, None),
        ("Stock Name", "  Tata   Motors <i>Ltd.</i> ", "Tata Motors iLtd./i"),
        ("Stock Name", "Export NA", None),
        ("Stock Name", "<>", None),
        ("Stock Name", "<->", None),
        ("Stock Name", 3.0, "3"),
        ("Stock Name", "N" * 400, "N" * 255),
        ("NSE Code", "reliance.ns", "RELIANCE"),
        ("NSE Code", "M&M", "M&M"),
        ("NSE Code", "-", None),
        ("NSE Code", "not a code", None),
        ("BSE Code", 512599.0, "512599"),
        ("BSE Code", 512599, "512599"),
        ("BSE Code", "512599.0", "512599"),
        ("BSE Code", "Export NA", None),
        ("ISIN", " INE423A01024 ", "INE423A01024"),
        ("Result Announced Date", "2025-11-04T00:00:00", "2025-11-04"),
        ("Result Announced Date", "2025-11-04 00:00:00", "2025-11-04"),
        ("Result Announced Date", "2025-11-04", "2025-11-04"),
        ("DVM_classification_text", "nan", None),
        ("My notes", "=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("My notes", "<script>", "script"),
        ("My notes", "12.3%", "12.3%"),
        ("My notes", 7, 7),
        ("My notes", True, True),
        ("My notes", float("nan"), None),
        ("My notes", "-", None),
        ("My notes", None, None),
    ],
)
def test_clean_cell(heading: str, cell: Cell, expected: Cell) -> None:
    result = only_cell(heading, cell)
    assert result == expected
    assert type(result) is type(expected)


def test_text_in_number_cells_is_reported_once_per_column() -> None:
    _, problems = clean_cells(column("Current Price", "abc", 5, "<b>def</b>", "ghi", "Export NA"))
    assert len(problems) == 1
    assert problems[0].source == "stocks.xlsx"
    assert problems[0].message == (
        'In column "Current Price", cells that are not numbers: 3 (the first is "abc"). '
        "They count as missing; correct them and upload the file again."
    )


def test_messages_hold_no_markup_and_not_a_whole_cell() -> None:
    _, problems = clean_cells(column("Current Price", "<script>" + "x" * 500))
    assert "<" not in problems[0].message
    assert len(problems[0].message) < 200


def test_an_unusable_nse_code_is_reported() -> None:
    _, problems = clean_cells(table(("Stock Name", "NSE Code"), ("Infosys", "Infosys Limited")))
    assert 'not NSE symbols: 1 (the first is "Infosys Limited")' in problems[0].message


def test_empty_rows_are_dropped_silently() -> None:
    cleaned, problems = clean_cells(table(("Stock Name", "Current Price"), (None, ""), ("x", None), ("-", None)))
    assert cleaned.rows == (("x", None),)
    assert problems == ()


def test_a_table_without_rows_stays_one() -> None:
    cleaned, problems = clean_cells(table(("Stock Name",)))
    assert cleaned.rows == ()
    assert problems == ()
