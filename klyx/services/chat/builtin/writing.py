"""How figures are written for people: rupees in the Indian way, crores for totals, percent points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

CRORE = 1e7
LAKH_CRORE = 1e12
UNKNOWN = "N/A"


def indian_grouping(number: float, decimals: int = 0) -> str:
    """1234567.8 -> 12,34,568."""
    sign = "-" if number < 0 else ""
    whole, _, fraction = f"{abs(number):.{decimals}f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups: list[str] = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return sign + ",".join([*groups, tail]) + (f".{fraction}" if fraction else "")


def price(rupees: Any) -> str:
    return UNKNOWN if rupees is None else f"₹{indian_grouping(float(rupees), 2)}"


def crores(rupees: Any) -> str:
    return UNKNOWN if rupees is None else f"₹{indian_grouping(float(rupees) / CRORE)} Cr"


def percent(points: Any) -> str:
    return UNKNOWN if points is None else f"{float(points):.2f} %"


def ratio(value: Any) -> str:
    return UNKNOWN if value is None else f"{float(value):.2f}"


def count(value: Any) -> str:
    return UNKNOWN if value is None else f"{float(value):.0f}"


def plain(value: Any) -> str:
    if value is None:
        return UNKNOWN
    return ratio(value) if isinstance(value, float) else str(value)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A pipe table, with what would end a cell taken out."""
    lines = [headings, ["---"] * len(headings), *rows]
    tidy = [[cell.replace("|", "/").replace("\n", " ") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in tidy)


def dated(result: Any) -> str:
    """Where figures are from and of when, as one line."""
    source = result.get("source") or "Klyx"
    days = dict.fromkeys(str(result[name])[:10] for name in ("as_of", "newest_as_of") if result.get(name))
    age = f"as of {' to '.join(days)}" if days else "of an unknown day"
    if days and result.get("undated"):
        age += ", some of an unknown day"
    return f"Source: {source}, {age}."
