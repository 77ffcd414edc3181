"""The definitions of the `Tech_*` columns against the same definitions in another library's words."""

from __future__ import annotations

import pandas as pd
import pytest

from klyx.services.technicals.definitions import definitions_of
from klyx.sources.base import DailyBar
from tests.services.technicals.bars import bars_of_closes, random_bars

TIGHT = 1e-9


@pytest.mark.parametrize("count", [250, 1250])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_values_are_those_of_the_definitions(count: int, seed: int) -> None:
    bars = random_bars(count, seed)
    frame = pd.DataFrame([(bar.high, bar.low, bar.close, bar.volume) for bar in bars], columns=["h", "l", "c", "v"])
    close = frame["c"]
    change = close.diff()
    gain, loss = change.clip(lower=0).rolling(14).mean(), (-change.clip(upper=0)).rolling(14).mean()
    macd = close.ewm(span=12, adjust=False).mean() - close.ewm(span=26, adjust=False).mean()
    before = close.shift()
    ranges = pd.concat([frame["h"] - frame["l"], (frame["h"] - before).abs(), (frame["l"] - before).abs()], axis=1)
    typical = (frame["h"] + frame["l"] + close) / 3
    flow = typical * frame["v"]
    inflow = flow.where(typical > typical.shift(), 0.0).rolling(14).sum()
    outflow = flow.where(typical < typical.shift(), 0.0).rolling(14).sum()
    middle, deviation = close.rolling(20).mean(), close.rolling(20).std()

    found = definitions_of(bars)

    def last(series: pd.Series[float]) -> object:
        return pytest.approx(series.iloc[-1], rel=1e-8)

    assert found.sma_50 == last(close.rolling(50).mean())
    assert found.sma_200 == last(close.rolling(200).mean())
    assert found.rsi == last(100 - 100 / (1 + gain / loss))
    assert found.macd == last(macd)
    assert found.macd_signal_line == last(macd.ewm(span=9, adjust=False).mean())
    assert found.mfi == last(100 - 100 / (1 + inflow / outflow))
    assert found.atr == last(ranges.max(axis=1).rolling(14).mean())
    assert found.bollinger_upper == last(middle + 2 * deviation)
    assert found.bollinger_lower == last(middle - 2 * deviation)
    assert found.bollinger_width_percent == last(4 * deviation / middle * 100)
    assert found.day_volume == frame["v"].iloc[-1]
    assert found.week_volume == last(frame["v"].rolling(5).mean())


def test_a_price_that_only_rose_has_an_rsi_of_100_and_a_flat_one_of_50() -> None:
    assert definitions_of(bars_of_closes([float(day) for day in range(100, 130)])).rsi == 100
    assert definitions_of(bars_of_closes([100.0] * 30)).rsi == 50
    assert definitions_of(bars_of_closes([float(day) for day in range(130, 100, -1)])).rsi == 0


def test_money_that_flowed_neither_way_is_an_mfi_of_50() -> None:
    assert definitions_of(bars_of_closes([100.0] * 30)).mfi == 50
    assert definitions_of(bars_of_closes([float(day) for day in range(100, 130)], volume=0)).mfi == 50


def test_labels_of_a_rising_price() -> None:
    bars = bars_of_closes([float(day) for day in range(100, 350)])
    bars[-1] = DailyBar(bars[-1].day, 349, 349, 349, 349, 10_000)

    labels = definitions_of(bars).snapshot()

    assert (labels.trend, labels.rsi, labels.rsi_state) == ("Bullish (Long Term)", 100, "Overbought")
    assert labels.macd is not None
    assert labels.macd_signal == "Bullish"
    assert (labels.volume_signal, labels.volume_percent) == ("High", 257.1)


def test_without_an_average_the_trend_is_unknown() -> None:
    assert definitions_of(random_bars(49)).snapshot().trend == "Unknown"
    assert definitions_of(random_bars(50)).snapshot().trend in ("Bullish", "Bearish")


def test_a_new_listing_has_labels_for_nothing() -> None:
    labels = definitions_of(random_bars(3)).snapshot()

    assert (labels.rsi, labels.macd, labels.mfi, labels.volume_signal) == (None, None, None, None)
    assert definitions_of([]).result()["current_price"] is None


def test_the_whole_interpretation_is_rounded() -> None:
    found = definitions_of(random_bars(250)).result()

    assert list(found) == [
        "current_price",
        "trend",
        "rsi",
        "macd",
        "mfi",
        "volume_analysis",
        "bollinger",
        "support_resistance",
        "volatility_atr",
    ]
    assert found["bollinger"]["upper"] == round(found["bollinger"]["upper"], 2)
