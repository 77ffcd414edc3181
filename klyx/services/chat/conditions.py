"""The conditions that a sentence states, such as "P/E under 15", "ROE of 20 or more" or "debt free"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from klyx.services.chat.vocabulary import FIELD_WORDS, MONEY_FIELDS

CRORE, LAKH_CRORE, BILLION = 1e7, 1e12, 1e9
_SCALES: Mapping[str, float] = {
    "lakh crore": LAKH_CRORE,
    "lakh crores": LAKH_CRORE,
    "lakh cr": LAKH_CRORE,
    "crore": CRORE,
    "crores": CRORE,
    "cr": CRORE,
    "billion": BILLION,
    "bn": BILLION,
    "lakh": 1e5,
    "lakhs": 1e5,
}
_WORDS = sorted(((word, column) for column, words in FIELD_WORDS.items() for word in words), key=lambda w: -len(w[0]))
FIELD = "|".join(re.escape(word) for word, _ in _WORDS)
COLUMN_OF = dict(_WORDS)
_FIELD_NAMED = re.compile(rf"(?<![\w/])(?:{FIELD})(?![\w/])")
_NUMBER = r"(?:rs\.?\s*|inr\s*|₹\s*)?([-+]?\d[\d,]*(?:\.\d+)?)\s*(?:%|percent\b|per cent\b)?\s*"
_SCALE = r"(?:(lakh crores?|lakh cr|crores?|cr|billion|bn|lakhs?)(?!\w))?"
_AMOUNT = _NUMBER + _SCALE
_COMPARISONS: tuple[tuple[str, str], ...] = (
    ("gte", r">=|at least|no less than|minimum(?: of)?|min"),
    ("lte", r"<=|at most|no more than|up to|maximum(?: of)?|max"),
    ("gt", r">|over|above|more than|greater than|higher than|bigger than|exceeding|beyond|at above"),
    ("lt", r"<|under|below|less than|lower than|smaller than|fewer than"),
    ("eq", r"=|equal to|equals|exactly"),
)
_ANY_COMPARISON = "|".join(f"(?P<{name}>{words})" for name, words in _COMPARISONS)
_OPERATOR = rf"(?P<negated>(?:not|never)\s+)?(?:{_ANY_COMPARISON})"
_NOT = r"(?P<excluded>\b(?:not|without|excluding|except)\s+(?:(?:with|having|an?|in|those|stocks)\s+)*)?"
_THE_FIELD = rf"(?<![\w/])(?P<field>{FIELD})(?![\w/])"
_IS = r"[^\w<>=₹+-]*(?:(?:is|are|of|a|the|in|value|with)\s+)*"
_BETWEEN = re.compile(
    rf"{_NOT}{_THE_FIELD}(?:\s+(?:is|are|of))*\s+(?:between|from)\s+{_AMOUNT}\s*(?:and|to|-)\s*{_AMOUNT}"
)
_FIELD_FIRST = re.compile(rf"{_NOT}{_THE_FIELD}{_IS}{_OPERATOR}\s*{_AMOUNT}")
_AMOUNT_FIRST = re.compile(rf"{_NOT}{_OPERATOR}\s*{_AMOUNT}\s+{_THE_FIELD}")
_OPEN_ENDED = re.compile(
    rf"{_NOT}{_THE_FIELD}{_IS}{_AMOUNT}\s*(?:"
    r"(?P<gte>\+|(?:or|and) (?:more|above|higher|greater|over)\b)|(?P<lte>(?:or|and) (?:less|below|lower|under)\b))"
)
_SIGNED = re.compile(rf"{_NOT}\b(?:(?P<lt>negative)|(?P<gt>positive))\s+{_THE_FIELD}")
_SHARE_PRICE = re.compile(
    rf"{_NOT}{_OPERATOR}\s*(?:(?:rs\.?|inr|₹)\s*(\d[\d,.]*)(?![\d,.]*\s*(?:lakh|cr|b))|(\d[\d,.]*)\s*(?:rupees|rs|inr)\b)"
)
_MOVED = re.compile(
    r"\b(?:(?P<up>up|gained|risen|rose)|(?P<down>down|fallen|fell|lost|dropped))\s+(?:by\s+)?"
    rf"(?:(?:more than|at least|over|above|>=?)\s*)?{_NUMBER}(?:in|over|during|for|since)?\s*"
    r"(?:(?:this|the|last|past|a|one|1)\s+)*(?P<period>today|day|week|month|quarter|year)\b"
)
CHANGES: Mapping[str, str] = {
    "today": "day_change_pct",
    "day": "day_change_pct",
    "week": "week_change_pct",
    "month": "month_change_pct",
    "quarter": "qtr_change_pct",
    "year": "year_1_change_pct",
}
"""The change over a period, by the word for it."""
_ADJECTIVES: tuple[tuple[str, dict[str, Any]], ...] = (
    (r"debt[- ]free|zero debt|no debt", {"field": "debt_to_equity", "operator": "lt", "value": 0.1}),
    (r"low debt", {"field": "debt_to_equity", "operator": "lt", "value": 0.5}),
    (r"large[- ]?caps?", {"field": "market_cap", "operator": "gte", "value": 200_000_000_000.0}),
    (r"mid[- ]?caps?", {"field": "market_cap", "operator": "between", "value": [50_000_000_000.0, 200_000_000_000.0]}),
    (r"small[- ]?caps?", {"field": "market_cap", "operator": "lt", "value": 50_000_000_000.0}),
    (r"oversold", {"field": "rsi", "operator": "lt", "value": 30}),
    (r"overbought", {"field": "rsi", "operator": "gt", "value": 70}),
    (r"profitable|profit[- ]making", {"field": "net_profit_annual", "operator": "gt", "value": 0}),
    (r"loss[- ]making", {"field": "net_profit_annual", "operator": "lt", "value": 0}),
    (r"in (?:an? )?up[- ]?trend|uptrending", {"field": "tech_trend", "operator": "contains", "value": "Bullish"}),
    (r"in (?:an? )?down[- ]?trend", {"field": "tech_trend", "operator": "contains", "value": "Bearish"}),
    (r"strong buy", {"field": "recommendation_key", "operator": "eq", "value": "strong_buy"}),
)
_OPPOSITES: Mapping[str, str] = {"gt": "lte", "lte": "gt", "lt": "gte", "gte": "lt", "eq": "ne"}


@dataclass(frozen=True, slots=True)
class Stated:
    """A condition and where in the text it stands."""

    start: int
    end: int
    condition: dict[str, Any]


def read_conditions(text: str) -> tuple[list[Stated], str]:
    """The conditions of a text in small letters, in its order, and the text with spaces in their place.

    What is negated becomes the opposite condition; where there is none it stays in the text.
    """
    stated: list[Stated] = []
    for pattern, read in _READERS:
        text = _taken(text, pattern, read, stated)
    return sorted(stated, key=lambda one: one.start), text


def fields_in(text: str) -> list[str]:
    """The columns of the figures that a text names, in its order."""
    return list(dict.fromkeys(COLUMN_OF[found.group()] for found in _FIELD_NAMED.finditer(text.lower())))


def without_fields(text: str) -> str:
    """The text in small letters, with spaces for the figures that it names."""
    return _FIELD_NAMED.sub(lambda found: " " * len(found.group()), text.lower())


_Reader = Callable[[re.Match[str]], dict[str, Any] | None]


def _taken(text: str, pattern: re.Pattern[str], read: _Reader, stated: list[Stated]) -> str:
    """Takes what matches out of the text, leaving its length, so that positions stay comparable."""

    def replace(match: re.Match[str]) -> str:
        condition = read(match)
        if condition is not None and match.groupdict().get("excluded"):
            condition = _opposite(condition)
        if condition is None:
            return match.group()
        stated.append(Stated(match.start(), match.end(), condition))
        return " " * len(match.group())

    return pattern.sub(replace, text)


def _opposite(condition: dict[str, Any]) -> dict[str, Any] | None:
    operator = _OPPOSITES.get(condition["operator"])
    return {**condition, "operator": operator} if operator else None


def _between(match: re.Match[str]) -> dict[str, Any]:
    low, low_scale, high, high_scale = match.groups()[-4:]
    column = COLUMN_OF[match["field"]]
    values = [_amount(column, low, low_scale or high_scale), _amount(column, high, high_scale)]
    return {"field": column, "operator": "between", "value": sorted(values)}


def _compared(match: re.Match[str]) -> dict[str, Any] | None:
    """A field, an operator and an amount in any order."""
    column = COLUMN_OF[match["field"]]
    digits, scale = (match.groups()[place] for place in _amount_places(match.re))
    condition = {"field": column, "operator": _operator(match), "value": _amount(column, digits, scale)}
    return _opposite(condition) if match.groupdict().get("negated") else condition


def _amount_places(pattern: re.Pattern[str]) -> list[int]:
    """The groups without a name: the digits and the scale."""
    named = set(pattern.groupindex.values())
    return [place - 1 for place in range(1, pattern.groups + 1) if place not in named]


def _signed(match: re.Match[str]) -> dict[str, Any]:
    return {"field": COLUMN_OF[match["field"]], "operator": _operator(match), "value": 0}


def _share_price(match: re.Match[str]) -> dict[str, Any] | None:
    digits = next(found for place in _amount_places(match.re) if (found := match.groups()[place]))
    rupees = _amount("current_price", digits, None)
    condition = {"field": "current_price", "operator": _operator(match), "value": rupees}
    return _opposite(condition) if match["negated"] else condition


def _moved(match: re.Match[str]) -> dict[str, Any]:
    (place,) = _amount_places(match.re)
    points = abs(_amount("day_change_pct", match.groups()[place], None))
    column = CHANGES[match["period"]]
    if match["up"]:
        return {"field": column, "operator": "gt", "value": points}
    return {"field": column, "operator": "lt", "value": -points}


def _operator(match: re.Match[str]) -> str:
    return next(name for name, text in match.groupdict().items() if name in _OPPOSITES and text is not None)


def _amount(column: str, digits: str, scale: str | None) -> float | int:
    value = float(digits.replace(",", "").rstrip("."))
    if scale:
        value *= _SCALES[scale]
    elif column in MONEY_FIELDS:
        value *= CRORE
    return int(value) if value.is_integer() and abs(value) < 1e6 else value


_READERS: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    (_BETWEEN, _between),
    (_FIELD_FIRST, _compared),
    (_AMOUNT_FIRST, _compared),
    (_OPEN_ENDED, _compared),
    (_SIGNED, _signed),
    (_MOVED, _moved),
    (_SHARE_PRICE, _share_price),
    *(
        (re.compile(rf"{_NOT}\b(?:{words})\b"), lambda _, found=condition: dict(found))
        for words, condition in _ADJECTIVES
    ),
)
