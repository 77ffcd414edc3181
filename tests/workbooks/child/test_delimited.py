import pytest

from klyx.workbooks.child.delimited import decode, read_delimited, sniff_delimiter, text_cell
from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.limits import WorkbookLimits

LIMITS = WorkbookLimits(max_cell_characters=50)
TEXT = 'Stock Name{0}Price\r\n"Caf\u00e9 ""Day"" Ltd."{0}12.5\r\n'
ROWS = [["Stock Name", "Price"], ['Caf\u00e9 "Day" Ltd.', 12.5]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_reads_what_spreadsheet_programs_write(encoding: str, delimiter: str) -> None:
    assert read_delimited(TEXT.format(delimiter).encode(encoding), LIMITS) == ROWS


def test_reads_big_endian_utf16() -> None:
    assert read_delimited(b"\xfe\xff" + TEXT.format("\t").encode("utf-16-be"), LIMITS) == ROWS


def test_reads_the_separator_line_of_excel() -> None:
    assert read_delimited(b"sep=|\r\nStock Name|Price\r\nA, B; C|1\r\n", LIMITS) == [
        ["Stock Name", "Price"],
        ["A, B; C", 1],
    ]


def test_reads_old_line_ends_and_line_breaks_in_quotes() -> None:
    assert read_delimited(b'a,b\r"x\ry",1\r', LIMITS) == [["a", "b"], ["x\ry", 1]]


def test_trailing_delimiters_are_not_columns() -> None:
    assert read_delimited(b"Stock Name" + b"," * 1_000 + b"\nTCS,,,\n,,,\n", LIMITS) == [["Stock Name"], ["TCS"]]


def test_delimiters_in_quotes_do_not_count() -> None:
    assert sniff_delimiter('\n"a,b,c";d') == ";"
    assert sniff_delimiter("Stock Name") == ","
    assert sniff_delimiter("") == ","


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ("", None),
        ("  ", None),
        ("#N/A", None),
        ("#DIV/0!", None),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("0.50", 0.5),
        ("-1.5e3", -1500.0),
        ("1e999", "1e999"),
        ("007", "007"),
        ("INE423A01024", "INE423A01024"),
        ("1234567890123456", "1234567890123456"),
        ("1,234.5", "1,234.5"),
        ("12%", "12%"),
        ("+5", "+5"),
        ("=1+1", "=1+1"),
        ("@SUM(A1)", "@SUM(A1)"),
        ("nan", "nan"),
        ("Export NA", "Export NA"),
        (" TCS\x00 ", "TCS"),
        ("\u0661\u0662", "\u0661\u0662"),
    ],
)
def test_text_cell(field: str, cell: str | float | None) -> None:
    found = text_cell(field)
    assert found == cell
    assert type(found) is type(cell)


def test_bytes_that_no_code_page_knows_are_replaced() -> None:
    assert decode(b"a\x81\xe9") == "a\ufffd\u00e9"


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfcaf\xe9", b"\xff\xfea"])
def test_a_byte_order_mark_that_lies_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as caught:
        read_delimited(data, LIMITS)
    assert caught.value.code == "encoding"


def test_an_open_quote_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        read_delimited(b'Stock Name\n"' + b"TCS\n" * 100, LIMITS)
    assert caught.value.code == "csv_quotes"
