""".xlsx and .xls by calamine."""

import datetime as dt
import io
import math
from collections.abc import Iterator

import python_calamine as calamine

from klyx.workbooks.child.grid import Cell, collect_rows
from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.limits import WorkbookLimits

MAX_EXACT_FLOAT = 2**53


def read_spreadsheet(data: bytes, limits: WorkbookLimits) -> list[list[Cell]]:
    """The rows of the first sheet that holds anything, visible sheets first.

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
            for index, _ in sheets:
                rows = collect_rows(_cells(workbook.get_sheet_by_index(index)), limits)
                if rows:
                    return rows
    except calamine.PasswordError as error:
        raise Refused("password") from error
    except (calamine.CalamineError, ValueError, OSError) as error:
        raise Refused("damaged") from error
    raise Refused("no_rows")


def _cells(sheet: calamine.CalamineSheet) -> Iterator[list[Cell]]:
    for row in sheet.iter_rows():
        yield [plain_cell(value) for value in row]


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
