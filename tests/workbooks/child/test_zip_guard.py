import io
import zipfile

import pytest

from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.child.zip_guard import check_archive
from klyx.workbooks.limits import WorkbookLimits
from tests.workbooks.bombs import BOMBS
from tests.workbooks.files import archive, package, package_parts, sheet_xml, xlsx_of

LIMITS = WorkbookLimits()
PARTS = package_parts(sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>'))


def code_of(data: bytes, limits: WorkbookLimits = LIMITS) -> str:
    with pytest.raises(Refused) as caught:
        check_archive(data, limits)
    return caught.value.code


def test_ordinary_workbooks_pass() -> None:
    repetitive = xlsx_of([["Stock Name"] * 30] + [["Export NA"] * 30] * 5_000)
    for data in (package(PARTS["xl/worksheets/sheet1.xml"]), xlsx_of([["a", 1]]), repetitive):
        check_archive(data, LIMITS)
    assert len(repetitive) > 100_000


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("high_ratio", "zip_ratio"),
        ("lying_about_sizes", "zip_ratio"),
        ("many_entries", "zip_entries"),
        ("billion_laughs", "dtd"),
        ("billion_laughs_in_utf16", "dtd"),
        ("far_corner", "rows"),
        ("hundred_thousand_rows", "rows"),
    ],
)
def test_bombs_are_found_before_any_parser_runs(name: str, code: str) -> None:
    assert code_of(BOMBS[name][0]()) == code


def test_a_size_that_lies_only_a_little_is_damage() -> None:
    data = archive(PARTS)
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        size = source.getinfo("xl/worksheets/sheet1.xml").file_size
    lying = data.replace(size.to_bytes(4, "little"), (size - 7).to_bytes(4, "little"))
    assert lying != data
    assert code_of(lying) == "damaged"


def test_honest_sizes_over_the_limit_are_refused_before_inflating() -> None:
    assert code_of(archive(PARTS), WorkbookLimits(max_uncompressed_bytes=1_000)) == "zip_size"


def test_lying_sizes_over_the_limit_are_refused_while_inflating() -> None:
    limits = WorkbookLimits(max_uncompressed_bytes=500_000, max_compression_ratio=1_000_000)
    assert code_of(BOMBS["lying_about_sizes"][0](), limits) == "zip_size"


@pytest.mark.parametrize("name", ["../../evil.xml", "/etc/evil.xml", "xl\\..\\..\\evil.xml"])
def test_names_that_leave_the_archive_are_refused(name: str) -> None:
    assert code_of(archive({**PARTS, name: "<a/>"})) == "zip_paths"


@pytest.mark.parametrize("name", ["word/document.xml", "xl/workbook.bin", "content.xml"])
def test_an_archive_without_a_workbook_is_refused(name: str) -> None:
    assert code_of(archive({name: "<document/>"})) == "not_workbook"


def test_two_parts_of_one_name_are_damage() -> None:
    assert code_of(archive({**PARTS, "XL/Worksheets/Sheet1.xml": "<worksheet/>"})) == "damaged"


def test_other_compression_methods_are_damage() -> None:
    assert code_of(archive(PARTS, zipfile.ZIP_BZIP2)) == "damaged"


def test_encrypted_parts_ask_for_the_password_to_be_removed() -> None:
    data = bytearray(archive(PARTS))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert code_of(bytes(data)) == "password"


def test_a_flipped_bit_in_the_compressed_bytes_is_damage() -> None:
    data = bytearray(archive(PARTS, zipfile.ZIP_STORED))
    data[data.index(b"<worksheet") + 3] ^= 1
    assert code_of(bytes(data)) == "damaged"


def test_malformed_xml_is_damage() -> None:
    assert code_of(package("<worksheet><sheetData><row></sheetData>")) == "damaged"


def test_what_follows_the_root_of_other_parts_is_not_judged() -> None:
    check_archive(archive({**PARTS, "xl/drawings/vml1.vml": "<xml><br></xml>"}), LIMITS)
    assert code_of(archive({**PARTS, "xl/drawings/vml1.vml": "<<"})) == "damaged"
