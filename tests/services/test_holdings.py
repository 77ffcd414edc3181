from __future__ import annotations

import pytest

from klyx.services.analysis.table import Cell, Table
from klyx.services.holdings import Holding, corrected, count_stocks, holdings_of
from klyx.workbooks import WorkbookRefused


def table(*rows: tuple[Cell, ...]) -> Table:
    return Table("a.csv", tuple(str(cell) for cell in rows[0]), rows[1:])


def holding(stock_name: str | None, nse_code: str | None = None, symbol: str | None = None) -> Holding:
    return {"nse_code": nse_code, "stock_name": stock_name, "symbol": symbol}


def test_holdings_as_written_without_sentinels_and_repeats() -> None:
    read = table(
        ("stock name", "Price", "NSE Code"),
        ("  Infosys   Ltd. ", 1.5, "INFY"),
        ("Infosys Ltd.", 2, "INFY"),
        ("Export NA", 3, "-"),
        ("TCS", None, None),
        (None, 4, "WIPRO"),
        (512599.0, None, None),
    )
    assert holdings_of(read) == [
        holding("Infosys Ltd.", "INFY"),
        holding("TCS"),
        holding(None, "WIPRO"),
        holding("512599"),
    ]


def test_headings_below_a_title() -> None:
    read = table(("My list", "x"), (None, None), ("Stock Name", "Symbol"), ("TCS", "TCS"))
    assert holdings_of(read) == [holding("TCS", symbol="TCS")]


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (table(("NSE Code", "Price"), ("infy.ns", 1), ("-", 2)), [holding("INFY", "infy.ns")]),
        (table(("Ticker",), ("TCS.NS",)), [holding("TCS", symbol="TCS.NS")]),
        (table(("Symbol",), ("Tata Consultancy",)), [holding("Tata Consultancy", symbol="Tata Consultancy")]),
        (table(("COMPANY", "Ticker"), ("Infosys", "INFY")), [holding("Infosys", symbol="INFY")]),
    ],
)
def test_symbols_and_companies_are_names_where_there_are_no_others(read: Table, expected: list[Holding]) -> None:
    assert holdings_of(read) == expected
    assert count_stocks(expected) == 1


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (table(("Price",), (1,)), 'There is no "Stock Name" column'),
        (table(("Stock Name",)), "no stocks"),
        (table(("Stock Name", "NSE Code"), (None, "TCS")), 'No row has a "Stock Name"'),
        (table(("Stock Name", "Financial Insights", "Tech_Trend"), ("TCS", "", "")), "download of earlier results"),
    ],
)
def test_what_cannot_be_analysed_is_refused(read: Table, reason: str) -> None:
    with pytest.raises(WorkbookRefused, match=reason):
        holdings_of(read)


def test_corrections_replace_whole_cells() -> None:
    written = [holding("That", "RELIANC"), holding("relianc"), holding("RELIANC Ltd"), holding("Same"), holding("same")]
    read = corrected(written, {"RELIANC": "RELIANCE"})
    assert read[:3] == [holding("That", "RELIANCE"), holding("RELIANCE"), holding("RELIANC Ltd")]
    assert corrected(written, {}) == written


def test_stocks_are_counted_by_name() -> None:
    assert count_stocks([holding("TCS"), holding(" tcs "), holding("Infosys"), holding(None, "WIPRO")]) == 2
