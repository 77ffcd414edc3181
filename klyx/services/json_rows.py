"""From the rows of a statement to JSON objects with one member a column or more, without a Python object for each.

PostgreSQL sends numbers as text, and its text of a number is JSON. So numbers go from the driver to the answer as
they are (see klyx.database.dialect.NUMBERS_AS_TEXT); only what needs quotes is encoded. SQLite's driver gives Python
numbers, which are made the same first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

import orjson

Row = Sequence[Any]
Convert = Callable[[Any], Any]

# One value a line, and JSON has no raw line ends within a text: so encoded values can be told apart.
_ONE_A_LINE = orjson.OPT_INDENT_2 | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
_BEFORE_FIRST, _BETWEEN, _AFTER_LAST = len(b"[\n  "), b",\n  ", -len(b"\n]")
_NULL = b"null"
_NO_NUMBERS = frozenset((b"NaN", b"Infinity", b"-Infinity"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the statement and the members it becomes. `omitted_names` are left out when it is null.

    The value of a column that is no number goes through `convert` unless it is null; a number is rounded to `decimals`.
    """

    names: tuple[str, ...]
    is_number: bool
    omitted_names: tuple[str, ...] = ()
    decimals: int | None = None
    convert: Convert | None = None


class RowEncoder:
    """Encodes rows of `columns`. The first column must be a number that is never null, and have a name.

    A row may have further values, which are passed over.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        # All that depends on the columns only is worked out once, because a page has 500 rows of 50 to 180 members.
        self._width = len(columns)
        self._numbers = [position for position, column in enumerate(columns) if column.is_number]
        self._others = [position for position, column in enumerate(columns) if not column.is_number]
        self._conversions = [
            (place, convert)
            for place, position in enumerate(self._others)
            if (convert := columns[position].convert) is not None
        ]
        self._rounded = [
            (position, partial(_rounded, column.decimals))
            for position, column in enumerate(columns)
            if column.is_number and column.decimals is not None
        ]
        # Beside a row's values lie the other ones, encoded, and then the members that are left out when unknown, whole.
        place_of = {position: self._width + place for place, position in enumerate(self._others)}
        beside = self._width + len(self._others)
        self._omitted: list[tuple[int, bytes]] = []
        pieces: list[bytes] = []
        gaps: list[int] = []
        for position, column in enumerate(columns):
            for name in column.names:
                pieces.append(b"," + orjson.dumps(name) + b":")
                gaps.append(place_of.get(position, position))
            for name in column.omitted_names:
                pieces.append(b"")
                gaps.append(beside + len(self._omitted))
                self._omitted.append((position, b"," + orjson.dumps(name) + b":"))
        pieces[0] = b"{" + pieces[0][1:]
        # What stands before each gap, and an empty one for the gap.
        self._pieces = [*(part for piece in pieces for part in (piece, b"")), b"}"]
        self._spread = itemgetter(*gaps)

    def encode(self, rows: Sequence[Row]) -> bytes:
        """The JSON array of the rows' objects; what is no JSON number becomes null, `<` and `>` disappear."""
        if not rows:
            return b"[]"
        if not isinstance(rows[0][0], bytes):
            rows = self._as_text(rows)
        # A look at each row takes a tenth of the time of a search through what it becomes.
        if not all(map(_NO_NUMBERS.isdisjoint, rows)):
            rows = [self._without_wrong_numbers(row) for row in rows]
        return self._encode(rows)

    def _encode(self, rows: Sequence[Row]) -> bytes:
        width, spread, rounded, omitted = self._width, self._spread, self._rounded, self._omitted
        count = len(self._others)
        others = self._encoded_others(rows)
        pieces = self._pieces.copy()
        objects: list[bytes] = []
        for number, row in enumerate(rows):
            cells = [_NULL if cell is None else cell for cell in row[:width]]
            for position, round_number in rounded:
                if row[position] is not None:
                    cells[position] = round_number(cells[position])
            cells += others[number * count : (number + 1) * count]
            for position, member in omitted:
                cells.append(member + cells[position] if row[position] is not None else b"")
            # Row by row: a join takes 80 bytes a piece beside its result, for a page a megabyte from the system.
            pieces[1::2] = spread(cells)
            objects.append(b"".join(pieces))
        objects[0] = b"[" + objects[0]
        objects[-1] += b"]"
        return b",".join(objects)

    def _encoded_others(self, rows: Sequence[Row]) -> list[bytes]:
        others = self._others
        values: list[Any] = []
        for row in rows:
            values += [row[position] for position in others]
        for place, convert in self._conversions:
            for at in range(place, len(values), len(others)):
                if (value := values[at]) is not None:
                    values[at] = convert(value)
        return _encoded(values)

    def _as_text(self, rows: Sequence[Row]) -> list[list[Any]]:
        """Rows with Python's numbers, as PostgreSQL would have sent them."""
        numbers = [row[position] for row in rows for position in self._numbers]
        cells = iter(_encoded([number if isinstance(number, int | float) else None for number in numbers]))
        made = []
        for row in rows:
            new = list(row)
            for position in self._numbers:
                cell = next(cells)
                new[position] = None if cell == _NULL else cell
            made.append(new)
        return made

    def _without_wrong_numbers(self, row: Row) -> list[Any]:
        new = list(row)
        for position in self._numbers:
            if new[position] in _NO_NUMBERS:
                new[position] = None
        return new


def _encoded(values: list[Any]) -> list[bytes]:
    encoded = orjson.dumps(values, option=_ONE_A_LINE)[_BEFORE_FIRST:_AFTER_LAST]
    if b"<" in encoded or b">" in encoded:
        # Clients put texts into pages as raw HTML, so nothing may open or close a tag.
        encoded = encoded.translate(None, b"<>")
    return encoded.split(_BETWEEN)


def _rounded(decimals: int, number: bytes) -> bytes:
    return orjson.dumps(round(float(number), decimals))
