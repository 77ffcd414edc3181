"""Reading numbers out of cells."""

import re

from klyx.services.analysis.table import Cell, finite

_MISSING_TEXT = frozenset(
    {
        "",
        "export na",
        "-",
        "--",
        "nan",
        "inf",
        "+inf",
        "-inf",
        "infinity",
        "+infinity",
        "-infinity",
        "n/a",
        "#n/a",
        "#value!",
        "#div/0!",
        "#ref!",
        "#name?",
        "#num!",
        "#null!",
    }
)
_MISSING_NUMBER = _MISSING_TEXT | frozenset({"na", "nil", "none", "null", "\u2013", "\u2014"})
_CURRENCY = re.compile(r"^([+-]?)\s*(?:\u20b9|rs\.?|inr)\s*", re.IGNORECASE)
# 1,234,567.8 and 12,34,567.8 alike; "1,23" is refused, since its comma may be a decimal point.
_NUMBER = re.compile(
    r"[+-]?(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,4})?",
    re.ASCII | re.IGNORECASE,
)
_LARGEST_EXACT_INTEGER = 2**53


class NotANumberError(ValueError):
    """The cell holds text that is neither a number nor a known sign for "missing"."""


def is_missing_text(value: str) -> bool:
    """Whether exports write this text where they mean an empty cell."""
    return value.strip().casefold() in _MISSING_TEXT


def plain_number(value: object) -> float | int | None:
    """A finite number that JSON can carry, or None. Integers beyond 2**53 become floats."""
    known = finite(value)
    if isinstance(known, int) and abs(known) > _LARGEST_EXACT_INTEGER:
        return float(known)
    return known


def parse_number(cell: Cell) -> float | int | None:
    """The number in a cell, None when it is missing. Percent stays in percent points.

    Reads "1,234.5", "12,34,567", "12.3%", "(1,234)" as a negative, and a leading rupee sign.
    Raises NotANumberError for any other text, and for a truth value.
    """
    if isinstance(cell, bool):
        raise NotANumberError(str(cell))
    if not isinstance(cell, str):
        return plain_number(cell)
    compact = cell.replace("\u2212", "-").replace("\u00a0", " ").strip()
    if compact.casefold() in _MISSING_NUMBER:
        return None
    negative = compact.startswith("(") and compact.endswith(")")
    if negative:
        compact = compact[1:-1].strip()
    digits = _CURRENCY.sub(r"\1", compact.removesuffix("%").strip())
    if not _NUMBER.fullmatch(digits):
        raise NotANumberError(cell)
    value = float(digits.replace(",", ""))
    return plain_number(-value if negative else value)
