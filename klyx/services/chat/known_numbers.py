"""Which numbers and days the tools of a conversation gave, and whether a text states no others."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

# A sign belongs to a number only where it is no hyphen between two words or numbers.
_NUMBER = re.compile(r"(?:(?<![\w)%])[-+\u2212])?\d[\d,]*(?:\.\d+)?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY = re.compile(
    r"(?<!\d)(?:(?P<iso>\d{4}-\d{2}-\d{2})T?"
    rf"|(?P<day>\d{{1,2}})[ -](?P<month>{'|'.join(_MONTHS)})[a-z]*[ -,]+(?P<year>\d{{4}}))(?!\d)",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?:[-+][01]\d:?[0-5]\d)?(?![\d:])")
# What labels say of time or method: 52-week high, 5 years, 1Y return, SMA 50, 200 DMA, RSI (14).
_SPAN = re.compile(
    r"\b\d{1,3}[- ]?(?:days?|weeks?|months?|mo|years?|yrs?|[dsem]ma)\b|\b(?:[1-9]|1[0-2]|52)[dwmy]\b"
    r"|\b(?:[dsem]ma|rsi|adx|atr|mfi)[- (]*\d{1,3}\b",
    re.IGNORECASE,
)
# Totals in rupees are also written in crores and in lakh crores, from a hundredth of one on.
_SCALES = (1.0, 1e7, 1e12)
_SMALLEST_SCALED = 0.01
_MOST_DIGITS = 4


class KnownNumbers:
    """Every number and day that the tools of a conversation have given."""

    def __init__(self) -> None:
        self._values: set[float] = set()
        self._days: set[date] = set()
        self._in_names: set[float] = set()

    def learn(self, result: Any) -> None:
        """Take in every number of a JSON value, those within its texts too; those in names of fields for labels."""
        if isinstance(result, Mapping):
            for name, value in result.items():
                self._in_names.update(numbers_in(str(name)))
                self.learn(value)
        elif isinstance(result, list | tuple):
            for value in result:
                self.learn(value)
        else:
            self._values.update(filter(math.isfinite, numbers_in(result)))
            self._days.update(day for day in _days_in(result) if day is not None)

    def knows(self, value: float) -> bool:
        """Whether a tool gave this number, perhaps with more decimals or to be written in crores or lakh crores."""
        if not math.isfinite(value):
            return False
        if value in self._values:
            return True
        if value == 0:
            return any(round(known, 2) == 0 for known in self._values)
        return any(_may_be_written(known, value) for known in self._values)

    def knows_day(self, day: str) -> bool:
        """Whether a tool gave this day (YYYY-MM-DD, and nothing else)."""
        return len(day) == 10 and _iso_day(day) in self._days

    def knows_all_of(self, value: Any) -> bool:
        """Whether a number, or every number and day that a text states, was given."""
        return all(map(self.knows, numbers_in(value))) and all(day in self._days for day in _days_in(value))

    def knows_all_of_label(self, label: str) -> bool:
        """The same of what a figure is called, which may also name a span of time, or a field of a result."""
        plain = _SPAN.sub(" ", _plain(label))
        numbers = (number for number in numbers_in(plain) if number not in self._in_names)
        return all(map(self.knows, numbers)) and all(day in self._days for day in _days_in(plain))


def numbers_in(value: Any) -> list[float]:
    """The numbers of a scalar: itself, or those a text spells (`Rs.1,234.5`); those of a day or a clock are none.

    One that is too large for a float is an infinity.
    """
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int | float):
        try:
            return [float(value)]
        except OverflowError:
            return [math.inf]
    if isinstance(value, str):
        text = _CLOCK.sub(" ", _DAY.sub(" ", _plain(value)))
        return [float(found.replace(",", "").replace("\u2212", "-")) for found in _NUMBER.findall(text)]
    return []


def _may_be_written(known: float, value: float) -> bool:
    for scale in _SCALES:
        scaled = known / scale
        if scale > 1 and abs(scaled) < _SMALLEST_SCALED:
            return False
        written = (scaled, *(round(scaled, digits) for digits in range(_MOST_DIGITS + 1)))
        if any(math.isclose(value, number, rel_tol=1e-9) for number in written):
            return True
    return False


def _days_in(value: Any) -> list[date | None]:
    """The days that a text names, None for one that no calendar has."""
    if not isinstance(value, str):
        return []
    days = []
    for found in _DAY.finditer(_plain(value)):
        iso = found["iso"] or f"{found['year']}-{_MONTHS.index(found['month'].lower()) + 1:02}-{int(found['day']):02}"
        days.append(_iso_day(iso))
    return days


def _iso_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _plain(text: str) -> str:
    """Digits in circles, raised or of double width are digits to whoever reads them."""
    return unicodedata.normalize("NFKC", text)
