"""Yahoo's statements as series: a figure per item and period, annual and quarterly kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

from klyx.sources.base import SourceUnreadable
from klyx.sources.yahoo_numbers import number

Frequency = Literal["annual", "quarterly", "trailing"]
# What Yahoo calls the length of a period. A quarterly series that holds a whole year is no quarterly series.
PERIOD_TYPES: Mapping[Frequency, str] = {"annual": "12M", "quarterly": "3M", "trailing": "TTM"}
# Two ends of the same quarter or year, one year apart; some companies end theirs on a weekday.
YEAR_APART = range(350, 381)
Points = Mapping[date, float]


@dataclass(frozen=True, slots=True)
class Series:
    """Figures by item ("TotalRevenue") and end of period, all in `currency`; None when there are none."""

    annual: Mapping[str, Points] = field(default_factory=dict)
    quarterly: Mapping[str, Points] = field(default_factory=dict)
    trailing: Mapping[str, Points] = field(default_factory=dict)
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class _Point:
    frequency: Frequency
    item: str
    day: date
    value: float
    currency: str | None


def type_names(annual: Iterable[str] = (), quarterly: Iterable[str] = (), trailing: Iterable[str] = ()) -> list[str]:
    """What to ask for: Yahoo puts the frequency before the item, and takes all three in one question."""
    return [
        *(f"annual{item}" for item in annual),
        *(f"quarterly{item}" for item in quarterly),
        *(f"trailing{item}" for item in trailing),
    ]


def series_from(document: Any) -> Series:
    """The series of a `timeseries` answer. Raises SourceUnreadable when it is not one.

    A company that changed its reporting currency keeps the periods in the currency of its newest one.
    """
    results = document.get("timeseries") if isinstance(document, dict) else None
    results = results.get("result") if isinstance(results, dict) else None
    if not isinstance(results, list):
        raise SourceUnreadable("Yahoo Finance sent statements that cannot be read")
    points = list(_points(results))
    newest = max(points, key=lambda point: point.day, default=None)
    currency = newest.currency if newest is not None else None
    kept: dict[Frequency, dict[str, dict[date, float]]] = {"annual": {}, "quarterly": {}, "trailing": {}}
    for point in points:
        if point.currency == currency:
            kept[point.frequency].setdefault(point.item, {})[point.day] = point.value
    return Series(kept["annual"], kept["quarterly"], kept["trailing"], currency)


def at(series: Mapping[str, Points], item: str, day: date | None) -> float | None:
    """One figure, None when it is unknown."""
    return series.get(item, {}).get(day) if day is not None else None


def newest_day(series: Mapping[str, Points], items: Iterable[str], latest: date) -> date | None:
    """The end of the newest period, not after `latest`, that has any of the items."""
    days = [day for item in items for day in series.get(item, {}) if day <= latest]
    return max(days, default=None)


def year_before(series: Mapping[str, Points], day: date | None) -> date | None:
    """The end of the same period one year earlier, None when nothing is known of it."""
    if day is None:
        return None
    days = {other for points in series.values() for other in points if (day - other).days in YEAR_APART}
    return min(days, key=lambda other: abs((day - other) - timedelta(days=365)), default=None)


def growth(series: Mapping[str, Points], item: str, day: date | None) -> float | None:
    """(this period - same period a year ago) / a year ago: a fraction, None unless a year ago was above zero."""
    now = at(series, item, day)
    if day is None or now is None:
        return None
    before = at(series, item, year_before({item: series[item]}, day))
    return (now - before) / before if before is not None and before > 0 else None


def _points(results: list[Any]) -> Iterator[_Point]:
    for entry in results:
        if not isinstance(entry, dict):
            continue
        for name, values in entry.items():
            frequency = next((known for known in PERIOD_TYPES if name.startswith(known)), None)
            if frequency is None or not isinstance(values, list):
                continue
            for value in values:
                point = _point(frequency, name.removeprefix(frequency), value)
                if point is not None:
                    yield point


def _point(frequency: Frequency, item: str, value: Any) -> _Point | None:
    if not isinstance(value, dict) or value.get("periodType") not in (None, PERIOD_TYPES[frequency]):
        return None
    reported = value.get("reportedValue")
    amount = number(reported.get("raw")) if isinstance(reported, dict) else None
    try:
        day = date.fromisoformat(str(value.get("asOfDate")))
    except ValueError:
        return None
    currency = value.get("currencyCode")
    return None if amount is None else _Point(frequency, item, day, amount, currency or None)
