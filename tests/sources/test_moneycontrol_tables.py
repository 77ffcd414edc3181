from __future__ import annotations

import pytest

from klyx.sources.base import SourceUnavailable
from klyx.sources.moneycontrol_tables import Page, parse_number, read_page
from klyx.sources.statement_periods import Line, Period

STATEMENT = """
<table class="mctable1">
  <thead>
  <tr><td rowspan="3">Profit &amp; Loss account of Sample&nbsp;Ltd (in Rs. Cr.)</td><td colspan="2">Annual</td></tr>
  <tr><td>Mar 25</td><td> Mar&nbsp;24 </td><td>&nbsp;</td></tr>
  <tr><td>12 mths</td><td>15 mths</td><td></td></tr></thead>
  <tr><td colspan="4"><b>INCOME</b></td></tr>
  <tr><td>Revenue From Operations [Net]</td><td>1,23,456.78</td><td>--</td><td>&nbsp;</td></tr>
  <tr><td>Other <script>alert(1)</script><b>Income</b></td><td>-1,000.5</td><td>(2.5)</td></tr>
  <tr><td>Nobody knows</td><td>--</td><td>NA</td></tr>
  <tr><td>Short row</td><td>7</td></tr>
</table>"""
NO_NUMBERS = (
    STATEMENT.replace("1,23,456.78", "NaN")
    .replace("-1,000.5", "n.a.")
    .replace("(2.5)", "x")
    .replace(">7<", ">Infinity<")
)


def read(body: str) -> Page:
    return read_page(f"<html><body>{body}</body></html>".encode())


def test_merged_headings_several_rows_of_them_and_numbers_with_commas() -> None:
    (table,) = read(STATEMENT).tables
    assert table.heading == "Profit & Loss account of Sample Ltd (in Rs. Cr.)"
    assert table.periods == (Period(2025, 3, 12), Period(2024, 3, 15))
    assert table.lines == (
        Line("Revenue From Operations [Net]", (123_456.78, None)),
        Line("Other Income", (-1000.5, -2.5)),
        Line("Short row", (7.0, None)),
    )


def test_tables_beside_the_statement_are_left_out() -> None:
    beside = "<table><tr><td>Peers</td><td>Mar 25</td></tr><tr><td>Other Ltd</td><td>1</td></tr></table>"
    assert len(read(beside + STATEMENT + beside).tables) == 1
    assert len(read(beside).tables) == 1


def test_labels_cannot_open_a_tag() -> None:
    body = STATEMENT.replace("Short row", "&lt;img src=x onerror=alert(1)&gt; Sales")
    (table,) = read(body).tables
    assert table.lines[-1].label == "img src=x onerror=alert(1) Sales"


@pytest.mark.parametrize("span", ["0", "-3", "x", "999999999", "\u0663"])
def test_absurd_spans_do_no_harm(span: str) -> None:
    (table,) = read(STATEMENT.replace('colspan="2"', f'colspan="{span}"')).tables
    assert table.periods[0] == Period(2025, 3, 12)


def test_a_page_that_says_it_has_nothing_has_no_tables() -> None:
    assert read("<p>Data Not Available for Balance Sheet</p>").tables == ()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"   ",
        b"\x00\x01\x02",
        b"<html><body><h1>Access Denied</h1></body></html>",
        b'{"error": "try later"}',
        f"<html>{NO_NUMBERS}</html>".encode(),
        f"<html>{STATEMENT}".encode(),
    ],
)
def test_what_cannot_be_understood_is_not_taken_for_nothing(document: bytes) -> None:
    with pytest.raises(SourceUnavailable):
        read_page(document)


def test_a_part_of_a_page_that_was_cut_off() -> None:
    assert read_page(STATEMENT.encode()).tables
    with pytest.raises(SourceUnavailable):
        read_page(STATEMENT.removesuffix("</table>").encode())


def test_the_link_to_older_years() -> None:
    link = '<a href="/financials/x/profit-lossVI/X/2#X"><span class="nextpaging">Previous Years</span></a>'
    assert read(STATEMENT + link).older_years == "/financials/x/profit-lossVI/X/2#X"
    dead = '<a href="javascript:void();"><span class="nextpaging">Previous Years</span></a>'
    assert read(STATEMENT + dead).older_years is None
    assert read(STATEMENT).older_years is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,23,456.78", 123_456.78),
        ("-12.5", -12.5),
        ("\u221212.5", -12.5),
        ("(3.1)", -3.1),
        ("74.50%", 74.5),
        (".5", 0.5),
        ("0.00", 0.0),
        ("--", None),
        ("-", None),
        ("", None),
        ("NA", None),
        ("NaN", None),
        ("Infinity", None),
        ("1e9", None),
        ("-999,999,999,999,999,999.00", None),
        ("1.2.3", None),
        ("\u0661", 1.0),
    ],
)
def test_numbers(text: str, value: float | None) -> None:
    assert parse_number(text) == value
