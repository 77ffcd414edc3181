"""What a screen asks for, as a tree of conditions, and how JSON becomes one.

A condition is `{"field", "operator", "value"}`; `{"all": [...]}` and `{"any": [...]}` are groups of conditions and
groups. Everything is checked here, against the table of fields: what comes out can be compiled to SQL as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from klyx.errors import Invalid
from klyx.services.screener.fields import MARKET_CAP, ScreenField, screen_field
from klyx.services.screener.operators import Operator, Value, check_value, json_value, operator_named
from klyx.services.screener.refusals import shown

MAX_CONDITIONS = 100
MAX_DEPTH = 5


class Logic(StrEnum):
    ALL = "AND"
    ANY = "OR"


_GROUP_KEYS = {"all": Logic.ALL, "any": Logic.ANY}
_KEYS_OF_GROUPS = {logic: key for key, logic in _GROUP_KEYS.items()}


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. A stock whose field is unknown never meets it, whatever the operator."""

    field: ScreenField
    operator: Operator
    value: Value

    def definition(self) -> dict[str, Any]:
        return {"field": self.field.name, "operator": self.operator.value, "value": json_value(self.value)}


@dataclass(frozen=True, slots=True)
class Group:
    """At least one member, all of which must hold, or one of which."""

    logic: Logic
    members: tuple[Condition | Group, ...]

    def definition(self) -> dict[str, Any]:
        return {_KEYS_OF_GROUPS[self.logic]: [member.definition() for member in self.members]}

    @property
    def condition_count(self) -> int:
        return sum(member.condition_count if isinstance(member, Group) else 1 for member in self.members)


@dataclass(frozen=True, slots=True)
class Screen:
    """What to look for and in which order, checked against the table of fields."""

    condition: Group
    sort_by: ScreenField = MARKET_CAP
    descending: bool = True

    def definition(self) -> dict[str, Any]:
        """Canonical JSON `{filters, logic, sort_by, sort_order}`; parse_screen makes an equal screen of it."""
        return {
            "filters": [member.definition() for member in self.condition.members],
            "logic": self.condition.logic.value,
            "sort_by": self.sort_by.name,
            "sort_order": "desc" if self.descending else "asc",
        }


def parse_screen(definition: Mapping[str, Any]) -> Screen:
    """The screen of `{filters, logic?, sort_by?, sort_order?}`; null is as good as absent.

    `filters` is a list, or one group that stands for list and logic. Raises Invalid naming the field,
    operator or value that is wrong, and when there is no filter or too much of anything.
    """
    filters = definition.get("filters")
    if isinstance(filters, Mapping):
        root = _Reader().group(filters, depth=1)
    else:
        root = _Reader().members(_logic(definition.get("logic")), filters, depth=1)
    sort_by = definition.get("sort_by")
    return Screen(
        root,
        MARKET_CAP if sort_by is None else screen_field(sort_by, "sort field"),
        _descending(definition.get("sort_order")),
    )


class _Reader:
    """Reads a tree, and stops as soon as it grows too large."""

    def __init__(self) -> None:
        self.count = 0

    def members(self, logic: Logic, filters: object, depth: int) -> Group:
        if not isinstance(filters, list | tuple):
            raise Invalid('filters: please give a list of conditions, or {"all": [...]} or {"any": [...]}.')
        if not filters:
            raise Invalid("No filters were given. Please add at least one condition.")
        if len(filters) > MAX_CONDITIONS:
            raise _too_many()
        return Group(logic, tuple(self.member(item, depth) for item in filters))

    def member(self, item: object, depth: int) -> Condition | Group:
        if not isinstance(item, Mapping):
            raise Invalid(f"Each filter must be an object with field, operator and value, not {shown(item)}.")
        if item.keys() & _GROUP_KEYS.keys():
            return self.group(item, depth + 1)
        self.count += 1
        if self.count > MAX_CONDITIONS:
            raise _too_many()
        field = screen_field(item.get("field"))
        operator = operator_named(item.get("operator"))
        return Condition(field, operator, check_value(field, operator, item.get("value")))

    def group(self, item: Mapping[str, Any], depth: int) -> Group:
        if depth > MAX_DEPTH:
            raise Invalid(f"The filters are nested too deeply; at most {MAX_DEPTH} levels are possible.")
        keys = item.keys() & (_GROUP_KEYS.keys() | {"field"})
        if len(keys) != 1 or "field" in keys:
            raise Invalid('A group of filters must have either "all" or "any", and no field.')
        (key,) = keys
        return self.members(_GROUP_KEYS[key], item[key], depth)


def _too_many() -> Invalid:
    return Invalid(f"There are too many filters; at most {MAX_CONDITIONS} conditions are possible.")


def _logic(value: object) -> Logic:
    if value is None:
        return Logic.ALL
    if isinstance(value, str) and value.upper() in tuple(Logic):
        return Logic(value.upper())
    raise Invalid(f"logic: please choose AND or OR, not {shown(value)}.")


def _descending(value: object) -> bool:
    if value is None:
        return True
    if isinstance(value, str) and value.lower() in ("asc", "desc"):
        return value.lower() == "desc"
    raise Invalid(f"sort_order: please choose asc or desc, not {shown(value)}.")
