"""Periods of changes in sentences: "this week", "last 3 months", "52 weeks"."""

from __future__ import annotations

import re
from collections.abc import Mapping

CHANGES: Mapping[str, str] = {
    "today": "day_change_pct",
    "day": "day_change_pct",
    "week": "week_change_pct",
    "month": "month_change_pct",
    "quarter": "qtr_change_pct",
    "year": "year_1_change_pct",
    "3 years": "year_3_change_pct",
}
"""The change over a period, by the word for it."""
_LENGTHS: Mapping[tuple[str, int], str] = {
    ("day", 1): "day",
    ("day", 7): "week",
    ("day", 30): "month",
    ("week", 1): "week",
    ("week", 4): "month",
    ("week", 52): "year",
    ("month", 1): "month",
    ("month", 3): "quarter",
    ("month", 12): "year",
    ("quarter", 1): "quarter",
    ("quarter", 4): "year",
    ("year", 1): "year",
    ("year", 3): "3 years",
}
_ADVERBS: Mapping[str, str] = {
    "today": "today",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
    "annual": "year",
    "annually": "year",
}
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_UNITS: Mapping[str, str] = {
    **{word: unit for unit in ("day", "week", "month", "quarter", "year") for word in (unit, f"{unit}s", unit[0])},
    "yr": "year",
    "yrs": "year",
    "qtr": "quarter",
    "mo": "month",
}
_SHORT = "|".join(word for word in _UNITS if len(word) == 1)
_LONG = "|".join(word for word in _UNITS if len(word) > 1)
PERIOD = (
    r"(?:\b(?:of|in|over|during|for|since)\s+)?(?:\b(?:this|the|last|past|previous|a)\s+)*"
    rf"(?:\b(?:{'|'.join(_ADVERBS)})\b"
    rf"|(?:(?:\b\d+(?:\.\d+)?|\b(?:{'|'.join(_NUMBERS)}|few|several|couple\s+of|half))[\s-]*(?:an?\s+)?)?"
    rf"(?<![a-z])(?:{_LONG}|(?<=\d)(?:{_SHORT})|decades?|fortnights?|hours?|minutes?)\b)"
)
"""A period, known or not, without groups."""
_ADVERB = re.compile(rf"\b({'|'.join(_ADVERBS)})$")
_LENGTH = re.compile(rf"(?:\b(\d+|{'|'.join(_NUMBERS)})[\s-]*)?(?<![a-z])({'|'.join(_UNITS)})$")
_COUNTED = re.compile(r"\d|\b(?:few|several|couple|half)\b")


def change_over(period: str) -> str | None:
    """The column of the change over a period that PERIOD has matched, if there is one."""
    if adverb := _ADVERB.search(period):
        return CHANGES[_ADVERBS[adverb.group(1)]]
    length = _LENGTH.search(period)
    if length is None:
        return None
    digits, word = length.groups()
    if digits is None and (_COUNTED.search(period) or (word.endswith("s") and word != "yrs")):
        return None
    number = 1 if digits is None else _NUMBERS.index(digits) + 1 if digits in _NUMBERS else int(digits)
    known = _LENGTHS.get((_UNITS[word], number))
    return None if known is None or "." in period else CHANGES[known]
