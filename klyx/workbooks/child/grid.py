"""From rows of cells as a file holds them to one table: headings, and rows as long as the headings."""

from collections.abc import Iterable

from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.limits import WorkbookLimits

Cell = str | int | float | bool | None
HEADING_CHARACTERS = 255
# Titles and notes often stand above the headings; a row with one of these names is the heading row.
KEY_HEADINGS = frozenset({"stock name", "nse code", "symbol", "ticker", "company"})
ROWS_SEARCHED_FOR_HEADINGS = 20


def collect_rows(rows: Iterable[list[Cell]], limits: WorkbookLimits) -> list[list[Cell]]:
    """The non-empty rows without trailing empty cells; stops reading as soon as a limit is passed.

    Raises Refused: `rows`, `columns`, `cell_text` (with the row and column, counted from 1), `cells`.
    """
    kept: list[list[Cell]] = []
    cells = 0
    for number, row in enumerate(rows, start=1):
        while row and row[-1] is None:
            row.pop()
        if not row:
            continue
        if len(kept) > limits.max_rows + ROWS_SEARCHED_FOR_HEADINGS:
            raise Refused("rows", found=number)
        if len(row) > limits.max_columns:
            raise Refused("columns", found=len(row))
        for column, cell in enumerate(row, start=1):
            if isinstance(cell, str) and len(cell) > limits.max_cell_characters:
                raise Refused("cell_text", row=number, column=column)
        cells += len(row)
        if cells > limits.max_cells:
            raise Refused("cells")
        kept.append(row)
    return kept


def shape_table(rows: list[list[Cell]], limits: WorkbookLimits) -> dict[str, list[object]]:
    """`{"columns": [...], "rows": [[...]]}`; `rows` is emptied on the way.

    The first non-empty row holds the headings, unless a key heading stands in one of the first rows.
    A column without heading is dropped when it is empty and named `Column N` otherwise.
    Raises Refused: `no_rows`, `rows`, `cells`.
    """
    if not rows:
        raise Refused("no_rows")
    start = _heading_row(rows)
    headings = rows[start]
    body = rows[start + 1 :]
    rows.clear()
    if len(body) > limits.max_rows:
        raise Refused("rows", found=len(body))
    width = max(len(headings), max((len(row) for row in body), default=0))
    if width * len(body) > limits.max_cells:
        raise Refused("cells")
    used = [any(column < len(row) and row[column] is not None for row in body) for column in range(width)]
    named = [_heading(headings[column]) if column < len(headings) else "" for column in range(width)]
    kept = [column for column in range(width) if named[column] or used[column]]
    for row in body:
        row.extend([None] * (width - len(row)))
        row[:] = [row[column] for column in kept]
    columns = distinct_names([named[column] or f"Column {column + 1}" for column in kept])
    return {"columns": list(columns), "rows": list(body)}


def distinct_names(names: list[str]) -> list[str]:
    """Repeated names get the next free suffix: `Price`, `Price.1`, `Price.2`."""
    taken = set(names)
    seen: set[str] = set()
    result: list[str] = []
    for name in names:
        candidate, number = name, 0
        while candidate in seen or (number and candidate in taken):
            number += 1
            candidate = f"{name}.{number}"
        seen.add(candidate)
        result.append(candidate)
    return result


def _heading_row(rows: list[list[Cell]]) -> int:
    for index, row in enumerate(rows[:ROWS_SEARCHED_FOR_HEADINGS]):
        if any(isinstance(cell, str) and _heading(cell).lower() in KEY_HEADINGS for cell in row):
            return index
    return 0


def _heading(cell: Cell) -> str:
    return "" if cell is None else " ".join(str(cell).split())[:HEADING_CHARACTERS]
