"""The shapes that every step of the analysis takes and returns."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from klyx.services.analysis.columns import ZERO_IS_A_GAP

Cell = str | int | float | bool | None
"""One value of a worksheet. Dates are ISO text; numbers are finite; None is "unknown"."""

Row = dict[str, Cell]
"""One stock: column heading -> value."""


@dataclass(frozen=True, slots=True)
class Table:
    """One worksheet as read, before any rule. Each row is as long as `columns`."""

    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a person should know: about a file (`source`), a stock (`stock_name`), or both."""

    message: str
    source: str = ""
    stock_name: str = ""


def finite(value: object) -> float | int | None:
    """The value when it is a finite number (a bool is none), else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:
        return None


def number(row: Mapping[str, Cell], *columns: str) -> float | int | None:
    """The first known number among the columns; 0 is known, None and text are not."""
    for column in columns:
        value = finite(row.get(column))
        if value is not None:
            return value
    return None


def text(row: Mapping[str, Cell], column: str) -> str:
    """The text of a column, or "" when there is none."""
    value = row.get(column)
    return value if isinstance(value, str) else ""


def fill(row: Row, column: str, value: Cell) -> bool:
    """Put the value into the column when it is missing there and known here; True when it was.

    A 0 in a column that is practically never 0 gives way to a figure.
    """
    if value is None:
        return False
    present = row.get(column)
    if present is not None and not (column in ZERO_IS_A_GAP and present == 0 and value != 0):
        return False
    row[column] = value
    return True
