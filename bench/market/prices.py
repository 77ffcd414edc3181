"""Daily prices that lead to a given price today, with trends, and with a market that all of them follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

YEAR_DAYS = 252
HISTORY_DAYS = 6 * YEAR_DAYS
INDEX_TODAY = 25_800.0
_MARKET_VOLATILITY = 0.008
# Length in days, drift a day: what the price has done lately, so that every ready-made screen finds someone.
_TRENDS = ((0, 0.0), (45, 0.004), (45, -0.004), (20, 0.007), (15, -0.012), (200, 0.0022), (200, -0.0015))


class Bar(NamedTuple):
    """Rupees; `volume` in shares."""

    day: date
    open: float
    high: float
    low: float
    close: float
    volume: int


class Summary(NamedTuple):
    """Of the last day and the 52 weeks up to it."""

    price: float
    previous_close: float
    open: float
    day_high: float
    day_low: float
    volume: int
    average_volume: int
    high: float
    low: float
    change: float | None


@dataclass(frozen=True)
class Path:
    """One price path, oldest day first; all columns are of the same length."""

    days: tuple[date, ...]
    open: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    close: tuple[float, ...]
    volume: tuple[int, ...]

    def bars(self, since: date | None) -> list[Bar]:
        rows = zip(self.days, self.open, self.high, self.low, self.close, self.volume, strict=True)
        return [Bar(*row) for row in rows if since is None or row[0] >= since]

    def summary(self) -> Summary:
        recent = self.volume[-63:]
        a_year_ago = self.close[-YEAR_DAYS] if len(self.close) >= YEAR_DAYS else None
        return Summary(
            price=self.close[-1],
            previous_close=self.close[-2],
            open=self.open[-1],
            day_high=self.high[-1],
            day_low=self.low[-1],
            volume=self.volume[-1],
            average_volume=sum(recent) // len(recent),
            high=max(self.high[-YEAR_DAYS:]),
            low=min(self.low[-YEAR_DAYS:]),
            change=None if a_year_ago is None else self.close[-1] / a_year_ago - 1,
        )


def last_trading_day(today: date) -> date:
    """The exchange of these companies is closed at weekends only."""
    return today - timedelta(days=max(today.weekday() - 4, 0))


@lru_cache(maxsize=4)
def trading_days(today: date) -> tuple[date, ...]:
    days: list[date] = []
    day = today
    while len(days) < HISTORY_DAYS:
        if day.weekday() < 5:
            days.append(day)
        day -= timedelta(days=1)
    return tuple(reversed(days))


def beta_of(symbol: str) -> float:
    """How much the company follows the market."""
    return round(min(max(Random(f"{symbol} beta").gauss(1.0, 0.4), 0.1), 2.4), 2)  # noqa: S311 - made up


def path(symbol: str, price_today: float, listed_on: date, today: date) -> Path:
    """Ends near `price_today`, rounded to 5 paise, and begins not before `listed_on`."""
    chance = _generator(f"{symbol} prices")
    own = chance.standard_normal(HISTORY_DAYS) * float(chance.uniform(0.009, 0.025))
    own += float(chance.normal(0.0003, 0.0006))
    length, drift = _TRENDS[int(chance.integers(len(_TRENDS)))]
    if length:
        own[-length:] = own[-length:] * 0.7 + drift
    return _walk(beta_of(symbol) * _market_returns() + own, price_today, chance, listed_on, today, base_volume=2e5)


@lru_cache(maxsize=4)
def index_path(today: date) -> Path:
    return _walk(_market_returns(), INDEX_TODAY, _generator("index"), date(1990, 7, 3), today, base_volume=2e8)


def _walk(
    returns: Floats, price_today: float, chance: np.random.Generator, listed_on: date, today: date, base_volume: float
) -> Path:
    returns = np.clip(returns, -0.18, 0.18)
    close = price_today * np.exp(np.cumsum(returns) - returns.sum())
    close = np.maximum(np.round(close / 0.05) * 0.05, 0.05)
    opening = np.roll(close, 1)
    opening[0] = close[0]
    opening = np.round(opening * (1 + chance.standard_normal(HISTORY_DAYS) * 0.003), 2)
    reach = np.abs(chance.standard_normal((2, HISTORY_DAYS))) * 0.006
    high = np.round(np.maximum(opening, close) * (1 + reach[0]), 2)
    low = np.round(np.minimum(opening, close) * (1 - reach[1]), 2)
    busy = np.exp(chance.normal(0, 0.45, HISTORY_DAYS) + 12 * np.abs(returns))
    volume = (base_volume * float(np.exp(chance.normal(0, 1.2))) * busy).astype(np.int64)
    days = trading_days(today)
    # A company listed yesterday has two days of prices at least: a change needs two.
    first = min(next((place for place, day in enumerate(days) if day >= listed_on), 0), HISTORY_DAYS - 2)
    return Path(
        days[first:],
        tuple(np.maximum(opening, 0.05)[first:].tolist()),
        tuple(high[first:].tolist()),
        tuple(np.maximum(low, 0.05)[first:].tolist()),
        tuple(np.round(close, 2)[first:].tolist()),
        tuple(volume[first:].tolist()),
    )


@lru_cache(maxsize=1)
def _market_returns() -> Floats:
    returns: Floats = _generator("market").standard_normal(HISTORY_DAYS) * _MARKET_VOLATILITY + 0.0003
    return returns


def _generator(seed: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(seed.encode()))
