"""Tools that read stored prices."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from klyx.services.chat.tools import TOOLS
from klyx.services.chat.tools.base import ToolContext
from klyx.services.price_history import FetchedBars, store_bars
from klyx.sources.base import DailyBar
from tests.api import Api
from tests.stock_rows import add_stock

LAST = date(2026, 11, 27)
CLOSES = [100.0 + number % 7 for number in range(400)]


@pytest.fixture
def context(api: Api) -> ToolContext:
    with api.runtime.database.begin() as session:
        stock_id = add_stock(session, "Nowhere Ltd.", "NOWHERE", tech_trend="Bullish", tech_volume_pct=12.345)
        store_bars(session, {stock_id: FetchedBars(tuple(bars_of(CLOSES)), replaces=True)})
    return ToolContext(api.runtime, "nobody", lambda **_: None)


def bars_of(closes: Sequence[float]) -> list[DailyBar]:
    first = LAST - timedelta(days=len(closes) - 1)
    return [
        DailyBar(first + timedelta(days=place), close, close + 1, close - 1, close, 1000)
        for place, close in enumerate(closes)
    ]


def result_of(context: ToolContext, name: str, **arguments: Any) -> dict[str, Any]:
    (tool,) = [tool for tool in TOOLS if tool.name == name]
    return tool.run(context, arguments)


def test_the_technical_structure_has_the_bollinger_bands(context: ToolContext) -> None:
    result = result_of(context, "get_technical_analysis", ticker="NOWHERE")
    middle, reach = statistics.mean(CLOSES[-20:]), 2 * statistics.stdev(CLOSES[-20:])
    assert result["bollinger"] == {
        "upper": round(middle + reach, 2),
        "lower": round(middle - reach, 2),
        "width_pct": round(2 * reach / middle * 100, 2),
    }
    assert result["volume_analysis"]["pct_vs_avg"] == 12.3


def test_a_history_shorter_than_the_period_says_from_when_it_is_known(context: ToolContext) -> None:
    first = (LAST - timedelta(days=len(CLOSES) - 1)).isoformat()
    assert result_of(context, "get_stock_history", ticker="NOWHERE", period="5y")["known_from"] == first
    for period in ("1y", "max"):
        assert "known_from" not in result_of(context, "get_stock_history", ticker="NOWHERE", period=period)
