"""Finding and tidying the headings of a worksheet."""

import re

from klyx.services.analysis.columns import (
    INSIGHTS,
    RESERVED_COLUMNS,
    STOCK_NAME,
    TECH_TREND,
    canonical_heading,
)
from klyx.services.analysis.numbers import is_missing_text
from klyx.services.analysis.table import Cell, Problem, Table
from klyx.services.analysis.text import clean_text

# Exports repeat headings, and readers number the repeats: "Current Price.1".
_REPEATED = re.compile(r"\.\d+$")
_LONGEST_HEADING = 255
_ROWS_SEARCHED_FOR_HEADINGS = 10


def heading_of(cell: Cell) -> str:
    """A heading as the analysis names the column; "" for a blank one."""
    if cell is None or isinstance(cell, bool):
        return ""
    return canonical_heading(clean_text(str(cell))[:_LONGEST_HEADING].rstrip())


def tidy_headings(table: Table) -> tuple[Table, tuple[Problem, ...]]:
    """The table with tidy, distinct headings, and what was left out that held values.

    Looks below a title row for the real headings; drops columns whose heading ends in a dot and
    digits, repeats of a heading, columns without one, and columns only the analysis writes.
    """
    table = _below_title(table)
    kept: dict[str, int] = {}
    blank = 0
    reserved: list[str] = []
    for index, cell in enumerate(table.columns):
        heading = heading_of(cell)
        if not heading:
            blank += any(not _is_empty(row[index]) for row in table.rows)
        elif heading in RESERVED_COLUMNS:
            reserved.append(heading)
        elif heading not in kept and not _REPEATED.search(heading):
            kept[heading] = index
    rows = tuple(tuple(row[index] for index in kept.values()) for row in table.rows)
    messages = []
    if blank:
        messages.append(f"Columns without a heading, left out: {blank}. Give each column its own heading.")
    if reserved:
        messages.append(f"Columns that only the analysis writes, left out: {', '.join(reserved)}.")
    problems = tuple(Problem(message, source=table.source) for message in messages)
    return Table(table.source, tuple(kept), rows), problems


def is_own_output(table: Table) -> bool:
    """Whether the table is a download of results, whose money totals are in rupees already."""
    return {INSIGHTS, TECH_TREND} <= {heading_of(cell) for cell in table.columns}


def _below_title(table: Table) -> Table:
    if STOCK_NAME in map(heading_of, table.columns):
        return table
    for index, row in enumerate(table.rows[:_ROWS_SEARCHED_FOR_HEADINGS]):
        headings = tuple(map(heading_of, row))
        if STOCK_NAME in headings:
            return Table(table.source, headings, table.rows[index + 1 :])
    return table


def _is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and is_missing_text(cell))
