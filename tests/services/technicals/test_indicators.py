"""TA-Lib's values against the textbooks' formulas, written out in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from klyx.services.technicals.indicators import Indicators, indicators_of
from klyx.sources.base import DailyBar
from tests.services.technicals.bars import bars_of_closes, random_bars

TIGHT = 1e-9


def smoothed(values: Sequence[float], sessions: int, weight: float) -> list[float]:
    """The mean of the first `sessions` values, then `weight` of each new one."""
    means = [sum(values[:sessions]) / sessions]
    for value in values[sessions:]:
        means.append(means[-1] + weight * (value - means[-1]))
    return means


def ema(values: Sequence[float], sessions: int) -> list[float]:
    return smoothed(values, sessions, 2 / (sessions + 1))


def wilder(values: Sequence[float], sessions: int = 14) -> list[float]:
    return smoothed(values, sessions, 1 / sessions)


def wilder_rsi(closes: Sequence[float]) -> float:
    changes = [new - old for old, new in pairwise(closes)]
    gain = wilder([max(change, 0) for change in changes])[-1]
    loss = wilder([max(-change, 0) for change in changes])[-1]
    return 100 - 100 / (1 + gain / loss)


def macd(closes: Sequence[float]) -> tuple[float, float]:
    # TA-Lib begins both averages at the session where the slow one can begin.
    fast = ema(closes[26 - 12 :], 12)
    slow = ema(closes, 26)
    differences = [quick - long for quick, long in zip(fast, slow, strict=True)]
    return differences[-1], ema(differences, 9)[-1]


def true_ranges(bars: Sequence[DailyBar]) -> list[float]:
    return [
        max(bar.high - bar.low, abs(bar.high - before.close), abs(bar.low - before.close))
        for before, bar in pairwise(bars)
    ]


def adx(bars: Sequence[DailyBar]) -> float:
    """Wilder's sums lose a fourteenth and gain the new value; the first holds 13 values."""
    rises = [bar.high - before.high for before, bar in pairwise(bars)]
    falls = [before.low - bar.low for before, bar in pairwise(bars)]
    plus = [up if up > down and up > 0 else 0.0 for up, down in zip(rises, falls, strict=True)]
    minus = [down if down > up and down > 0 else 0.0 for up, down in zip(rises, falls, strict=True)]

    def sums(values: Sequence[float]) -> list[float]:
        total = sum(values[:13])
        found = []
        for value in values[13:]:
            total = total - total / 14 + value
            found.append(total)
        return found

    directions = []
    for ranged, up, down in zip(sums(true_ranges(bars)), sums(plus), sums(minus), strict=True):
        plus_index, minus_index = 100 * up / ranged, 100 * down / ranged
        directions.append(100 * abs(plus_index - minus_index) / (plus_index + minus_index))
    return wilder(directions)[-1]


def mfi(bars: Sequence[DailyBar]) -> float:
    typical = [(bar.high + bar.low + bar.close) / 3 for bar in bars]
    up = down = 0.0
    for position in range(len(bars) - 14, len(bars)):
        flow = typical[position] * bars[position].volume
        if typical[position] > typical[position - 1]:
            up += flow
        elif typical[position] < typical[position - 1]:
            down += flow
    return 100 * up / (up + down)


@pytest.mark.parametrize("count", [250, 1250])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_values_are_those_of_the_formulas(count: int, seed: int) -> None:
    bars = random_bars(count, seed)
    closes = [bar.close for bar in bars]
    found = indicators_of(bars)
    middle = sum(closes[-20:]) / 20
    deviation = (sum((close - middle) ** 2 for close in closes[-20:]) / 20) ** 0.5

    assert found.sma_50 == pytest.approx(sum(closes[-50:]) / 50, rel=TIGHT)
    assert found.sma_200 == pytest.approx(sum(closes[-200:]) / 200, rel=TIGHT)
    assert found.ema_20 == pytest.approx(ema(closes, 20)[-1], rel=TIGHT)
    assert found.rsi == pytest.approx(wilder_rsi(closes), rel=TIGHT)
    assert (found.macd, found.macd_signal) == pytest.approx(macd(closes), rel=1e-7)
    assert found.adx == pytest.approx(adx(bars), rel=TIGHT)
    assert found.mfi == pytest.approx(mfi(bars), rel=TIGHT)
    assert found.atr == pytest.approx(wilder(true_ranges(bars))[-1], rel=TIGHT)
    assert found.bollinger_upper == pytest.approx(middle + 2 * deviation, rel=TIGHT)
    assert found.bollinger_lower == pytest.approx(middle - 2 * deviation, rel=TIGHT)


def test_a_short_history_leaves_the_long_ones_unknown() -> None:
    found = indicators_of(random_bars(60))

    assert found.sma_50 is not None
    assert found.sma_200 is None
    assert found.rsi is not None


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_new_listing_has_no_indicators(count: int) -> None:
    assert indicators_of(random_bars(count)) == Indicators(*[None] * 11)


def test_a_price_that_never_moved_gives_finite_values() -> None:
    found = indicators_of(bars_of_closes([100.0] * 250))

    assert (found.sma_50, found.macd, found.atr) == (100, 0, 0)
    assert found.bollinger_upper == pytest.approx(100)
