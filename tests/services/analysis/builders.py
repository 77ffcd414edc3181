"""Short ways to write tables and what sources know, in tests."""

from datetime import UTC, datetime

from klyx.services.analysis.table import Cell, Table
from klyx.services.market_data.merge import Merged, MergedField

FETCHED_AT = datetime(2026, 1, 31, 9, 30, 15, 250_000, tzinfo=UTC)


def table(*lines: tuple[Cell, ...], source: str = "stocks.xlsx") -> Table:
    """A table from its headings and rows."""
    headings, *rows = lines
    return Table(source, tuple(str(heading) for heading in headings), tuple(rows))


def column(heading: str, *cells: Cell) -> Table:
    """A table of one column."""
    return table((heading,), *((cell,) for cell in cells))


def known(**fields: float | str) -> Merged:
    """What the sources know of a stock, all of it from one of them."""
    return Merged({name: MergedField(value, "Yahoo Finance", FETCHED_AT) for name, value in fields.items()})
