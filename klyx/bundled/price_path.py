"""An invented year of daily bars that ends at a given price, and the indicators of its last day.

Indicators computed from one path agree with one another, which figures drawn one by one would not.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

DAYS = 400
TRADING_YEAR = 250


@dataclass(frozen=True, slots=True)
class Bar:
    """One trading day; prices in rupees."""

    high: float
    low: float
    close: float
    volume: int


def price_path(seed: str, price: float, year_change_percent: float, beta: float, turnover: float) -> list[Bar]:
    """DAYS bars ending at `price`, `year_change_percent` above the bar a trading year earlier.

    A random walk bent to its end points; the same arguments give the same bars on every machine.
    `turnover` is the usual rupees traded a day.
    """
    chance = random.Random(f"klyx {seed}")  # noqa: S311 - illustrative figures, not secrets
    step = 0.009 + 0.005 * beta
    walk = [0.0]
    for _ in range(DAYS - 1):
        walk.append(walk[-1] + chance.gauss(0, step))
    start = DAYS - 1 - TRADING_YEAR
    drift = (math.log(1 + year_change_percent / 100) - (walk[-1] - walk[start])) / TRADING_YEAR
    bars = []
    for day, level in enumerate(walk):
        close = price * math.exp(level - walk[-1] + drift * (day - DAYS + 1))
        high = close * (1 + abs(chance.gauss(0, step / 2)))
        low = close * (1 - abs(chance.gauss(0, step / 2)))
        bars.append(Bar(high, low, close, int(turnover / close * chance.uniform(0.6, 1.5))))
    return bars


def change_percent(bars: Sequence[Bar], days: int) -> float:
    """The change of the close over the last `days` bars."""
    return (bars[-1].close / bars[-1 - days].close - 1) * 100


def sma(bars: Sequence[Bar], days: int) -> float:
    """Simple moving average of the close."""
    return sum(bar.close for bar in bars[-days:]) / days


def ema(values: Sequence[float], days: int) -> list[float]:
    """Exponential moving averages with smoothing 2 / (days + 1), one a value."""
    averages = [values[0]]
    for value in values[1:]:
        averages.append(averages[-1] + (value - averages[-1]) * 2 / (days + 1))
    return averages


def macd(bars: Sequence[Bar]) -> tuple[float, float]:
    """MACD (12, 26) and its signal line (9)."""
    closes = [bar.close for bar in bars]
    line = [fast - slow for fast, slow in zip(ema(closes, 12), ema(closes, 26), strict=True)]
    return line[-1], ema(line, 9)[-1]


def wilder(values: Sequence[float], days: int = 14) -> float:
    """Wilder's smoothed average of the values."""
    average = sum(values[:days]) / days
    for value in values[days:]:
        average += (value - average) / days
    return average


def rsi(bars: Sequence[Bar]) -> float:
    """Relative strength index over 14 days, Wilder's smoothing."""
    moves = [later.close - earlier.close for earlier, later in pairwise(bars)]
    gain, loss = wilder([max(move, 0) for move in moves]), wilder([max(-move, 0) for move in moves])
    return 100 * gain / (gain + loss)


def true_ranges(bars: Sequence[Bar]) -> list[float]:
    """Each day's range, the gap from the day before included."""
    return [max(bar.high, before.close) - min(bar.low, before.close) for before, bar in pairwise(bars)]


def adx(bars: Sequence[Bar]) -> float:
    """Average directional index over 14 days."""
    strengths = []
    for end in range(len(bars) - 60, len(bars) + 1):
        window = bars[max(0, end - 100) : end]
        ups = [bar.high - before.high for before, bar in pairwise(window)]
        downs = [before.low - bar.low for before, bar in pairwise(window)]
        plus = wilder([up if up > max(down, 0) else 0.0 for up, down in zip(ups, downs, strict=True)])
        minus = wilder([down if down > max(up, 0) else 0.0 for up, down in zip(ups, downs, strict=True)])
        strengths.append(100 * abs(plus - minus) / (plus + minus))
    return wilder(strengths)


def mfi(bars: Sequence[Bar]) -> float:
    """Money flow index over 14 days."""
    flows = [((bar.high + bar.low + bar.close) / 3, bar.volume) for bar in bars[-15:]]
    moves = list(pairwise(flows))
    inflow = sum(price * volume for (before, _), (price, volume) in moves if price > before)
    return 100 * inflow / sum(price * volume for _, (price, volume) in moves)
