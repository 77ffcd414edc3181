""".xlsx and .xls by calamine."""

import datetime as dt
import io
import math
from collections.abc import Iterator

import python_calamine as calamine

from klyx.workbooks.child.grid import Cell, collect_rows
from klyx.workbooks.child.percent_formats import PercentCells, PercentFormats
from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.limits import WorkbookLimits

MAX_EXACT_FLOAT = 2**53


def read_spreadsheet(
    data: bytes, limits: WorkbookLimits, formats: PercentFormats | None = None
) -> list[list[Cell]]:
    """The rows of the first sheet that holds anything, visible sheets first; what `formats` show as percent is in
    percent points.

    Raises Refused: `password`, `damaged`, `no_rows`, and the codes of collect_rows.
    """
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
            sheets = [
                (index, sheet)
                for index, sheet in enumerate(workbook.sheets_metadata)
                if sheet.typ == calamine.SheetTypeEnum.WorkSheet
            ]
            sheets.sort(key=lambda item: item[1].visible != calamine.SheetVisibleEnum.Visible)
            for index, about in sheets:
                sheet = workbook.get_sheet_by_index(index)
                percent = formats.cells_of(about.name) if formats is not None else {}
                rows = collect_rows(_cells(sheet, percent), limits)
                if rows:
                    return rows
    except calamine.PasswordError as error:
        raise Refused("password") from error
    except (calamine.CalamineError, ValueError, OSError) as error:
        raise Refused("damaged") from error
    raise Refused("no_rows")


def _cells(sheet: calamine.CalamineSheet, percent: PercentCells) -> Iterator[list[Cell]]:
    # Rows come from the sheet's first one on, their cells from the first column with anything in it.
    first_column = sheet.start[1] if sheet.start else 0
    for number, row in enumerate(sheet.iter_rows()):
        cells = [plain_cell(value) for value in row]
        for column in percent.get(number, ()):
            position = column - first_column
            if 0 <= position < len(cells):
                cells[position] = _percent_points(cells[position])
        yield cells


def plain_cell(value: object) -> Cell:
    """A cell as JSON can carry it: dates as ISO text, whole numbers as int, unknown as None.

    Error cells (`#N/A`, `#DIV/0!`) and empty cells both reach us as an empty text.
    """
    match value:
        case str():
            return value.replace("\x00", "").strip() or None
        case float():
            return _plain_number(value)
        case bool() | int():
            return value
        case dt.date() | dt.time():
            return value.isoformat()
    return str(value)


def _plain_number(value: float) -> int | float | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < MAX_EXACT_FLOAT else value


def _percent_points(cell: Cell) -> Cell:
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return cell
    # The fifteen digits that a spreadsheet shows: 0.1488 * 100 is 14.879999999999999 in binary.
    return _plain_number(float(f"{cell * 100:.15g}"))
