"""Short ways to write tables and source records in tests."""

from datetime import UTC, datetime

from klyx.services.analysis.table import Cell, Table
from klyx.sources.base import SourceRecord

FETCHED_AT = datetime(2026, 1, 31, 9, 30, 15, 250_000, tzinfo=UTC)


def table(*lines: tuple[Cell, ...], source: str = "stocks.xlsx") -> Table:
    """A table from its headings and rows."""
    headings, *rows = lines
    return Table(source, tuple(str(heading) for heading in headings), tuple(rows))


def column(heading: str, *cells: Cell) -> Table:
    """A table of one column."""
    return table((heading,), *((cell,) for cell in cells))


def record(symbol: str = "INFY", /, **fields: float | str) -> SourceRecord:
    """What a source says of a symbol."""
    return SourceRecord(symbol, "Yahoo Finance", FETCHED_AT, fields)
