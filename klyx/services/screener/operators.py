"""The screener's operators and what each of them takes as its value."""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import Any

from klyx.errors import Invalid
from klyx.services.screener.fields import ScreenField, screen_field
from klyx.services.screener.refusals import shown

MAX_LISTED_VALUES = 500
MAX_TEXT_CHARACTERS = 255
MAX_RANKED = 10_000
# PostgreSQL refuses a product that leaves the range of binary numbers at either end.
SMALLEST_FACTOR, LARGEST_FACTOR = 1e-6, 1e6
_LARGEST_EXACT_INTEGER = 2**53
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

Scalar = str | int | float
Value = Scalar | tuple[Scalar, ...] | ScreenField | tuple[ScreenField, float]


class Operator(StrEnum):
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EQ = "eq"
    NE = "ne"
    BETWEEN = "between"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    TOP = "top"
    BOTTOM = "bottom"
    GT_FIELD = "gt_field"
    LT_FIELD = "lt_field"
    GT_FIELD_FACTOR = "gt_field_factor"
    LT_FIELD_FACTOR = "lt_field_factor"


_FOR_ANY_FIELD = {Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN}


def operator_named(name: object) -> Operator:
    """Raises Invalid naming what was asked for."""
    if isinstance(name, str) and name in tuple(Operator):
        return Operator(name)
    raise Invalid(f"There is no operator {shown(name)}. Please use one of {', '.join(Operator)}.")


def check_value(field: ScreenField, operator: Operator, value: object) -> Value:
    """The value in its canonical form: bounds in order, names as fields, -0 as 0.

    Raises Invalid when the operator does not fit the field, or the value does not fit the two.
    """
    _check_field(field, operator)
    match operator:
        case Operator.BETWEEN:
            return _bounds(field, value)
        case Operator.IN | Operator.NOT_IN:
            return _listed(field, operator, value)
        case Operator.TOP | Operator.BOTTOM:
            return _rank(field, operator, value)
        case Operator.GT_FIELD | Operator.LT_FIELD:
            return _other_field(operator, value)
        case Operator.GT_FIELD_FACTOR | Operator.LT_FIELD_FACTOR:
            return _other_field_and_factor(field, operator, value)
    return _scalar(field, operator, value)


def json_value(value: Value) -> Any:
    """The value as check_value accepts it again."""
    if isinstance(value, ScreenField):
        return value.name
    if isinstance(value, tuple):
        return [item.name if isinstance(item, ScreenField) else item for item in value]
    return value


def _check_field(field: ScreenField, operator: Operator) -> None:
    if field.is_number:
        if operator is Operator.CONTAINS:
            raise Invalid(f"{field.name}: contains looks into texts, and this field holds numbers.")
    elif not field.is_text:
        raise Invalid(f"{field.name} can be shown and sorted by, but not filtered.")
    elif operator not in _FOR_ANY_FIELD and operator is not Operator.CONTAINS:
        raise Invalid(f"{field.name}: {operator} compares numbers, and this field holds text.")


def _scalar(field: ScreenField, operator: Operator, value: object) -> Scalar:
    return _number(field, operator, value) if field.is_number else _text(field, operator, value)


def _number(field: ScreenField, operator: Operator, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(f"{field.name}: {operator} needs a number, not {shown(value)}.")
    if isinstance(value, int) and abs(value) <= _LARGEST_EXACT_INTEGER:
        return value
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Invalid(f"{field.name}: {operator} needs a number of a possible size.")
    return number + 0.0


def _text(field: ScreenField, operator: Operator, value: object) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{field.name}: {operator} needs a text, not {shown(value)}.")
    if len(value) > MAX_TEXT_CHARACTERS:
        raise Invalid(f"{field.name}: a text to look for has at most {MAX_TEXT_CHARACTERS} characters.")
    if _UNSTORABLE.search(value):
        raise Invalid(f"{field.name}: a text to look for must not contain control characters.")
    return value


def _bounds(field: ScreenField, value: object) -> tuple[Scalar, ...]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Invalid(f"{field.name}: between needs a list of two numbers, the lower and the upper bound.")
    return tuple(sorted(_number(field, Operator.BETWEEN, bound) for bound in value))


def _listed(field: ScreenField, operator: Operator, value: object) -> tuple[Scalar, ...]:
    if not isinstance(value, list | tuple):
        raise Invalid(f"{field.name}: {operator} needs a list of values, not {shown(value)}.")
    if len(value) > MAX_LISTED_VALUES:
        raise Invalid(f"{field.name}: {operator} takes at most {MAX_LISTED_VALUES} values.")
    return tuple(dict.fromkeys(_scalar(field, operator, item) for item in value))


def _rank(field: ScreenField, operator: Operator, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_RANKED:
        raise Invalid(f"{field.name}: {operator} needs a whole number from 1 to {MAX_RANKED}.")
    return value


def _other_field(operator: Operator, value: object) -> ScreenField:
    other = screen_field(value, "field")
    if not other.is_number:
        raise Invalid(f"{other.name}: {operator} compares numbers, and this field holds none.")
    return other


def _other_field_and_factor(field: ScreenField, operator: Operator, value: object) -> tuple[ScreenField, float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Invalid(f"{field.name}: {operator} needs a list of a field's name and a factor.")
    factor = float(_number(field, operator, value[1]))
    if factor and not SMALLEST_FACTOR <= abs(factor) <= LARGEST_FACTOR:
        raise Invalid(f"{field.name}: {operator} needs a factor of a sensible size, at most {LARGEST_FACTOR:,.0f}.")
    return _other_field(operator, value[0]), factor
