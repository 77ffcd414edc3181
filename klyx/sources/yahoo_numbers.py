"""Numbers as Yahoo writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

CRORE = 10_000_000
RUPEES = "INR"


def number(value: object) -> float | None:
    """A finite number, else None: Yahoo writes unknown figures as text ("Infinity"), NaN, null or {}."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    converted = float(value)
    return converted if math.isfinite(converted) else None


def positive(value: object) -> float | None:
    """A number above zero, else None: for prices and what is counted in them."""
    found = number(value)
    return found if found is not None and found > 0 else None


def numbers(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, float]:
    """The numbers found under the keys of `names`, under their own names."""
    found = {name: number(values.get(key)) for key, name in names.items()}
    return {name: value for name, value in found.items() if value is not None}
