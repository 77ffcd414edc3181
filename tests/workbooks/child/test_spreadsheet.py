import datetime as dt
import io

import pytest
import xlsxwriter

from klyx.workbooks.child.grid import shape_table
from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.child.spreadsheet import plain_cell, read_spreadsheet
from klyx.workbooks.limits import WorkbookLimits
from tests.workbooks.files import xls_of

LIMITS = WorkbookLimits()


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("", None),
        (" a\x00b ", "ab"),
        ("\x00", None),
        (True, True),
        (7, 7),
        (512_599.0, 512_599),
        (1.5, 1.5),
        (1e300, 1e300),
        (float("nan"), None),
        (float("-inf"), None),
        (dt.date(2025, 9, 30), "2025-09-30"),
        (dt.datetime(2025, 9, 30, 15, 30), "2025-09-30T15:30:00"),  # noqa: DTZ001 - cells have no zone
        (dt.time(9, 15), "09:15:00"),
        (dt.timedelta(hours=30), "1 day, 6:00:00"),
    ],
)
def test_plain_cell(value: object, cell: str | float | None) -> None:
    found = plain_cell(value)
    assert found == cell
    assert type(found) is type(cell)


def test_reads_the_first_visible_sheet_that_holds_anything() -> None:
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink) as workbook:
        workbook.add_worksheet("Empty").activate()
        hidden = workbook.add_worksheet("Hidden")
        hidden.write_row(0, 0, ["hidden"])
        hidden.hide()
        chart = workbook.add_chart({"type": "line"})
        chart.add_series({"values": "=List!$B$2:$B$3"})
        workbook.add_chartsheet("Chart").set_chart(chart)
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet = workbook.add_worksheet("List")
        sheet.merge_range("A1:C1", "A merged title")
        sheet.write_row(1, 0, ["Stock Name", "Result", "Emoji"])
        sheet.write_row(2, 0, ["TCS Ltd."])
        sheet.write_datetime(2, 1, dt.datetime(2025, 9, 30), day)  # noqa: DTZ001 - cells have no zone
        sheet.write_string(2, 2, "\U0001f4c8\x00")
    assert read_spreadsheet(sink.getvalue(), LIMITS) == [
        ["A merged title"],
        ["Stock Name", "Result", "Emoji"],
        ["TCS Ltd.", "2025-09-30", "\U0001f4c8"],
    ]


def test_merged_headings_over_two_rows_name_their_figures() -> None:
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink) as workbook:
        sheet = workbook.add_worksheet()
        sheet.merge_range("A1:A2", "Stock Name")
        sheet.merge_range("B1:C1", "Returns")
        sheet.write_row(1, 1, ["Day change %", "1Yr change %"])
        sheet.write_row(2, 0, ["TCS Ltd.", 1.5, 12.5])
    table = shape_table(read_spreadsheet(sink.getvalue(), LIMITS), LIMITS)
    assert table == {"columns": ["Stock Name", "Day change %", "1Yr change %"], "rows": [["TCS Ltd.", 1.5, 12.5]]}


@pytest.mark.parametrize(("data", "code"), [(b"\xd0\xcf\x11\xe0", "damaged"), (xls_of([]), "no_rows")])
def test_refuses_what_has_no_rows(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        read_spreadsheet(data, LIMITS)
    assert caught.value.code == code
