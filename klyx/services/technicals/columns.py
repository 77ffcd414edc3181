"""From a price history to columns of `stocks`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from klyx.database.types import Figure
from klyx.services.analysis.technicals import UNKNOWN_TREND
from klyx.services.stocks.fields import column_of
from klyx.services.technicals.beta import beta_of
from klyx.services.technicals.changes import changes_of
from klyx.services.technicals.definitions import definitions_of
from klyx.services.technicals.indicators import indicators_of
from klyx.sources.base import DailyBar

Columns = dict[str, float | str]


def technical_columns(bars: Sequence[DailyBar], market_closes: Mapping[date, float]) -> Columns:
    """The technical columns after the last of these bars (oldest first), only those that are known.

    `rsi`, `macd`, `adx`, `atr` and the averages as the field defines them, the `tech_` columns by their own
    definitions; changes in percent points. `market_closes` is the market's index by day, for `beta_1yr`.
    """
    indicators = indicators_of(bars)
    report = definitions_of(bars).snapshot()
    changes = changes_of(bars)
    columns: dict[str, float | str | None] = {
        "sma_50": indicators.sma_50,
        "sma_200": indicators.sma_200,
        "ema_20": indicators.ema_20,
        "rsi": indicators.rsi,
        "macd": indicators.macd,
        "adx": indicators.adx,
        "atr": indicators.atr,
        "beta_1yr": beta_of(bars, market_closes),
        "week_change_pct": changes.week,
        "month_change_pct": changes.month,
        "qtr_change_pct": changes.quarter,
        "year_1_change_pct": changes.year,
        "year_3_change_pct": changes.three_years,
        "tech_trend": None if report.trend == UNKNOWN_TREND else report.trend,
        "tech_rsi": report.rsi,
        "tech_rsi_state": report.rsi_state,
        "tech_macd": report.macd,
        "tech_macd_signal": report.macd_signal,
        "tech_mfi": report.mfi,
        "tech_volume_signal": report.volume_signal,
        "tech_volume_pct": report.volume_percent,
    }
    return {name: value for name, value in columns.items() if value is not None and _fits(name, value)}


def _fits(name: str, value: float | str) -> bool:
    """Whether the column can hold the number; a change of more than a million percent is no change but an error."""
    kind = column_of(name).type
    return isinstance(value, str) or not isinstance(kind, Figure) or kind.accepts(value)
