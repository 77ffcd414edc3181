"""The definitions behind the `Tech_*` columns: simple means, and averages that start at the first close.

They differ from the field's usual ones (see `indicators`) and are kept because people compare them with
earlier analyses. The history is one year of sessions; a longer one changes nothing that can be seen.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from klyx.services.analysis.technicals import (
    UNKNOWN_TREND,
    TechnicalSnapshot,
    macd_signal,
    rsi_state,
    trend,
    volume_against_week,
)
from klyx.sources.base import DailyBar

WEEK_SESSIONS = 5
OSCILLATOR_SESSIONS = 14
BOLLINGER_SESSIONS = 20
FAST, SLOW, SIGNAL = 12, 26, 9


@dataclass(frozen=True, slots=True)
class Definitions:
    """Values after the last session, not rounded; None when the history is too short.

    Rupees, except RSI and MFI (0 to 100), `bollinger_width_percent` and the volumes (shares).
    """

    close: float | None
    sma_50: float | None
    sma_200: float | None
    rsi: float | None
    macd: float | None
    macd_signal_line: float | None
    mfi: float | None
    atr: float | None
    bollinger_upper: float | None
    bollinger_lower: float | None
    bollinger_width_percent: float | None
    day_volume: float | None
    week_volume: float | None

    def snapshot(self) -> TechnicalSnapshot:
        """The labels and values of the `Tech_*` columns, rounded to two decimals."""
        volume_signal, volume_percent = volume_against_week(self.day_volume, self.week_volume)
        known = self.macd is not None and self.macd_signal_line is not None
        return TechnicalSnapshot(
            trend=UNKNOWN_TREND if self.sma_50 is None else trend(self.close, self.sma_50, self.sma_200),
            rsi=_rounded(self.rsi),
            rsi_state=None if self.rsi is None else rsi_state(self.rsi),
            macd=_rounded(self.macd),
            macd_signal=macd_signal(self.macd or 0.0, self.macd_signal_line or 0.0) if known else None,
            mfi=_rounded(self.mfi),
            volume_signal=volume_signal,
            volume_percent=volume_percent,
        )

    def result(self) -> dict[str, Any]:
        """The whole interpretation as one document: numbers rounded to two decimals, None for unknown."""
        labels = self.snapshot()
        return {
            "current_price": _rounded(self.close),
            "trend": labels.trend,
            "rsi": {"value": labels.rsi, "state": labels.rsi_state},
            "macd": {"value": labels.macd, "signal": labels.macd_signal},
            "mfi": {"value": labels.mfi},
            "volume_analysis": {"signal": labels.volume_signal, "pct_vs_avg": labels.volume_percent},
            "bollinger": {
                "upper": _rounded(self.bollinger_upper),
                "lower": _rounded(self.bollinger_lower),
                "width_pct": _rounded(self.bollinger_width_percent),
            },
            "support_resistance": {"sma_50": _rounded(self.sma_50), "sma_200": _rounded(self.sma_200)},
            "volatility_atr": _rounded(self.atr),
        }


def definitions_of(bars: Sequence[DailyBar]) -> Definitions:
    """The values after the last of these bars, which are in order of their days."""
    closes = [bar.close for bar in bars]
    volumes = [float(bar.volume) for bar in bars]
    macd, signal_line = moving_average_divergence(closes)
    upper, lower, width = bollinger(closes)
    return Definitions(
        close=closes[-1] if closes else None,
        sma_50=mean_of_last(closes, 50),
        sma_200=mean_of_last(closes, 200),
        rsi=relative_strength_index(closes),
        macd=macd,
        macd_signal_line=signal_line,
        mfi=money_flow_index(bars),
        atr=average_true_range(bars),
        bollinger_upper=upper,
        bollinger_lower=lower,
        bollinger_width_percent=width,
        day_volume=volumes[-1] if volumes else None,
        week_volume=mean_of_last(volumes, WEEK_SESSIONS),
    )


def mean_of_last(values: Sequence[float], count: int) -> float | None:
    """The simple mean of the last `count` values, None when there are fewer."""
    return statistics.fmean(values[-count:]) if len(values) >= count else None


def exponential_means(values: Sequence[float], sessions: int) -> list[float]:
    """EMA with alpha = 2 / (sessions + 1), one for each value; the first is the first value itself."""
    alpha = 2 / (sessions + 1)
    means: list[float] = []
    for value in values:
        means.append(value if not means else alpha * value + (1 - alpha) * means[-1])
    return means


def moving_average_divergence(closes: Sequence[float]) -> tuple[float | None, float | None]:
    """MACD (EMA12 - EMA26) and its signal line (EMA9 of MACD); unknown until both averages have settled."""
    if len(closes) < SLOW + SIGNAL - 1:
        return None, None
    fast, slow = exponential_means(closes, FAST), exponential_means(closes, SLOW)
    macd = [quick - slow_one for quick, slow_one in zip(fast, slow, strict=True)]
    return macd[-1], exponential_means(macd, SIGNAL)[-1]


def relative_strength_index(closes: Sequence[float]) -> float | None:
    """RSI of the simple means of 14 sessions' gains and losses: 100 without losses, 50 without any change."""
    if len(closes) <= OSCILLATOR_SESSIONS:
        return None
    changes = [new - old for old, new in pairwise(closes[-OSCILLATOR_SESSIONS - 1 :])]
    return _index(sum(max(change, 0.0) for change in changes), sum(max(-change, 0.0) for change in changes))


def money_flow_index(bars: Sequence[DailyBar]) -> float | None:
    """MFI over 14 sessions of typical price x volume; 50 when no money flowed either way."""
    if len(bars) <= OSCILLATOR_SESSIONS:
        return None
    inflow = outflow = 0.0
    for before, bar in pairwise(bars[-OSCILLATOR_SESSIONS - 1 :]):
        typical, typical_before = _typical_price(bar), _typical_price(before)
        if typical > typical_before:
            inflow += typical * bar.volume
        elif typical < typical_before:
            outflow += typical * bar.volume
    return _index(inflow, outflow)


def average_true_range(bars: Sequence[DailyBar]) -> float | None:
    """The simple mean of 14 sessions' true range, in rupees."""
    if len(bars) <= OSCILLATOR_SESSIONS:
        return None
    ranges = [
        max(bar.high - bar.low, abs(bar.high - before.close), abs(bar.low - before.close))
        for before, bar in pairwise(bars[-OSCILLATOR_SESSIONS - 1 :])
    ]
    return statistics.fmean(ranges)


def bollinger(closes: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Upper and lower band (mean of 20 closes and two sample deviations), and their distance in percent of it."""
    middle = mean_of_last(closes, BOLLINGER_SESSIONS)
    if middle is None:
        return None, None, None
    reach = 2 * statistics.stdev(closes[-BOLLINGER_SESSIONS:])
    return middle + reach, middle - reach, 2 * reach / middle * 100 if middle else None


def _index(up: float, down: float) -> float:
    """100 - 100 / (1 + up / down), which is the share of `up` in percent; 50 when there is nothing to share."""
    return 100 * up / (up + down) if up + down else 50.0


def _typical_price(bar: DailyBar) -> float:
    return (bar.high + bar.low + bar.close) / 3


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
