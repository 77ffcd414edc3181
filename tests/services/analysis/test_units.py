import pytest

from klyx.services.analysis.table import Cell
from klyx.services.analysis.units import crores_to_rupees, is_in_crores
from tests.services.analysis.builders import column, table

IN_CRORES = [
    "Market Capitalization",
    "Operating Revenue Qtr",
    "Operating Revenue TTM",
    "Operating Revenue Annual",
    "Net Profit Qtr",
    "Net profit TTM",
    "Net Profit Annual",
    "Operating Profit Annual",
    "Cash from Financing Annual Activity",
    "Cash from Investing Activity Annual",
    "Cash from Operating Activity Annual",
    "Net Cash Flow Annual",
    "Forecaster Estimates 1Q forward Revenue Quarter",
    "Forecaster Estimates 1Y forward Revenue Annual",
    "Forecaster Estimates 1Q forward Net Income Quarter",
    "Forecaster Estimates 1Y forward Net Income Annual",
    "Forecaster Estimates 1Q forward EBITDA Quarter",
    "Forecaster Estimates 1Y forward EBITDA Annual",
    "Forecaster Estimates 1Q forward Interest Expense Quarter",
    "Forecaster Estimates 1Y forward Cash From Operations Annual",
    "Forecaster Estimates 1Y forward Depreciation & Amortization Annual",
]
AS_PRINTED = [
    "Current Price",
    "Basic EPS TTM",
    "Day SMA50",
    "Day MACD",
    "Day ATR",
    "Standard Pivot point",
    "1Yr High",
    "ROE Annual %",
    "Net Profit Qtr Growth YoY %",
    "Revenue Growth Annual YoY %",
    "Operating Profit Margin Qtr %",
    "Day Volume",
    "Forecaster Estimates Target Price",
    "Forecaster Estimates 1Q forward EPS Quarter",
    "Forecaster Estimates 1Y forward EPS Annual",
    "Forecaster Estimates 1Y forward Annual Revenue Growth %",
    "Forecaster estimates 1Y forward Net Income Annual Growth %",
    "Forecaster Estimates 1Y forward PE",
    "YF_TotalDebt",
]


@pytest.mark.parametrize("heading", IN_CRORES)
def test_money_totals_are_multiplied(heading: str) -> None:
    assert is_in_crores(heading)
    assert crores_to_rupees(column(heading, 2.5)).rows == ((25_000_000.0,),)


@pytest.mark.parametrize("heading", AS_PRINTED)
def test_everything_else_is_left_as_printed(heading: str) -> None:
    assert not is_in_crores(heading)
    assert crores_to_rupees(column(heading, 2.5)).rows == ((2.5,),)


@pytest.mark.parametrize(
    ("crores", "rupees"),
    [
        (276923.74, 2_769_237_400_000.0),
        (0, 0.0),
        (-51215.13, -512_151_300_000.0),
        (1, 10_000_000.0),
        (None, None),
        (1e305, None),
    ],
)
def test_crores_to_rupees(crores: Cell, rupees: Cell) -> None:
    assert crores_to_rupees(column("Market Capitalization", crores)).rows == ((rupees,),)


def test_other_columns_of_the_table_are_untouched() -> None:
    converted = crores_to_rupees(
        table(("Stock Name", "Net Profit Annual", "Current Price"), ("Infosys Ltd.", 26248.0, 1500.5))
    )
    assert converted.columns == ("Stock Name", "Net Profit Annual", "Current Price")
    assert converted.rows == (("Infosys Ltd.", 262_480_000_000.0, 1500.5),)
