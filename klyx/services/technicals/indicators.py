"""The indicators of a price history as the field defines them, worked out by TA-Lib."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import talib

from klyx.sources.base import DailyBar

SMA_SHORT, SMA_LONG, EMA_SESSIONS, BOLLINGER_SESSIONS = 50, 200, 20, 20
SESSIONS = 14
MACD_FAST, MACD_SLOW, MACD_SIGNAL = 12, 26, 9


@dataclass(frozen=True, slots=True)
class Indicators:
    """Values of the last session; None when the history is too short.

    Averages, MACD, ATR and Bollinger bands in rupees; RSI, ADX and MFI from 0 to 100. RSI, ADX and ATR are
    smoothed as Wilder did, the first EMA of a series is the simple mean of its first sessions.
    """

    sma_50: float | None
    sma_200: float | None
    ema_20: float | None
    rsi: float | None
    macd: float | None
    macd_signal: float | None
    adx: float | None
    mfi: float | None
    atr: float | None
    bollinger_upper: float | None
    bollinger_lower: float | None


def indicators_of(bars: Sequence[DailyBar]) -> Indicators:
    """The indicators after the last of these bars, which are in order of their days."""
    high, low, close = (_series(bars, name) for name in ("high", "low", "close"))
    volume = _series(bars, "volume")
    macd, signal, _ = talib.MACD(close, MACD_FAST, MACD_SLOW, MACD_SIGNAL)
    upper, _, lower = talib.BBANDS(close, BOLLINGER_SESSIONS)
    return Indicators(
        sma_50=_last(talib.SMA(close, SMA_SHORT)),
        sma_200=_last(talib.SMA(close, SMA_LONG)),
        ema_20=_last(talib.EMA(close, EMA_SESSIONS)),
        rsi=_last(talib.RSI(close, SESSIONS)),
        macd=_last(macd),
        macd_signal=_last(signal),
        adx=_last(talib.ADX(high, low, close, SESSIONS)),
        mfi=_last(talib.MFI(high, low, close, volume, SESSIONS)),
        atr=_last(talib.ATR(high, low, close, SESSIONS)),
        bollinger_upper=_last(upper),
        bollinger_lower=_last(lower),
    )


def _series(bars: Sequence[DailyBar], name: str) -> Any:
    return np.fromiter((getattr(bar, name) for bar in bars), dtype=np.float64, count=len(bars))


def _last(series: Any) -> float | None:
    if not len(series):
        return None
    value = float(series[-1])
    return value if math.isfinite(value) else None
