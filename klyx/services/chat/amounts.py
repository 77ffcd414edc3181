"""Amounts in sentences: numbers with their units, such as "20%", "50k crore" or "rs 1,000"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from klyx.services.chat.vocabulary import MONEY_FIELDS

CRORE = 1e7
_UNITS: Sequence[tuple[str, float]] = (
    ("k|thousand", 1e3),
    ("lakhs?|lacs?|l", 1e5),
    ("millions?|mn", 1e6),
    ("crores?|crs?", CRORE),
    ("billions?|bn", 1e9),
    ("trillions?|tn", 1e12),
)
_UNIT = rf"(?:{'|'.join(words for words, _ in _UNITS)})(?!\w)"
_RUPEES = r"(?:rs\.?|inr|₹|rupees?)"
_PERCENT = r"(?:%|percent\b|per\s?cent\b|pct\b)"
_SPAN = r"(?:days?|weeks?|months?|quarters?|qtrs?|years?|yrs?|[dews]ma|moving)(?!\w)"
# Groups in it are atomic: "200 dma" is not to be read as the number 20.
FIGURE = (
    rf"(?>(?:{_RUPEES}\s*)?[-+]?\d++(?:,\d++)*+(?:\.\d++)?+(?:\s*{_PERCENT})?+(?:\s*{_UNIT}){{0,2}}+"
    rf"(?:\s*(?:x|times)(?!\w))?+(?:\s*{_RUPEES}(?!\w))?+)"
)
"""A number with its units, without groups."""
_TAIL = (
    rf"(?:[\s-]*{_SPAN}|(?<=\d)[a-z]\w*|\s*(?:[-\u2013]|to\b)\s*\d[\d,.]*|\s*(?:dollars?\b|usd\b|euros?\b|\$)"
    r"|\s*(?:per|a|/)\s*share\b)"
)
AMOUNT = rf"{FIGURE}(?:{_TAIL})?"
"""A figure with what may follow it and changes what it is: "200 dma", "5 per share"."""
_PARTS = re.compile(
    rf"(?P<before>{_RUPEES}\s*)?(?P<digits>[-+]?\d+(?:,\d+)*(?:\.\d+)?)(?:\s*(?P<percent>{_PERCENT}))?"
    rf"(?P<units>(?:\s*{_UNIT}){{0,2}})(?:\s*(?P<times>(?:x|times)(?!\w)))?(?:\s*(?P<after>{_RUPEES})(?!\w))?"
    r"(?P<tail>.*)"
)
_PER_SHARE = re.compile(r"\s*(?:per|a|/)\s*share")
_RUPEES_A_SHARE = frozenset({"current_price", "target_price", "basic_eps_ttm"})
_RATIOS = frozenset(
    {"pe_ttm", "sector_pe_ttm", "peg_ratio", "pb_ratio", "ps_ratio", "debt_to_equity", "current_ratio", "beta_1yr"}
)
# Nobody states a total of a few thousand rupees: those who say "50k" here leave out the crores.
_SMALLEST_UNIT_OF_TOTALS = 1e5
# More crores than any company has, so that they can be rupees.
_MOST_CRORES = 1e7


@dataclass(frozen=True, slots=True)
class Amount:
    """`units` are factors in their order; `tail` is what follows, which may make it something else."""

    number: float
    units: tuple[float, ...]
    is_percent: bool
    is_rupees: bool
    is_times: bool
    tail: str


def read_amount(text: str) -> Amount:
    """The parts of a text that AMOUNT or FIGURE has matched."""
    found = _PARTS.match(text)
    if found is None:
        raise ValueError(f"Not an amount: {text!r}")
    units = [match.group() for match in re.finditer(_UNIT, found["units"])]
    return Amount(
        float(found["digits"].replace(",", "")),
        tuple(next(factor for words, factor in _UNITS if re.fullmatch(words, unit)) for unit in units),
        found["percent"] is not None,
        found["before"] is not None or found["after"] is not None,
        found["times"] is not None,
        found["tail"],
    )


def value_of(column: str, amount: Amount) -> float | int | None:
    """The amount as a value of a field, or None if it can be none or we cannot be sure of it."""
    is_money = column in MONEY_FIELDS or column in _RUPEES_A_SHARE
    may_be_percent = column.endswith(("_pct", "_score")) or column in ("rsi", "adx")
    if amount.tail and not (column in _RUPEES_A_SHARE and _PER_SHARE.fullmatch(amount.tail)):
        return None
    if (amount.is_percent and not may_be_percent) or (amount.is_times and column not in _RATIOS):
        return None
    if (amount.is_rupees or amount.units) and not is_money:
        return None
    value = amount.number
    for unit in amount.units:
        value *= unit
    if column in MONEY_FIELDS:
        if amount.units and max(amount.units) < _SMALLEST_UNIT_OF_TOTALS:
            return None
        if not amount.units:
            if abs(value) >= _MOST_CRORES:
                return None
            value *= CRORE
    return int(value) if value.is_integer() and abs(value) < 1e6 else value


def range_of(column: str, low: Amount, high: Amount) -> list[float | int] | None:
    """Both ends in order: "1 lakh and 2 lakh crore" and "50,000 and 1 lakh crore" leave out a part of the units."""
    above = value_of(column, high)
    if above is None:
        return None
    for units in _units_of_low(column, low, high.units):
        below = value_of(column, _with_units(low, units))
        if below is not None and below <= above:
            return [below, above]
    # The other way round ("20 and 10"), if both have the same units.
    is_same = low.units == high.units or (column in MONEY_FIELDS and {*low.units, *high.units} == {CRORE})
    below = value_of(column, low) if is_same else None
    return None if below is None else sorted([below, above])


def _units_of_low(column: str, low: Amount, high: tuple[float, ...]) -> list[tuple[float, ...]]:
    """What the units of the lower end may be, the likeliest first."""
    if not low.units:
        return [high, high[-1:], *([()] if column not in MONEY_FIELDS else [])]
    if len(low.units) == 1 and len(high) == 2 and low.units[0] < high[-1]:
        return [(*low.units, high[-1])]
    return [low.units]


def _with_units(amount: Amount, units: tuple[float, ...]) -> Amount:
    return Amount(amount.number, units, amount.is_percent, amount.is_rupees, amount.is_times, amount.tail)
