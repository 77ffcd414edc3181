"""How far a price moved over calendar periods."""

from __future__ import annotations

import calendar
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from klyx.sources.base import DailyBar

# The exchange can be closed on the day a period began; a history may begin on the next session.
LONGEST_CLOSURE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Changes:
    """Change of the last close in percent points; None when the history does not reach back so far."""

    week: float | None
    month: float | None
    quarter: float | None
    year: float | None
    three_years: float | None


def changes_of(bars: Sequence[DailyBar]) -> Changes:
    """The changes up to the last of these bars, which are in order of their days.

    The base is the last close on or before the same day of the earlier month or year, as a holder of the stock
    would count; for the week seven days earlier.
    """
    if not bars:
        return Changes(None, None, None, None, None)
    last = bars[-1].day
    begins = (
        last - timedelta(days=7),
        months_before(last, 1),
        months_before(last, 3),
        months_before(last, 12),
        months_before(last, 36),
    )
    return Changes(*(_change_since(bars, day) for day in begins))


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last one."""
    month = day.year * 12 + day.month - 1 - months
    year, month = divmod(month, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_until(bars: Sequence[DailyBar], day: date) -> int:
    """The place of the last bar on or before a day among these, which are in order of their days; -1 without one."""
    return bisect_right(bars, day, key=lambda bar: bar.day) - 1


def _change_since(bars: Sequence[DailyBar], day: date) -> float | None:
    position = last_until(bars, day)
    if position < 0:
        if bars[0].day > day + LONGEST_CLOSURE or len(bars) == 1:
            return None
        position = 0
    base = bars[position].close
    return (bars[-1].close / base - 1) * 100 if base > 0 else None
