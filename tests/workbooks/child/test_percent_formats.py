import io
import json

import pytest
import xlsxwriter

from klyx.workbooks.child.percent_formats import PercentFormats, is_percent
from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.child.run import encode_table
from klyx.workbooks.limits import WorkbookLimits
from tests.workbooks.files import archive, package_parts, sheet_xml

LIMITS = WorkbookLimits()


def read(data: bytes) -> dict[str, list[object]]:
    table: dict[str, list[object]] = json.loads(encode_table(data, ".xlsx", LIMITS))
    return table


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("0%", True),
        ("0.00%;[Red]-0.00%", True),
        ('"up "0.0%', True),
        ('0.0"%"', False),
        ("0.0\\%", False),
        ("0.0_%", False),
        ("[$%-409]0.0", False),
        ('0.0"%', False),
        ("General", False),
    ],
)
def test_only_a_percent_sign_that_counts_multiplies(code: str, expected: bool) -> None:
    assert is_percent(code) is expected


def test_percent_cells_are_in_percent_points_and_no_others() -> None:
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as workbook:
        hidden = workbook.add_worksheet("Hidden & first")
        hidden.write_row(0, 0, ["Stock Name", "hidden"])
        hidden.hide()
        sheet = workbook.add_worksheet("List & more")
        sheet.activate()
        built_in, custom, literal = (
            workbook.add_format({"num_format": code}) for code in ("0.00%", "+0.0%;[Red]-0.0%", '0.0"%"')
        )
        for column, heading in enumerate(["Stock Name", "ROE Annual %", "Day change %", "1Yr change %", "Price"]):
            sheet.write(3, 2 + column, heading, built_in)
        sheet.write_row(4, 2, ["TCS"])
        sheet.write_number(4, 3, 0.1488, built_in)
        sheet.write_number(4, 4, -0.07, custom)
        sheet.write_number(4, 5, 12.5, literal)
        sheet.write_number(4, 6, 3_000.5)
        sheet.write_row(6, 2, ["ITC"])
        sheet.write_formula(6, 3, "=A1", built_in, 1.2)
        sheet.write_string(6, 4, "n/a", custom)
        sheet.write_blank(900, 300, None, built_in)
    assert read(sink.getvalue()) == {
        "columns": ["Stock Name", "ROE Annual %", "Day change %", "1Yr change %", "Price"],
        "rows": [["TCS", 14.88, -7, 12.5, 3_000.5], ["ITC", 120, "n/a", None, None]],
    }


def styled(styles: str) -> bytes:
    """A workbook whose second cell of the second row has the style 1."""
    rows = (
        '<row><c t="inlineStr"><is><t>Stock Name</t></is></c><c t="inlineStr"><is><t>ROE</t></is></c></row>'
        '<row><c t="inlineStr"><is><t>TCS</t></is></c><c s="1"><v>0.25</v></c></row>'
    )
    return archive({**package_parts(sheet_xml(rows)), "xl/styles.xml": styles})


def test_formats_count_where_cells_take_them_from() -> None:
    rules = '<dxfs><dxf><numFmt numFmtId="170" formatCode="0%"/></dxf></dxfs>'
    plain = styled(f'<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs>{rules}</styleSheet>')
    assert read(plain)["rows"] == [["TCS", 0.25]]
    percent = styled(
        '<s:styleSheet xmlns:s="urn:x"><s:numFmts><s:numFmt numFmtId="170" formatCode="0.0%"/></s:numFmts>'
        '<s:cellStyleXfs><s:xf numFmtId="9"/></s:cellStyleXfs>'
        '<s:cellXfs><s:xf numFmtId="0"/><s:xf numFmtId="170"/></s:cellXfs></s:styleSheet>'
    )
    assert read(percent)["rows"] == [["TCS", 25]]


def test_without_percent_formats_the_sheet_is_not_read_again() -> None:
    # The part is broken: looking into it would refuse.
    broken = archive({"xl/styles.xml": "<styleSheet/>", "xl/workbook.xml": "<workbook"})
    assert PercentFormats(broken, LIMITS).cells_of("Sheet1") == {}


def test_damaged_styles_and_entities_are_refused() -> None:
    for styles, code in (("<styleSheet><cellXfs>", "damaged"), ("<!DOCTYPE x><styleSheet/>", "dtd")):
        with pytest.raises(Refused) as caught:
            PercentFormats(archive({"xl/styles.xml": styles}), LIMITS)
        assert caught.value.code == code
