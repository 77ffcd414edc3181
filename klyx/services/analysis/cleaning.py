"""Cell by cell: missing values, numbers, codes and text of a table with tidy headings."""

from collections.abc import Callable

from klyx.services.analysis.columns import NSE_CODE, STOCK_NAME, column_kind
from klyx.services.analysis.numbers import NotANumberError, is_missing_text, parse_number, plain_number
from klyx.services.analysis.table import Cell, Problem, Table
from klyx.services.analysis.text import clean_text, normalise_nse_code

LONGEST_STOCK_NAME = 255
_LONGEST_SAMPLE = 40
_MIDNIGHT = ("T00:00:00", " 00:00:00")


class UnusableCellError(ValueError):
    """A cell whose value cannot stand in its column."""


def clean_cells(table: Table) -> tuple[Table, tuple[Problem, ...]]:
    """The table with every cell clean, and one problem per column that held unusable cells.

    Unusable cells (text where a number belongs, a code that cannot be an NSE symbol) become
    None. Rows in which nothing is left are dropped.
    """
    columns: list[list[Cell]] = []
    problems: list[Problem] = []
    for index, heading in enumerate(table.columns):
        clean = _cleaner(heading)
        cells: list[Cell] = []
        refused: list[Cell] = []
        for row in table.rows:
            try:
                cells.append(clean(row[index]))
            except (UnusableCellError, NotANumberError):
                cells.append(None)
                refused.append(row[index])
        columns.append(cells)
        if refused:
            problems.append(Problem(_refusal(heading, refused), source=table.source))
    rows = tuple(row for row in zip(*columns, strict=True) if any(cell is not None for cell in row))
    return Table(table.source, table.columns, rows), tuple(problems)


def _cleaner(heading: str) -> Callable[[Cell], Cell]:
    if heading == STOCK_NAME:
        return _stock_name
    if heading == NSE_CODE:
        return _nse_code
    match column_kind(heading):
        case "number":
            return parse_number
        case "code":
            return _code
        case "text":
            return cell_text
        case _:
            return _anything


def cell_text(cell: Cell) -> str | None:
    """A cell as clean text on one line, None when it is missing; 512599.0 reads "512599"."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if cell is None or (isinstance(cell, str) and is_missing_text(cell)):
        return None
    cleaned = clean_text(str(cell))
    if is_missing_text(cleaned):
        return None
    for midnight in _MIDNIGHT:
        cleaned = cleaned.removesuffix(midnight)
    return cleaned


def _stock_name(cell: Cell) -> str | None:
    name = cell_text(cell)
    return name[:LONGEST_STOCK_NAME].rstrip() if name else None


def _code(cell: Cell) -> str | None:
    code = cell_text(cell)
    # A CSV written from floating-point numbers holds 512599.0 for the BSE code 512599.
    return code.removesuffix(".0") if code and code.removesuffix(".0").isdigit() else code


def _nse_code(cell: Cell) -> str | None:
    written = _code(cell)
    if written is None:
        return None
    code = normalise_nse_code(written)
    if code is None:
        raise UnusableCellError(written)
    return code


def _anything(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return cell_text(cell)
    return cell if isinstance(cell, bool) else plain_number(cell)


def _refusal(heading: str, refused: list[Cell]) -> str:
    sample = clean_text(str(refused[0]))[:_LONGEST_SAMPLE]
    expected = "NSE symbols" if heading == NSE_CODE else "numbers"
    return (
        f'In column "{heading}", cells that are not {expected}: {len(refused)} (the first is "{sample}"). '
        "They count as missing; correct them and upload the file again."
    )
