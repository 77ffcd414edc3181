"""From a sentence such as "IT stocks with P/E under 15 and ROE over 20" to the screen that it describes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from klyx.services.chat.vocabulary import FIELD_WORDS, LOW_IS_GOOD, MONEY_FIELDS, SECTOR_WORDS

CRORE, LAKH_CRORE, BILLION = 1e7, 1e12, 1e9
RANKED = 10
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
_FIELD = "|".join(re.escape(word) for word, _ in _WORDS)
_COLUMN_OF = dict(_WORDS)
_FIELD_NAMED = re.compile(rf"(?<![\w/])(?:{_FIELD})(?![\w/])")
_NUMBER = r"(?:rs\.?\s*|inr\s*|₹\s*)?([-+]?\d[\d,]*(?:\.\d+)?)\s*(?:%|percent\b|per cent\b)?\s*"
_SCALE = r"(?:(lakh crores?|lakh cr|crores?|cr|billion|bn|lakhs?)(?!\w))?"
_AMOUNT = _NUMBER + _SCALE
_COMPARISONS: tuple[tuple[str, str], ...] = (
    ("gte", r">=|at least|not less than|no less than|minimum(?: of)?|min"),
    ("lte", r"<=|at most|not more than|no more than|up to|maximum(?: of)?|max"),
    ("gt", r">|over|above|more than|greater than|higher than|bigger than|exceeding|beyond|at above"),
    ("lt", r"<|under|below|less than|lower than|smaller than|fewer than"),
    ("eq", r"=|equal to|equals|exactly"),
)
_OPERATOR = "|".join(f"(?P<{name}>{words})" for name, words in _COMPARISONS)
_BETWEEN = re.compile(
    rf"(?<![\w/])({_FIELD})(?![\w/])(?:\s+(?:is|are|of))*\s+(?:between|from)\s+{_AMOUNT}\s*(?:and|to|-)\s*{_AMOUNT}"
)
_FIELD_FIRST = re.compile(
    rf"(?<![\w/])({_FIELD})(?![\w/])[^\w<>=₹-]*(?:(?:is|are|of|a|the|in|value|with)\s+)*(?:{_OPERATOR})\s*{_AMOUNT}"
)
_AMOUNT_FIRST = re.compile(rf"(?:{_OPERATOR})\s*{_AMOUNT}\s+({_FIELD})(?![\w/])")
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
    (r"in an? up[- ]?trend|uptrending", {"field": "tech_trend", "operator": "contains", "value": "Bullish"}),
    (r"in an? down[- ]?trend", {"field": "tech_trend", "operator": "contains", "value": "Bearish"}),
    (r"strong buy", {"field": "recommendation_key", "operator": "eq", "value": "strong_buy"}),
)
# These mean a group of companies only in a place where such a name stands.
_ORDINARY_WORDS = frozenset({"it", "gas", "power", "consumer", "retail", "media", "energy", "tech", "oil"})


@dataclass(frozen=True, slots=True)
class Understood:
    """`definition` is what klyx.services.screener.parse_screen reads; `unread` is what had no meaning for us."""

    definition: dict[str, Any]
    explanation: str
    unread: str


def understand(sentence: str) -> Understood | None:
    """The screen that a sentence describes, or None when it names no condition that we know.

    Amounts of money are rupees, or crores where a bare number is a market cap, a revenue or a profit.
    """
    rest = f" {' '.join(sentence.lower().split())} "
    conditions: list[tuple[int, dict[str, Any]]] = []
    for pattern, read in ((_BETWEEN, _between), (_FIELD_FIRST, _field_first), (_AMOUNT_FIRST, _amount_first)):
        rest = _taken(rest, pattern, read, conditions)
    for words, condition in _ADJECTIVES:
        rest = _taken(rest, re.compile(rf"\b(?:{words})\b"), lambda _, found=condition: dict(found), conditions)
    sort, rest = _sort(rest)
    ways = [condition for _, condition in sorted(conditions, key=lambda item: item[0])]
    logic = "OR" if len(ways) > 1 and re.search(r"\bor\b", rest) and not re.search(r"\band\b", rest) else "AND"
    sector, rest = sector_condition(rest)
    if sector is not None:
        ways = [sector, *([{"any": ways}] if logic == "OR" else ways)]
        logic = "AND"
    if not ways:
        if sort is None:
            return None
        ranked = "top" if sort["sort_order"] == "desc" else "bottom"
        ways = [{"field": sort["sort_by"], "operator": ranked, "value": RANKED}]
    definition = {"filters": ways, "logic": logic, **(sort or _usual_sort(ways))}
    return Understood(definition, explain(ways, logic), _unread(rest))


def fields_in(text: str) -> list[str]:
    """The columns of the figures that a text names, in its order."""
    return list(dict.fromkeys(_COLUMN_OF[found.group()] for found in _FIELD_NAMED.finditer(text.lower())))


def without_fields(text: str) -> str:
    """The text in small letters, with spaces for the figures that it names."""
    return _FIELD_NAMED.sub(lambda found: " " * len(found.group()), text.lower())


def sector_condition(text: str) -> tuple[dict[str, Any] | None, str]:
    """The condition for a group of companies that a text names, and the text without it."""
    for word, parts in sorted(SECTOR_WORDS.items(), key=lambda item: -len(item[0])):
        named = rf"\b{re.escape(word)}\b(?=\s+(?:stocks?|compan(?:y|ies)|sector|shares?|firms?)\b)"
        found = re.search(rf"{named}|\b(?:in|from|among)\s+(?:the\s+)?{re.escape(word)}\b", text)
        if found is None and word not in _ORDINARY_WORDS:
            found = re.search(rf"\b{re.escape(word)}\b", text)
        if found:
            ways = [
                {"field": field, "operator": "contains", "value": part}
                for part in parts
                for field in ("sector_name", "industry_name")
            ]
            return {"any": ways}, text[: found.start()] + " " + text[found.end() :]
    return None, text


def explain(conditions: list[dict[str, Any]], logic: str) -> str:
    """The conditions in words."""
    joiner = " or " if logic == "OR" else " and "
    return joiner.join(_explained(condition) for condition in conditions)


def _taken(
    text: str, pattern: re.Pattern[str], read: Any, conditions: list[tuple[int, dict[str, Any]]]
) -> str:
    """Takes what matches out of the text, leaving its length, so that positions stay comparable."""

    def replace(match: re.Match[str]) -> str:
        condition = read(match)
        if condition is None:
            return match.group(0)
        conditions.append((match.start(), condition))
        return " " * len(match.group(0))

    return pattern.sub(replace, text)


def _between(match: re.Match[str]) -> dict[str, Any]:
    field, low, low_scale, high, high_scale = match.groups()
    column = _COLUMN_OF[field]
    values = [_amount(column, low, low_scale or high_scale), _amount(column, high, high_scale)]
    return {"field": column, "operator": "between", "value": sorted(values)}


def _field_first(match: re.Match[str]) -> dict[str, Any]:
    groups = match.groups()
    column = _COLUMN_OF[groups[0]]
    return {"field": column, "operator": _operator(match), "value": _amount(column, groups[-2], groups[-1])}


def _amount_first(match: re.Match[str]) -> dict[str, Any]:
    groups = match.groups()
    column = _COLUMN_OF[groups[-1]]
    return {"field": column, "operator": _operator(match), "value": _amount(column, groups[-3], groups[-2])}


def _operator(match: re.Match[str]) -> str:
    return next(name for name, _ in _COMPARISONS if match.group(name) is not None)


def _amount(column: str, digits: str, scale: str | None) -> float | int:
    value = float(digits.replace(",", ""))
    if scale:
        value *= _SCALES[scale]
    elif column in MONEY_FIELDS:
        value *= CRORE
    return int(value) if value.is_integer() and abs(value) < 1e6 else value


_SORT = re.compile(
    r"\b(?:(top|best|highest|most|largest|biggest)|(bottom|worst|lowest|cheapest|smallest))\b(?:\s+\d+)?(?:\s+\w+){0,3}?"
    rf"\s+(?:by|in terms of)?\s*({_FIELD})(?![\w/])"
)


def _sort(text: str) -> tuple[dict[str, str] | None, str]:
    found = _SORT.search(text)
    if found is None:
        return None, text
    column = _COLUMN_OF[found.group(3)]
    word = found.group(0).split()[0]
    descending = found.group(1) is not None and not (word == "best" and column in LOW_IS_GOOD)
    sort = {"sort_by": column, "sort_order": "desc" if descending else "asc"}
    return sort, text[: found.start()] + " " * len(found.group(0)) + text[found.end() :]


def _usual_sort(conditions: list[dict[str, Any]]) -> dict[str, str]:
    return {"sort_by": "market_cap", "sort_order": "desc"} if conditions else {}


_NAMES = {column: words[0] for column, words in FIELD_WORDS.items()} | {
    "tech_trend": "trend",
    "recommendation_key": "recommendation",
}
_SAID = {"gt": "above", "gte": "at least", "lt": "below", "lte": "at most", "eq": "equal to", "contains": "containing"}


def _explained(condition: dict[str, Any]) -> str:
    if "any" in condition:
        members = condition["any"]
        if all(member.get("operator") == "contains" for member in members):
            return f"sector or industry like {', '.join(dict.fromkeys(str(member['value']) for member in members))}"
        return f"({explain(members, 'OR')})"
    column, operator, value = condition["field"], condition["operator"], condition["value"]
    name = _NAMES.get(column, column)
    if operator == "between":
        return f"{name} between {_written(column, value[0])} and {_written(column, value[1])}"
    if operator in ("top", "bottom"):
        return f"the {value} {'highest' if operator == 'top' else 'lowest'} by {name}"
    return f"{name} {_SAID[operator]} {_written(column, value)}"


def _written(column: str, value: Any) -> str:
    if column in MONEY_FIELDS and isinstance(value, int | float):
        return f"₹{value / CRORE:,.0f} crore"
    suffix = " %" if column.endswith("_pct") else ""
    return f"{value:,}{suffix}" if isinstance(value, int | float) else str(value)


_FILLERS = re.compile(
    r"\b(?:stocks?|shares?|companies|company|firms?|with|and|or|the|a|an|in|of|that|have|has|having|are|is|whose|which|show|me|"
    r"find|list|give|all|any|please|get|i|want|to|see|sector|for|their|by|screen|who|where|ratio|from|among|top|best|some|good)\b"
)


def _unread(text: str) -> str:
    return " ".join(re.sub(r"[^\w%./]+", " ", _FILLERS.sub(" ", text)).split())
