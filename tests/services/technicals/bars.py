"""Price histories for tests."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

from klyx.sources.base import DailyBar

LAST_DAY = date(2026, 11, 20)


def random_bars(count: int, seed: int = 1, last_day: date = LAST_DAY, start: float = 500.0) -> list[DailyBar]:
    """A wandering price with days of no change and no volume among them, one bar each weekday."""
    luck = random.Random(seed)
    days = weekdays_until(last_day, count)
    close = start
    bars = []
    for day in days:
        opened = close * (1 + luck.gauss(0, 0.004))
        move = 0.0 if luck.random() < 0.05 else luck.gauss(0.0004, 0.015)
        close = round(close * (1 + move), 2)
        high = round(max(opened, close) * (1 + abs(luck.gauss(0, 0.006))), 2)
        low = round(min(opened, close) * (1 - abs(luck.gauss(0, 0.006))), 2)
        volume = 0 if luck.random() < 0.02 else luck.randrange(10_000, 900_000)
        bars.append(DailyBar(day, round(min(max(opened, low), high), 2), high, low, close, volume))
    return bars


def bars_of_closes(closes: Sequence[float], last_day: date = LAST_DAY, volume: int = 1000) -> list[DailyBar]:
    """Sessions that traded at their close only."""
    days = weekdays_until(last_day, len(closes))
    return [DailyBar(day, close, close, close, close, volume) for day, close in zip(days, closes, strict=True)]


def weekdays_until(last_day: date, count: int) -> list[date]:
    days: list[date] = []
    day = last_day
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day -= timedelta(days=1)
    return days[::-1]
