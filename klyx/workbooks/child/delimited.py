""".csv in the encodings and with the delimiters that spreadsheet programs write."""

import csv
import io
import math
import re
from collections.abc import Iterator

from klyx.workbooks.child.grid import Cell, collect_rows
from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.limits import WorkbookLimits

DELIMITERS = ",;\t"
SEPARATOR_LINE = re.compile(r"\ufeff?sep=(.)\r?\n", re.IGNORECASE)
# Leading zeros and more digits than a double holds mark a code, not a number.
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?\Z")
ERROR_VALUES = frozenset({"#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"})


def read_delimited(data: bytes, limits: WorkbookLimits) -> list[list[Cell]]:
    """The rows of a delimited text; plain numbers become numbers, all else stays text.

    Raises Refused: `encoding`, `csv_quotes`, and the codes of collect_rows.
    """
    text = decode(data)
    separator_line = SEPARATOR_LINE.match(text)
    if separator_line is not None:
        text = text[separator_line.end() :]
        delimiter = separator_line[1]
    else:
        delimiter = sniff_delimiter(text)
    csv.field_size_limit(limits.max_cell_characters)
    try:
        return collect_rows(_cells(text, delimiter), limits)
    except csv.Error as error:
        raise Refused("csv_quotes") from error


def decode(data: bytes) -> str:
    """UTF-16 and UTF-8 by their byte order mark, else UTF-8, else Windows-1252."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        if data.startswith(b"\xef\xbb\xbf"):
            return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("encoding") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def sniff_delimiter(text: str) -> str:
    """The delimiter seen most often outside quotes in the first line that is not empty."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    unquoted = re.sub(r'"[^"]*"', "", first)
    return max(DELIMITERS, key=unquoted.count)


def _cells(text: str, delimiter: str) -> Iterator[list[Cell]]:
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        while row and not row[-1]:
            row.pop()
        yield [text_cell(value) for value in row]


def text_cell(value: str) -> Cell:
    """A csv field as a cell; a text that starts with `=` is data like any other."""
    value = value.replace("\x00", "").strip()
    if not value or value in ERROR_VALUES:
        return None
    if NUMBER.match(value) is None:
        return value
    if value.lstrip("-").isdigit():
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else value
