"""Money totals: spreadsheets state them in crores, everything else here is in rupees."""

import re

from klyx.services.analysis.columns import (
    MARKET_CAP,
    NET_PROFIT_ANNUAL,
    NET_PROFIT_QUARTER,
    OPERATING_PROFIT_ANNUAL,
    REVENUE_ANNUAL,
    REVENUE_QUARTER,
)
from klyx.services.analysis.table import Cell, Table, finite

RUPEES_PER_CRORE = 10_000_000

CRORE_COLUMNS = frozenset(
    {
        MARKET_CAP,
        REVENUE_QUARTER,
        "Operating Revenue TTM",
        REVENUE_ANNUAL,
        NET_PROFIT_QUARTER,
        "Net profit TTM",
        NET_PROFIT_ANNUAL,
        OPERATING_PROFIT_ANNUAL,
        "Cash from Financing Annual Activity",
        "Cash from Investing Activity Annual",
        "Cash from Operating Activity Annual",
        "Net Cash Flow Annual",
    }
)

_CRORE_FORECASTS = re.compile(
    r"Forecaster Estimates 1[QY] forward "
    r"(Revenue|Net Income|EBITDA|Interest Expense|Cash From Operations|Depreciation & Amortization) "
    r"(Quarter|Annual)",
    re.IGNORECASE,
)


def is_in_crores(heading: str) -> bool:
    """Whether the exports state this column in crores of rupees."""
    return heading in CRORE_COLUMNS or _CRORE_FORECASTS.fullmatch(heading) is not None


def crores_to_rupees(table: Table) -> Table:
    """The table with every column of crores in rupees.

    To be applied once to a cleaned table of a workbook, and never to rows already merged:
    those hold rupees, and nothing in a number tells the two apart.
    """
    positions = [index for index, heading in enumerate(table.columns) if is_in_crores(heading)]
    if not positions:
        return table
    converted = []
    for row in table.rows:
        cells = list(row)
        for index in positions:
            cells[index] = _rupees(cells[index])
        converted.append(tuple(cells))
    return Table(table.source, table.columns, tuple(converted))


def _rupees(crores: Cell) -> Cell:
    value = finite(crores)
    if value is None:
        return None
    # Rounding to a paisa takes off the binary noise: 276923.74 gives 2769237400000.0.
    return finite(round(float(value) * RUPEES_PER_CRORE, 2))
