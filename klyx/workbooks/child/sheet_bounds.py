"""A streaming look at one XML part: no DTD, and worksheet cells within bounds."""

import re
from xml.parsers import expat

from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.limits import WorkbookLimits

CELL_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})\Z")


class XmlPartCheck:
    """Feed it a part's bytes; it raises Refused as soon as something is wrong.

    A reader that lays a sheet out as a rectangle allocates rows x columns, so one value in a far corner
    costs gigabytes. Only cells with a value count: spreadsheet programs leave empty styled cells far out.
    Codes: `dtd`, `damaged`, `rows`, `columns`.
    """

    def __init__(self, limits: WorkbookLimits) -> None:
        self._limits = limits
        self._row = 0
        self._column = 0
        self._first_row = 0
        self._first_column = 0
        self._letters: dict[str, int] = {}
        self._in_sheet_data = False
        self.finished = False
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._refuse_dtd
        self._parser.StartElementHandler = self._root

    def feed(self, chunk: bytes, final: bool = False) -> None:
        """Check the next bytes. Parts that are no worksheet are finished at their root element."""
        if self.finished:
            return
        try:
            self._parser.Parse(chunk, final)
        except expat.ExpatError as error:
            # A DTD can only stand before the root, so what follows a finished root need not be parsed.
            if not self.finished:
                raise Refused("damaged") from error

    def _refuse_dtd(self, *_: object) -> None:
        raise Refused("dtd")

    def _root(self, name: str, _: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "worksheet":
            self._parser.StartElementHandler = self._start
            self._parser.EndElementHandler = self._end
        else:
            self.finished = True
            self._parser.StartElementHandler = None

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] == "sheetData":
            self._in_sheet_data = False

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "sheetData":
            self._in_sheet_data = True
        elif not self._in_sheet_data:
            return
        elif local == "c":
            self._move_to(attributes.get("r"))
        elif local in {"v", "is"}:
            self._count_cell()
        elif local == "row":
            self._row = _row_number(attributes["r"]) if "r" in attributes else self._row + 1
            self._column = 0

    def _move_to(self, reference: str | None) -> None:
        if reference is None:
            self._column += 1
            return
        match = CELL_REFERENCE.match(reference)
        if match is None:
            raise Refused("damaged")
        letters = match[1]
        column = self._letters.get(letters)
        if column is None:
            column = self._letters[letters] = _column_number(letters)
        self._column, self._row = column, int(match[2])

    def _count_cell(self) -> None:
        self._first_row = min(self._first_row or self._row, self._row)
        self._first_column = min(self._first_column or self._column, self._column)
        # One row more than data rows: the headings.
        if self._row - self._first_row > self._limits.max_rows:
            raise Refused("rows", found=self._row)
        if self._column - self._first_column >= self._limits.max_columns:
            raise Refused("columns", found=self._column)


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _row_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise Refused("damaged")
    return int(text)
