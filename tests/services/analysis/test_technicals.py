import pytest

from klyx.services.analysis.table import Row
from klyx.services.analysis.technicals import (
    TechnicalSnapshot,
    describe,
    macd_signal,
    rsi_state,
    technical_snapshot,
    trend,
    volume_against_week,
)

ADANI_ENTERPRISES: Row = {
    "Current Price": 2263.5,
    "Day SMA50": 2351.45,
    "Day SMA200": 2355.62,
    "Day RSI": 46.64,
    "Day MACD": -29.76,
    "Day MACD Signal Line": -34.85,
    "Day MFI": 64.99,
    "Day Volume": 599195.0,
    "Week Volume Avg": 658732.0,
}


def test_snapshot_of_a_spreadsheet_row() -> None:
    snapshot = technical_snapshot(ADANI_ENTERPRISES)
    assert snapshot.cells() == {
        "Tech_Trend": "Bearish",
        "Tech_RSI": 46.64,
        "Tech_RSI_State": "Neutral",
        "Tech_MACD": -29.76,
        "Tech_MACD_Signal": "Bullish",
        "Tech_MFI": 64.99,
        "Tech_Vol_Signal": "Normal",
        "Tech_Vol_Pct": -9.0,
    }
    assert snapshot.is_complete


def test_what_the_stock_table_states_comes_before_what_the_usual_indicators_say() -> None:
    stated: Row = {
        "Tech_Trend": "Bullish (Long Term)",
        "Tech_RSI": 71.25,
        "Tech_RSI_State": "Overbought",
        "Tech_MACD": 3.5,
        "Tech_MACD_Signal": "Bearish",
        "Tech_MFI": 40.0,
        "Tech_Vol_Signal": "High",
        "Tech_Vol_Pct": 80.0,
    }
    assert technical_snapshot({**ADANI_ENTERPRISES, **stated}).cells() == stated
    gaps: Row = dict.fromkeys(stated)
    assert technical_snapshot({**ADANI_ENTERPRISES, **gaps}) == technical_snapshot(ADANI_ENTERPRISES)


def test_unknown_numbers_are_absent_and_unknown_labels_null() -> None:
    snapshot = technical_snapshot({"Stock Name": "Infosys"})
    assert snapshot.cells() == {
        "Tech_Trend": "Unknown",
        "Tech_RSI_State": None,
        "Tech_MACD_Signal": None,
        "Tech_Vol_Signal": None,
        "Tech_Vol_Pct": None,
    }
    assert not snapshot.is_complete


def test_zero_is_a_value() -> None:
    cells = technical_snapshot({"Day RSI": 0, "Day MACD": 0, "Day MACD Signal Line": 0, "Day MFI": 0}).cells()
    assert (cells["Tech_RSI"], cells["Tech_MACD"], cells["Tech_MFI"]) == (0, 0, 0)
    assert cells["Tech_RSI_State"] == "Oversold"
    assert cells["Tech_MACD_Signal"] == "Bearish"
    assert cells["Tech_Trend"] == "Neutral"


def test_macd_without_its_signal_line_has_no_signal() -> None:
    cells = technical_snapshot({"Day MACD": 1.234567}).cells()
    assert cells["Tech_MACD"] == 1.23
    assert cells["Tech_MACD_Signal"] is None


@pytest.mark.parametrize(
    ("price", "sma_50", "sma_200", "expected"),
    [
        (101.0, 100.0, None, "Bullish"),
        (101.0, 100.0, 102.0, "Bullish"),
        (101.0, 100.0, 90.0, "Bullish (Long Term)"),
        (99.0, 100.0, 90.0, "Bearish (Long Term)"),
        (99.0, 100.0, 110.0, "Bearish"),
        (100.0, 100.0, 100.0, "Bearish"),
        (100.0, None, 90.0, "Neutral"),
        (None, 100.0, 90.0, "Unknown"),
    ],
)
def test_trend(price: float | None, sma_50: float | None, sma_200: float | None, expected: str) -> None:
    assert trend(price, sma_50, sma_200) == expected


@pytest.mark.parametrize(
    ("rsi", "state"),
    [(70.01, "Overbought"), (70, "Neutral"), (50, "Neutral"), (30, "Neutral"), (29.99, "Oversold")],
)
def test_rsi_state(rsi: float, state: str) -> None:
    assert rsi_state(rsi) == state


@pytest.mark.parametrize(("macd", "line", "signal"), [(1, 0, "Bullish"), (0, 0, "Bearish"), (-2, -1, "Bearish")])
def test_macd_signal(macd: float, line: float, signal: str) -> None:
    assert macd_signal(macd, line) == signal


@pytest.mark.parametrize(
    ("day", "week", "expected"),
    [
        (151.0, 100.0, ("High", 51.0)),
        (150.0, 100.0, ("Normal", 50.0)),
        (50.0, 100.0, ("Normal", -50.0)),
        (49.0, 100.0, ("Low", -51.0)),
        (0.0, 0.0, ("Normal", 0.0)),
        (None, 100.0, (None, None)),
        (100.0, None, (None, None)),
    ],
)
def test_volume_against_week(day: float | None, week: float | None, expected: tuple[str | None, float | None]) -> None:
    assert volume_against_week(day, week) == expected


def test_description() -> None:
    assert describe(technical_snapshot(ADANI_ENTERPRISES)) == (
        "Technically, the trend is bearish, RSI stands at 46.64 (neutral), MACD is bullish."
    )
    assert describe(TechnicalSnapshot()) == "Technical indicators are not available for this stock."
