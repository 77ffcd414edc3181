"""Reading MoneyControl's pages: tables with merged headings, numbers as people in India write them, links to more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import lxml.etree
import lxml.html

from klyx.services.analysis.text import clean_text
from klyx.sources.base import SourceUnavailable
from klyx.sources.statement_periods import Line, Period, PeriodTable, parse_period

MOST_ROWS, MOST_COLUMNS, MOST_LABEL_CHARACTERS = 300, 40, 200
LARGEST_NUMBER = 1e13
HEADING_ROWS = 8
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_MONTHS = re.compile(r"(\d{1,2})\s*(?:mths?|months?)\.?", re.IGNORECASE)
_NOTHING_HERE = re.compile(r"data not available|no data (?:found|available)|not available for", re.IGNORECASE)
_UNREADABLE = "MoneyControl sent an answer that cannot be read"

Grid = list[list[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """The tables with periods of one page, in order, and the address of the page with older years."""

    tables: tuple[PeriodTable, ...]
    older_years: str | None


def read_page(document: bytes) -> Page:
    """A page of statements, or a part of one. No tables when it says itself that it has none.

    Raises SourceUnavailable for anything else: a page that cannot be understood must not look like a company
    without statements.
    """
    root = parse(document)
    tables = tuple(period_tables(root))
    has_figures = any(table.lines for table in tables)
    if not has_figures and (tables or not _NOTHING_HERE.search(root.text_content())):
        raise SourceUnavailable(_UNREADABLE)
    return Page(tables, _link_to_older_years(root))


def grids_of(document: bytes) -> list[Grid]:
    """The cells of every table of a page, whatever they hold. Raises SourceUnavailable for what is no page."""
    return [grid_of(table) for table in parse(document).xpath("//table[not(.//table)]")]


def parse(document: bytes) -> Any:
    """The root element. Raises SourceUnavailable for what is no HTML, and for what was cut off."""
    if not _is_complete(document.lower()):
        raise SourceUnavailable(_UNREADABLE)
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True)
    try:
        root = lxml.html.document_fromstring(document, parser=parser)
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError, ValueError) as error:
        raise SourceUnavailable(_UNREADABLE) from error
    for element in root.xpath("//script|//style|//noscript"):
        element.drop_tree()
    return root


def _is_complete(lower: bytes) -> bool:
    """Whether the end of a page, or of every table of a part of one, is there.

    Compression can hide from the client that it is not, and half a page reads like a company with fewer years.
    """
    if b"<html" in lower:
        return b"</html" in lower
    return lower.count(b"<table") == lower.count(b"</table")


def period_tables(root: Any) -> Iterator[PeriodTable]:
    """The tables that have a row of periods, in the order of the page, those of statements before others."""
    tables = root.xpath("//table[not(.//table)]")
    # `mctable1` is what statements are set in; small tables beside them are not.
    statements = [table for table in tables if "mctable1" in table.get("class", "").split()]
    for table in statements or tables:
        found = period_table(grid_of(table))
        if found is not None:
            yield found


def period_table(grid: Grid) -> PeriodTable | None:
    """None when no row near the top names periods."""
    for number, row in enumerate(grid[:HEADING_ROWS]):
        columns = _period_columns(row)
        if columns:
            first = min(columns)
            heading = " ".join(dict.fromkeys(cell for above in grid[: number + 1] for cell in above[:first] if cell))
            return _below(grid[number + 1 :], heading, columns, first)
    return None


def _period_columns(row: Sequence[str]) -> dict[int, Period]:
    """Which columns are periods; a period that is named twice counts where it is named first."""
    columns: dict[int, Period] = {}
    for column, cell in enumerate(row):
        period = parse_period(cell) if column else None
        if period is not None and period not in columns.values():
            columns[column] = period
    return columns


def _below(grid: Grid, heading: str, columns: dict[int, Period], first: int) -> PeriodTable:
    lines = []
    for row in grid[:MOST_ROWS]:
        cells = {column: row[column] if column < len(row) else "" for column in columns}
        lengths = {column: found[1] for column, cell in cells.items() if (found := _MONTHS.fullmatch(cell))}
        if lengths:
            columns = {
                column: replace(period, months=int(lengths[column])) if column in lengths else period
                for column, period in columns.items()
            }
            continue
        label = next((cell for cell in row[:first] if cell), "")[:MOST_LABEL_CHARACTERS]
        values = tuple(parse_number(cell) for cell in cells.values())
        # A row without any number is a heading, or a figure nobody knows.
        if label and any(value is not None for value in values):
            lines.append(Line(label, values))
    return PeriodTable(heading, tuple(columns.values()), tuple(lines))


def grid_of(table: Any) -> Grid:
    """The cells of a table, as clean text; a merged cell stands in every place it covers."""
    grid: Grid = []
    hanging: dict[int, tuple[int, str]] = {}
    for element in table.xpath("./tr|./thead/tr|./tbody/tr|./tfoot/tr")[: MOST_ROWS + HEADING_ROWS]:
        row: list[str] = []
        for cell in element.xpath("./td|./th"):
            _take_hanging(row, hanging)
            text = clean_text(cell.text_content())
            down = _span(cell, "rowspan")
            for _ in range(_span(cell, "colspan")):
                if down > 1:
                    hanging[len(row)] = (down - 1, text)
                row.append(text)
        _take_hanging(row, hanging)
        grid.append(row[:MOST_COLUMNS])
    return grid


def _take_hanging(row: list[str], hanging: dict[int, tuple[int, str]]) -> None:
    """Fills in what cells of the rows above cover."""
    while len(row) in hanging:
        rows_left, text = hanging.pop(len(row))
        if rows_left > 1:
            hanging[len(row)] = (rows_left - 1, text)
        row.append(text)


def _span(cell: Any, name: str) -> int:
    text = str(cell.get(name, "1")).strip()
    return min(max(int(text), 1), MOST_COLUMNS) if text.isascii() and text.isdigit() else 1


def parse_number(text: str) -> float | None:
    """ "1,23,456.78", "-12.5", "(3.1)" and "74.5%"; None for "--", "NA", text, and numbers beyond all reason."""
    plain = text.replace(",", "").replace("\u2212", "-").replace("\u2013", "-").removesuffix("%").strip()
    is_negative = plain.startswith("(") and plain.endswith(")")
    plain = plain[1:-1].strip() if is_negative else plain
    is_negative ^= plain.startswith("-")
    digits = plain.removeprefix("-").removeprefix("+").strip()
    if not _NUMBER.fullmatch(digits):
        return None
    value = float(digits)
    if value > LARGEST_NUMBER:
        return None
    return -value if is_negative else value


def _link_to_older_years(root: Any) -> str | None:
    links = root.xpath("//a[.//span[contains(@class, 'nextpaging')] or contains(@class, 'nextpaging')]/@href")
    return next((str(link).strip() for link in links if not str(link).strip().lower().startswith("javascript:")), None)
