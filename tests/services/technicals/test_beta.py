from __future__ import annotations

import random
from datetime import date
from itertools import pairwise

import pytest

from klyx.services.technicals.beta import beta_of
from klyx.sources.base import DailyBar
from tests.services.technicals.bars import bars_of_closes, random_bars, weekdays_until


def market(count: int = 300) -> dict[date, float]:
    luck = random.Random(7)
    closes: dict[date, float] = {}
    level = 25_000.0
    for day in weekdays_until(date(2026, 11, 20), count):
        level *= 1 + luck.gauss(0, 0.009)
        closes[day] = level
    return closes


def follower(index: dict[date, float], times: float) -> list[DailyBar]:
    closes = [500.0]
    levels = list(index.values())
    for before, level in pairwise(levels):
        closes.append(closes[-1] * (1 + times * (level / before - 1)))
    return bars_of_closes(closes)


@pytest.mark.parametrize("times", [0.5, 1.0, 1.8, -0.4])
def test_a_stock_that_moves_so_many_times_as_far_as_the_market_has_that_beta(times: float) -> None:
    index = market()

    assert beta_of(follower(index, times), index) == pytest.approx(times)


def test_sessions_that_only_one_of_them_had_do_not_count() -> None:
    index = market()
    bars = follower(index, 1.0)
    without = {day: close for number, (day, close) in enumerate(index.items()) if number % 17}

    assert beta_of([bar for number, bar in enumerate(bars) if number % 13], without) == pytest.approx(1.0)


def test_too_few_sessions_and_a_market_that_stood_still_tell_nothing() -> None:
    index = market()

    assert beta_of(follower(index, 1.0)[-120:], index) is None
    assert beta_of(random_bars(300), dict.fromkeys(index, 100.0)) is None
    assert beta_of(random_bars(300), {}) is None
    assert beta_of([], index) is None
