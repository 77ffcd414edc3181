"""The conditions that a sentence states, such as "P/E under 15", "ROE of 20 or more" or "debt free"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from klyx.services.chat.amounts import AMOUNT, FIGURE, range_of, read_amount, value_of
from klyx.services.chat.negation import AFTERWARDS, Negation, negation_before
from klyx.services.chat.periods import PERIOD, change_over
from klyx.services.chat.vocabulary import FIELD_WORDS

_WORDS = sorted(((word, column) for column, words in FIELD_WORDS.items() for word in words), key=lambda w: -len(w[0]))
FIELD = "|".join(re.escape(word) for word, _ in _WORDS)
COLUMN_OF = dict(_WORDS)
_FIELD_NAMED = re.compile(rf"(?<![\w/])(?:{FIELD})(?![\w/])")
_COMPARISONS: tuple[tuple[str, str], ...] = (
    ("gte", r">=|at least|no less than|minimum(?: of)?|min"),
    ("lte", r"<=|at most|no more than|up to|maximum(?: of)?|max"),
    ("gt", r">|over|above|more than|greater than|higher than|bigger than|exceed(?:s|ing)?|beyond|at above"),
    ("lt", r"<|under|below|less than|lower than|smaller than|fewer than"),
    ("eq", r"=|equal to|equals|exactly"),
)
_ANY_COMPARISON = "|".join(f"(?P<{name}>{words})" for name, words in _COMPARISONS)
_OPERATOR = rf"(?P<negated>(?:not|never|(?:is|are|do|does)n'?t|(?:do|does) not)\s+(?:be\s+)?)?(?:{_ANY_COMPARISON})"
_THE_FIELD = rf"(?<![\w/])(?P<field>{FIELD})(?![\w/])"
_IS = r"[^\w<>=₹+-]*(?:(?:is|are|of|a|the|in|value|with|should|must|be)\s+)*"
_MORE, _LESS = "more|above|higher|greater|over|better|upwards?|up", "less|below|lower|under|fewer"
# A condition ends here, and no other word follows that its amount may belong to.
_END = (
    rf"(?=\s*(?:$|[^\w\s%₹]|_|(?:and|or|but|with|in|from|for|that|which|stocks?|shares?|compan(?:y|ies)|firms?|{FIELD})"
    r"(?![\w/])))"
)
_OR_MORE = rf"(?:\s*(?:\+|(?:or|and)\s+(?:{_MORE})\b){_END})"
_OR_LESS = rf"(?:\s*(?:or|and)\s+(?:{_LESS})\b{_END})"
_OR_SO = re.compile(
    rf"(?P<more>{_OR_MORE})|(?P<less>{_OR_LESS})|\s+(?:or\s+(?:so|thereabouts)|approximately|roughly)\b"
)
_BETWEEN = re.compile(
    rf"{_THE_FIELD}(?:\s+(?:is|are|of))*\s+(?:between|from)\s+(?P<low>{FIGURE})\s*(?:and|to|-)\s*(?P<high>{AMOUNT})"
)
_AN_AMOUNT = rf"\s*(?P<amount>{AMOUNT})"
_FIELD_FIRST = re.compile(rf"{_THE_FIELD}{_IS}{_OPERATOR}{_AN_AMOUNT}")
_AMOUNT_FIRST = re.compile(
    rf"{_OPERATOR}{_AN_AMOUNT}(?:\s+or\s+(?:so|{_MORE}|{_LESS}))?\s+(?:(?:in|of)\s+)?{_THE_FIELD}"
)
_OPEN_ENDED = re.compile(rf"{_THE_FIELD}{_IS}{_AN_AMOUNT}(?:(?P<gte>{_OR_MORE})|(?P<lte>{_OR_LESS}))")
# A second limit of the same field: "pe below 10 or above 100".
_FURTHER = re.compile(
    rf"\s*,?\s*(?P<joined>and|or|but)\s+(?:(?:is|are|also)\s+)*{_OPERATOR}{_AN_AMOUNT}(?!\s+(?:{FIELD})(?![\w/])){_END}"
)
_SIGNED = re.compile(rf"\b(?:(?P<lt>negative)|(?P<gt>positive))\s+{_THE_FIELD}")
_SHARE_PRICE = re.compile(rf"{_OPERATOR}{_AN_AMOUNT}")
# What costs that much: "sales above rs 500" is no price.
_HAS_A_PRICE = re.compile(
    r"(?:^|_|[^\w\s]|\b(?:stocks?|shares?|compan(?:y|ies)|firms?|banks?|trad(?:e|es|ing)|priced?|cost(?:s|ing)?|at|are|is|"
    r"and|or|but|with|caps?|show|find|me|available))\s*$"
)
_MOVED = re.compile(
    r"\b(?:(?P<up>up|gained|risen|rose)|(?P<down>down|fallen|fell|lost|dropped))\s+(?:by\s+)?"
    rf"(?:(?:more than|at least|over|above|>=?)\s*)?(?P<amount>{FIGURE})"
    rf"(?:\s+or\s+(?:more|so|above|higher)\b)?\s*(?P<period>{PERIOD})"
)
_ADJECTIVES: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        r"debt[- ]free|(?:zero|no|without|without any) debt(?! to\b)",
        {"field": "debt_to_equity", "operator": "lt", "value": 0.1},
    ),
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
    """A condition and where in the text it stands; None if we cannot be sure what it means."""

    start: int
    end: int
    condition: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Conditions:
    """`stated` are those that we are sure of, with start and end, in their order; `unsure` are the words of all others,
    with their start. `rest` has TAKEN in place of every letter of both.
    """

    stated: list[tuple[int, int, dict[str, Any]]]
    rest: str
    unsure: list[tuple[int, str]]


TAKEN = "_"
"""Stands in place of every letter of a condition, so that positions stay comparable and nothing is read across it."""
_Reader = Callable[[re.Match[str]], dict[str, Any] | None]
_NOT_READ: dict[str, Any] = {}


def read_conditions(text: str) -> Conditions:
    """The conditions of a text in small letters without TAKEN in it.

    What is negated becomes the opposite condition, if it is sure that this is meant.
    """
    found: list[Stated] = []
    rest = text
    for pattern, read in _READERS:
        rest = _taken(rest, pattern, read, found)
    found = _with_negations(sorted(found, key=lambda one: one.start), rest)
    for one in found:
        rest = _mask(rest, one.start, one.end)
    stated = [(one.start, one.end, one.condition) for one in found if one.condition is not None]
    unsure = [(one.start, text[one.start : one.end]) for one in found if one.condition is None]
    return Conditions(stated, rest, unsure)


def fields_in(text: str) -> list[str]:
    """The columns of the figures that a text names, in its order."""
    return list(dict.fromkeys(COLUMN_OF[found.group()] for found in _FIELD_NAMED.finditer(text.lower())))


def without_fields(text: str) -> str:
    """The text in small letters, with spaces for the figures that it names."""
    return _FIELD_NAMED.sub(lambda found: " " * len(found.group()), text.lower())


def _mask(text: str, start: int, end: int) -> str:
    return text[:start] + TAKEN * (end - start) + text[end:]


def _taken(text: str, pattern: re.Pattern[str], read: _Reader, found: list[Stated]) -> str:
    """Takes what matches out of the text; also what we are not sure of, so that no other pattern reads a part of it."""
    place = 0
    while (match := pattern.search(text, place)) is not None:
        place = match.end()
        condition = read(match)
        if condition is _NOT_READ:
            continue
        one = Stated(match.start(), match.end(), condition)
        if pattern in (_BETWEEN, _FIELD_FIRST, _OPEN_ENDED):
            one = _with_further(match, one if pattern is _BETWEEN else _with_or_so(text, one))
        found.append(one)
        text = _mask(text, one.start, one.end)
        place = one.end
    return text


def _with_or_so(text: str, one: Stated) -> Stated:
    """With the "or more" after an amount that has an operator already."""
    match = _OR_SO.match(text, one.end)
    if match is None:
        return one
    condition = one.condition
    if condition is not None:
        operator = condition["operator"]
        if operator == "eq" and (match["more"] or match["less"]):
            condition = {**condition, "operator": "gte" if match["more"] else "lte"}
        elif (match["more"] and operator in ("lt", "lte")) or (match["less"] and operator in ("gt", "gte")):
            condition = None
    return Stated(one.start, match.end(), condition)


def _with_further(first: re.Match[str], one: Stated) -> Stated:
    """With the second limit of the same field."""
    match = _FURTHER.match(first.string, one.end)
    column = COLUMN_OF[first["field"]]
    if match is None:
        return one
    amount = read_amount(match["amount"])
    second = _limit(column, match)
    if second is None and (amount.is_rupees or match["joined"] != "or"):
        return one
    further = _with_or_so(first.string, Stated(match.start(), match.end(), second))
    # "Not below 10 or above 100" may mean neither.
    is_unsure = match["joined"] == "or" and first.groupdict().get("negated") is not None
    if one.condition is None or further.condition is None or is_unsure:
        return Stated(one.start, further.end, None)
    group = "any" if match["joined"] == "or" else "all"
    return Stated(one.start, further.end, {group: [one.condition, further.condition]})


def _with_negations(found: list[Stated], rest: str) -> list[Stated]:
    """The conditions, turned round or no more sure where the words around them negate them."""
    read: list[Stated] = []
    negation: Negation | None = None
    for place, one in enumerate(found):
        gap_start = found[place - 1].end if place else 0
        gap = rest[gap_start : one.start]
        following = rest[one.end : found[place + 1].start] if place + 1 < len(found) else None
        if negation is not None and negation.reaches_over(gap):
            read.append(replace(one, condition=None))
            continue
        negation = negation_before(gap)
        if negation is None:
            is_negated = AFTERWARDS.match(rest, one.end) is not None
            read.append(replace(one, condition=None) if is_negated else one)
            continue
        is_alone = following is None or not negation.reaches_over(following)
        turned = _opposite(one.condition) if negation.is_sure and is_alone and one.condition else None
        read.append(
            replace(one, condition=None) if turned is None else Stated(gap_start + negation.start, one.end, turned)
        )
    return read


def _opposite(condition: dict[str, Any]) -> dict[str, Any] | None:
    operator = _OPPOSITES.get(condition.get("operator", ""))
    return {**condition, "operator": operator} if operator else None


def _between(match: re.Match[str]) -> dict[str, Any] | None:
    column = COLUMN_OF[match["field"]]
    values = range_of(column, read_amount(match["low"]), read_amount(match["high"]))
    return None if values is None else {"field": column, "operator": "between", "value": values}


def _compared(match: re.Match[str]) -> dict[str, Any] | None:
    """A field, an operator and an amount in any order."""
    return _limit(COLUMN_OF[match["field"]], match)


def _limit(column: str, match: re.Match[str]) -> dict[str, Any] | None:
    value = value_of(column, read_amount(match["amount"]))
    if value is None:
        return None
    condition = {"field": column, "operator": _operator(match), "value": value}
    return _opposite(condition) if match.groupdict().get("negated") else condition


def _signed(match: re.Match[str]) -> dict[str, Any]:
    return {"field": COLUMN_OF[match["field"]], "operator": _operator(match), "value": 0}


def _share_price(match: re.Match[str]) -> dict[str, Any] | None:
    amount = read_amount(match["amount"])
    if not amount.is_rupees or _HAS_A_PRICE.search(match.string[: match.start()]) is None:
        return _NOT_READ
    # "Under rs 500 crore" is some total.
    return None if amount.units and max(amount.units) >= 1e5 else _limit("current_price", match)


def _moved(match: re.Match[str]) -> dict[str, Any] | None:
    column = change_over(match["period"].strip())
    points = value_of("day_change_pct", read_amount(match["amount"]))
    if column is None or points is None:
        return None
    if match["up"]:
        return {"field": column, "operator": "gt", "value": abs(points)}
    return {"field": column, "operator": "lt", "value": -abs(points)}


def _operator(match: re.Match[str]) -> str:
    return next(name for name, text in match.groupdict().items() if name in _OPPOSITES and text is not None)


_READERS: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    (_BETWEEN, _between),
    (_FIELD_FIRST, _compared),
    (_AMOUNT_FIRST, _compared),
    (_OPEN_ENDED, _compared),
    (_SIGNED, _signed),
    (_MOVED, _moved),
    (_SHARE_PRICE, _share_price),
    *((re.compile(rf"\b(?:{words})\b"), lambda _, found=condition: dict(found)) for words, condition in _ADJECTIVES),
)
