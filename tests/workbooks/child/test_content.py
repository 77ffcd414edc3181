import pytest

from klyx.workbooks.child.content import check_content
from klyx.workbooks.child.refusal import Refused
from tests.workbooks.files import archive, compound_file, xls_of, xlsx_of

XLSX = xlsx_of([["Stock Name"]])
XLS = xls_of([(0, 0, "Stock Name")])


@pytest.mark.parametrize(
    ("data", "extension"),
    [
        (XLSX, ".xlsx"),
        (XLS, ".xls"),
        (b"Stock Name\nTCS", ".csv"),
        (b"\xef\xbb\xbfStock Name", ".csv"),
        ("Stock Name\tPrice".encode("utf-16"), ".csv"),
        (b"caf\xe9,1", ".csv"),
        (b"<5% of the list,1", ".csv"),
    ],
)
def test_content_that_fits_passes(data: bytes, extension: str) -> None:
    check_content(data, extension)
    assert data


@pytest.mark.parametrize(
    ("data", "extension", "code"),
    [
        (b"", ".csv", "empty"),
        (b" \r\n\t\x00", ".xlsx", "empty"),
        (XLS, ".xlsx", "xls_named_xlsx"),
        (XLSX, ".xls", "xlsx_named_xls"),
        (XLSX, ".csv", "workbook_named_csv"),
        (XLS, ".csv", "workbook_named_csv"),
        (b"Stock Name,Price", ".xlsx", "not_xlsx"),
        (b"Stock Name\tPrice", ".xls", "not_xls"),
        (b"%PDF-1.7 ...", ".csv", "not_csv"),
        (b"Stock\x00Name", ".csv", "not_csv"),
        (b"\n<HTML><table>", ".xls", "web_page"),
        (b"\xef\xbb\xbf<!DOCTYPE html>", ".csv", "web_page"),
        (compound_file({"EncryptedPackage": b"x"}), ".csv", "password"),
        (xls_of([(0, 0, "x")], protected=True), ".xls", "password"),
    ],
)
def test_content_that_does_not_fit_is_refused(data: bytes, extension: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        check_content(data, extension)
    assert caught.value.code == code


def test_a_truncated_biff_stream_is_not_taken_for_a_protected_one() -> None:
    start = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x09\x08\x10\x00\x00\x06\x05\x00"
    check_content(start, ".xls")
    check_content(archive({"a": b"x"}), ".xlsx")
    assert start.endswith(b"\x05\x00")
