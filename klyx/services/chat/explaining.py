"""Conditions of a screen in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from klyx.services.chat.vocabulary import FIELD_WORDS, MONEY_FIELDS

CRORE = 1e7
_SMALLEST_IN_CRORES = CRORE / 100
_NAMES = {column: words[0] for column, words in FIELD_WORDS.items()} | {
    "tech_trend": "trend",
    "recommendation_key": "recommendation",
}
_SAID = {
    "gt": "above",
    "gte": "at least",
    "lt": "below",
    "lte": "at most",
    "eq": "equal to",
    "ne": "not equal to",
    "contains": "containing",
}


def field_name(column: str) -> str:
    return _NAMES.get(column, column)


def explain(conditions: Sequence[Mapping[str, Any]], logic: str) -> str:
    """Conditions and groups of them in words; a group of both kinds in parentheses."""
    return (" or " if logic == "OR" else " and ").join(_explained(condition) for condition in conditions)


def _explained(condition: Mapping[str, Any]) -> str:
    if "all" in condition:
        return f"({explain(condition['all'], 'AND')})"
    if "any" in condition:
        members = condition["any"]
        if all(member.get("operator") == "contains" for member in members):
            return f"sector or industry like {', '.join(dict.fromkeys(str(member['value']) for member in members))}"
        return f"({explain(members, 'OR')})"
    column, operator, value = condition["field"], condition["operator"], condition["value"]
    name = field_name(column)
    if operator == "between":
        return f"{name} between {_written(column, value[0])} and {_written(column, value[1])}"
    if operator in ("top", "bottom"):
        return f"the {value} {'highest' if operator == 'top' else 'lowest'} by {name}"
    return f"{name} {_SAID[operator]} {_written(column, value)}"


def _written(column: str, value: Any) -> str:
    if column in MONEY_FIELDS and isinstance(value, int | float):
        crores = f"{value / CRORE:,.2f}".rstrip("0").rstrip(".")
        return f"₹{crores} crore" if float(value) == 0 or abs(value) >= _SMALLEST_IN_CRORES else f"₹{value:,.0f}"
    suffix = " %" if column.endswith("_pct") else ""
    return f"{value:,}{suffix}" if isinstance(value, int | float) else str(value)
