import pytest

from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.child.sheet_bounds import XmlPartCheck
from klyx.workbooks.limits import WorkbookLimits
from tests.workbooks.files import sheet_xml

LIMITS = WorkbookLimits(max_rows=10, max_columns=5)


def check(xml: str, chunk: int = 7) -> None:
    data = xml.encode()
    part = XmlPartCheck(LIMITS)
    for start in range(0, len(data), chunk):
        part.feed(data[start : start + chunk])
    part.feed(b"", final=True)


def code_of(xml: str) -> tuple[str, int | str | None]:
    with pytest.raises(Refused) as caught:
        check(xml)
    return caught.value.code, caught.value.figures.get("found")


@pytest.mark.parametrize(
    "data",
    [
        "",
        '<row r="1"><c r="A1"><v>1</v></c><c r="E1"><v>1</v></c></row>',
        # Headings and ten rows, wherever the list begins.
        '<row r="500"><c r="ZZ500"><v>1</v></c></row><row r="510"><c r="AAA510"><v>1</v></c></row>',
        # Styled cells without a value reach far out in files of several programs.
        '<row><c><v>1</v></c><c r="XFD1" s="1"/></row><row r="1048576"><c r="A1048576" s="1"/></row>',
        '<row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c></row>',
    ],
)
def test_sheets_within_the_limits_pass(data: str) -> None:
    xml = sheet_xml(data, before='<?xml version="1.0"?>')
    check(xml)
    assert "sheetData" in xml


@pytest.mark.parametrize(
    ("data", "code", "found"),
    [
        ('<row r="1"><c r="A1"><v>1</v></c></row><row r="12"><c r="A12"><v>1</v></c></row>', "rows", 12),
        ("<row><c><v>1</v></c></row>" * 12, "rows", 12),
        ('<row r="9"/>' + "<row><c><v>1</v></c></row>" * 12, "rows", 21),
        ("<row>" + "<c><v>1</v></c>" * 6 + "</row>", "columns", 6),
        ('<row><c r="B1"><is/></c><c r="XFD1"><v>1</v></c></row>', "columns", 16_384),
        ('<c r="A1"><v>1</v></c><c r="A1048576"><v>1</v></c>', "rows", 1_048_576),
    ],
)
def test_values_beyond_the_limits_are_refused(data: str, code: str, found: int) -> None:
    assert code_of(sheet_xml(data)) == (code, found)


@pytest.mark.parametrize("reference", ["", "A", "1", "A1:B2", "AAAA1", "A99999999", "\u0660"])
def test_impossible_references_are_damage(reference: str) -> None:
    assert code_of(sheet_xml(f'<row><c r="{reference}"><v>1</v></c></row>')) == ("damaged", None)


@pytest.mark.parametrize("row", ["-1", "x", "99999999", "\u0661", ""])
def test_impossible_row_numbers_are_damage(row: str) -> None:
    assert code_of(sheet_xml(f'<row r="{row}"><c><v>1</v></c></row>')) == ("damaged", None)


def test_prefixed_names_count_too() -> None:
    cells = '<x:c r="A1"><x:v>1</x:v></x:c><x:c r="F1"><x:v>1</x:v></x:c>'
    xml = f'<x:worksheet xmlns:x="y"><x:sheetData><x:row>{cells}</x:row></x:sheetData></x:worksheet>'
    assert code_of(xml) == ("columns", 6)


def test_a_value_left_of_the_first_column_widens_the_sheet() -> None:
    cells = "".join(f'<c r="{place}"><v>1</v></c>' for place in ("E1", "I1", "A2"))
    assert code_of(sheet_xml(cells + '<c r="I3"><v>1</v></c>')) == ("columns", 9)


def test_a_document_type_is_refused_even_without_entities() -> None:
    assert code_of(sheet_xml("", before="<!DOCTYPE worksheet>")) == ("dtd", None)


def test_cells_outside_the_sheet_data_are_not_counted() -> None:
    xml = '<worksheet><sheetData/><extLst><c r="XFD1"><v>1</v></c></extLst></worksheet>'
    check(xml)
    assert "XFD1" in xml
