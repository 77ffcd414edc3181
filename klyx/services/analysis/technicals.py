"""The technical snapshot that a spreadsheet's own indicators give, without price history."""

from collections.abc import Mapping
from dataclasses import dataclass

from klyx.services.analysis import columns as c
from klyx.services.analysis.table import Cell, Row, finite, number, text

UNKNOWN_TREND = "Unknown"
_INDICATORS = (c.SMA50, c.SMA200, c.RSI, c.MACD, c.MACD_SIGNAL_LINE, c.MFI)


@dataclass(frozen=True, slots=True)
class TechnicalSnapshot:
    """Labels and values of one stock; None is unknown, except that a trend always has a word."""

    trend: str = UNKNOWN_TREND
    rsi: float | None = None
    rsi_state: str | None = None
    macd: float | None = None
    macd_signal: str | None = None
    mfi: float | None = None
    volume_signal: str | None = None
    volume_percent: float | None = None

    @property
    def is_complete(self) -> bool:
        """Whether trend, RSI and MACD are all known, so that no price history is needed."""
        return self.trend != UNKNOWN_TREND and self.rsi is not None and self.macd is not None

    def cells(self) -> Row:
        """The `Tech_*` columns; RSI, MACD and MFI only when they are known."""
        cells: Row = {
            c.TECH_TREND: self.trend,
            c.TECH_RSI: self.rsi,
            c.TECH_RSI_STATE: self.rsi_state,
            c.TECH_MACD: self.macd,
            c.TECH_MACD_SIGNAL: self.macd_signal,
            c.TECH_MFI: self.mfi,
            c.TECH_VOLUME_SIGNAL: self.volume_signal,
            c.TECH_VOLUME_PERCENT: self.volume_percent,
        }
        return {
            column: cell for column, cell in cells.items() if cell is not None or column not in c.OMITTED_WHEN_UNKNOWN
        }


def technical_snapshot(row: Mapping[str, Cell]) -> TechnicalSnapshot:
    """The snapshot of a row's own indicators, values rounded to two decimals.

    A row of the stock table states `Tech_*` values of its own, which have other definitions: they come first.
    """
    rsi, macd = number(row, c.TECH_RSI, c.RSI), number(row, c.TECH_MACD, c.MACD)
    signal_line = number(row, c.MACD_SIGNAL_LINE)
    volume_signal, volume_percent = volume_against_week(number(row, c.DAY_VOLUME), number(row, c.WEEK_VOLUME))
    stated_percent = number(row, c.TECH_VOLUME_PERCENT)
    return TechnicalSnapshot(
        trend=text(row, c.TECH_TREND) or _trend_of(row),
        rsi=_rounded(rsi),
        rsi_state=text(row, c.TECH_RSI_STATE) or (None if rsi is None else rsi_state(rsi)),
        macd=_rounded(macd),
        macd_signal=text(row, c.TECH_MACD_SIGNAL)
        or (None if macd is None or signal_line is None else macd_signal(macd, signal_line)),
        mfi=_rounded(number(row, c.TECH_MFI, c.MFI)),
        volume_signal=text(row, c.TECH_VOLUME_SIGNAL) or volume_signal,
        volume_percent=volume_percent if stated_percent is None else stated_percent,
    )


def _trend_of(row: Mapping[str, Cell]) -> str:
    if number(row, *_INDICATORS) is None:
        return UNKNOWN_TREND
    return trend(number(row, c.PRICE), number(row, c.SMA50), number(row, c.SMA200))


def trend(price: float | None, sma_50: float | None, sma_200: float | None) -> str:
    """Bullish above the 50-day average, else Bearish; marked when also above the 200-day one.

    "Neutral" without a 50-day average, "Unknown" without a price to compare.
    """
    if sma_50 is None:
        return "Neutral"
    if price is None:
        return UNKNOWN_TREND
    direction = "Bullish" if price > sma_50 else "Bearish"
    return f"{direction} (Long Term)" if sma_200 is not None and price > sma_200 else direction


def rsi_state(rsi: float) -> str:
    """Overbought above 70, Oversold below 30, else Neutral."""
    if rsi > 70:
        return "Overbought"
    return "Oversold" if rsi < 30 else "Neutral"


def macd_signal(macd: float, signal_line: float) -> str:
    """Bullish while MACD is above its signal line, else Bearish."""
    return "Bullish" if macd > signal_line else "Bearish"


def volume_against_week(day: float | None, week_average: float | None) -> tuple[str | None, float | None]:
    """High / Low / Normal and the difference from the week's average in percent.

    High above 1.5 times the average, Low below half of it; 0 % when nothing was traded.
    """
    if day is None or week_average is None:
        return None, None
    percent = finite(round((day / week_average - 1) * 100, 1)) if week_average else 0.0
    if day > 1.5 * week_average:
        return "High", percent
    return ("Low" if day < 0.5 * week_average else "Normal"), percent


def describe(snapshot: TechnicalSnapshot) -> str:
    """One sentence on what is known, or that nothing is."""
    parts = []
    if snapshot.trend != UNKNOWN_TREND:
        parts.append(f"the trend is {snapshot.trend[0].lower()}{snapshot.trend[1:]}")
    if snapshot.rsi is not None and snapshot.rsi_state is not None:
        parts.append(f"RSI stands at {snapshot.rsi:.2f} ({snapshot.rsi_state.lower()})")
    if snapshot.macd_signal is not None:
        parts.append(f"MACD is {snapshot.macd_signal.lower()}")
    if not parts:
        return "Technical indicators are not available for this stock."
    return f"Technically, {', '.join(parts)}."


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
