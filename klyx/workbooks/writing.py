"""CSV and .xlsx downloads that a spreadsheet program shows as data and never runs as formulas."""

import csv
import datetime as dt
import io
import json
import math
import re
from collections.abc import Mapping, Sequence

MAX_XLSX_CHARACTERS = 32_767
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
NOT_IN_XML = re.compile("[\x00\ud800-\udfff\ufffe\uffff]")

Plain = str | int | float | bool | None


def write_csv(rows: Sequence[Mapping[str, object]], columns: Sequence[str] | None = None) -> bytes:
    """The rows as CSV in UTF-8 with a byte order mark, by which Excel knows the encoding.

    Without `columns`, they are the union of the rows' keys in order of first mention; None is an empty
    field, nested values are JSON text. A text that Excel would take for a formula gets a leading apostrophe.
    """
    columns = _columns(rows) if columns is None else columns
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, quoting=csv.QUOTE_MINIMAL)
    if columns:
        writer.writerow([_defused(column) for column in columns])
    for row in rows:
        writer.writerow([_defused(_plain(row.get(column))) for column in columns])
    return sink.getvalue().encode("utf-8-sig", errors="replace")


def write_xlsx(rows: Sequence[Mapping[str, object]]) -> bytes:
    """The rows as one sheet of an .xlsx workbook; columns and values as write_csv has them.

    A text cell is never evaluated, whatever it starts with, so nothing is put in front of it. Texts that
    look like formulas carry Excel's quote prefix, which keeps them text when somebody edits the cell.
    """
    # Here, as the writer takes 12 MB of every web process, and most never need it.
    import xlsxwriter

    sink = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(sink, options) as workbook:
        sheet = workbook.add_worksheet("Results")
        heading = workbook.add_format({"bold": True})
        quoted = workbook.add_format({"quote_prefix": True})
        columns = _columns(rows)
        for index, column in enumerate(columns):
            sheet.write_string(0, index, _xlsx_text(column), heading)
        sheet.freeze_panes(1, 1)
        for number, row in enumerate(rows, start=1):
            for index, column in enumerate(columns):
                value = _plain(row.get(column))
                if isinstance(value, bool):
                    sheet.write_boolean(number, index, value)
                elif isinstance(value, int | float):
                    sheet.write_number(number, index, value)
                elif value:
                    style = quoted if _looks_like_formula(value) else None
                    sheet.write_string(number, index, _xlsx_text(value), style)
    return sink.getvalue()


def _columns(rows: Sequence[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row))


def _plain(value: object) -> Plain:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False, default=str)


def _looks_like_formula(text: str) -> bool:
    return text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS)


def _defused(value: Plain) -> Plain:
    if isinstance(value, str):
        text = value.replace("\x00", "")
        return f"'{text}" if _looks_like_formula(text) else text
    return value


def _xlsx_text(text: str) -> str:
    return NOT_IN_XML.sub("", text)[:MAX_XLSX_CHARACTERS]
