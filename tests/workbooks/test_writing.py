import csv
import datetime as dt
import io
import re
import zipfile
from pathlib import Path

import pytest

from klyx.workbooks import WorkbookLimits, read_workbook, write_csv, write_xlsx
from tests.workbooks.files import saved

DANGEROUS = ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", "=cmd|' /C calc'!A0"]
ROWS: list[dict[str, object]] = [
    {"Stock Name": "M&M \u20b9", "Price": 3_650.25, "Change": -1.5, "Listed": True},
    {
        "Stock Name": "TCS",
        "Notes": [{"title": "Up"}],
        "Price": None,
        "Day": dt.date(2025, 9, 30),
        "PE": float("nan"),
    },
]


def fields(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_csv_holds_the_union_of_the_columns_in_order_of_mention() -> None:
    content = write_csv(ROWS)
    assert content.startswith(b"\xef\xbb\xbf")
    assert fields(content) == [
        ["Stock Name", "Price", "Change", "Listed", "Notes", "Day", "PE"],
        ["M&M \u20b9", "3650.25", "-1.5", "True", "", "", ""],
        ["TCS", "", "", "", '[{"title": "Up"}]', "2025-09-30", ""],
    ]


@pytest.mark.parametrize("text", DANGEROUS)
def test_csv_defuses_texts_and_headings_that_look_like_formulas(text: str) -> None:
    rows = fields(write_csv([{text: text, "x": 'say "hi", now'}]))
    assert rows == [["'" + text, "x"], ["'" + text, 'say "hi", now']]


def test_csv_of_nothing_is_a_byte_order_mark() -> None:
    assert write_csv([]) == b"\xef\xbb\xbf"


def test_csv_survives_nul_and_half_characters() -> None:
    assert fields(write_csv([{"a": "x\x00y\ud83dz"}])) == [["a"], ["xy?z"]]


def test_xlsx_reads_back_with_the_same_values(tmp_path: Path) -> None:
    table = read_workbook(saved(tmp_path, write_xlsx(ROWS)), "results.xlsx", WorkbookLimits())
    assert table.columns == ("Stock Name", "Price", "Change", "Listed", "Notes", "Day", "PE")
    assert table.rows == (
        ("M&M \u20b9", 3_650.25, -1.5, True, None, None, None),
        ("TCS", None, None, None, '[{"title": "Up"}]', "2025-09-30", None),
    )


def test_xlsx_holds_no_formula_and_no_link() -> None:
    texts = [*DANGEROUS, "https://example.org/", "{=1+1}", "mailto:a@example.org"]
    with zipfile.ZipFile(io.BytesIO(write_xlsx([{"Text": text} for text in texts]))) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        strings = archive.read("xl/sharedStrings.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert re.findall(r"<t[^>]*>(=1\+1)</t>", strings) == ["=1+1"]
    assert 'quotePrefix="1"' in styles


def test_xlsx_cuts_what_a_cell_cannot_hold(tmp_path: Path) -> None:
    content = write_xlsx([{"Stock Name": "x" * 40_000}, {"Stock Name": "a\x00b\ud83dc\uffff"}])
    table = read_workbook(saved(tmp_path, content), "results.xlsx", WorkbookLimits())
    assert [len(str(row[0])) for row in table.rows] == [32_767, 3]
