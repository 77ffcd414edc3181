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
    A second row of headings below titles of groups counts too (see _below_groups). A column without heading is
    dropped when it is empty and named `Column N` otherwise.
    Raises Refused: `no_rows`, `rows`, `cells`.
    """
    if not rows:
        raise Refused("no_rows")
    start = _heading_row(rows)
    headings = [_heading(cell) for cell in rows[start]]
    below = _below_groups(headings, rows[start + 1 :])
    body = rows[start + (1 if below is None else 2) :]
    headings = below or headings
    rows.clear()
    if len(body) > limits.max_rows:
        raise Refused("rows", found=len(body))
    width = max(len(headings), max((len(row) for row in body), default=0))
    if width * len(body) > limits.max_cells:
        raise Refused("cells")
    used = [any(column < len(row) and row[column] is not None for row in body) for column in range(width)]
    named = [headings[column] if column < len(headings) else "" for column in range(width)]
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
        if any(isinstance(cell, str) and _is_key(_heading(cell)) for cell in row):
            return index
    return 0


def _below_groups(headings: list[str], rest: list[list[Cell]]) -> list[str] | None:
    """The headings when the next row holds those of groups: "Returns" over "Day change %" and "1Yr change %".

    That row is all text with nothing below the key headings, and some title stands over two of its cells and
    beside an empty one, as a merged cell does. None for an ordinary sheet.
    """
    if len(rest) < 2 or not all(cell is None or isinstance(cell, str) for cell in rest[0]):
        return None
    width = max(len(headings), len(rest[0]))
    upper = headings + [""] * (width - len(headings))
    lower = [_heading(cell) for cell in rest[0]] + [""] * (width - len(rest[0]))
    keys = [column for column in range(width) if _is_key(upper[column])]
    if not keys or any(lower[column] for column in keys):
        return None
    names, group = list(upper), ""
    groups = 0
    for column in range(width):
        spans = column + 1 < width and bool(lower[column + 1]) and not upper[column + 1]
        if upper[column]:
            group = upper[column] if lower[column] and spans else ""
            groups += bool(group)
        if lower[column] and (group or not upper[column]):
            # Two groups may have the same headings, as "Revenue" of a quarter and of a year.
            is_shared = lower.count(lower[column]) > 1
            names[column] = f"{group} {lower[column]}".strip() if is_shared else lower[column]
    return names if groups else None


def _is_key(heading: str) -> bool:
    return heading.lower() in KEY_HEADINGS


def _heading(cell: Cell) -> str:
    return "" if cell is None else " ".join(str(cell).split())[:HEADING_CHARACTERS]
