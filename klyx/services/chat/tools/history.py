"""Prices over time, thinned to what a chart can show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from klyx.errors import NotFound
from klyx.services.chat.tools.arguments import choice_argument, company_argument
from klyx.services.chat.tools.base import Arguments, Result, Tool, ToolContext
from klyx.services.price_history import read_bars
from klyx.services.technicals.changes import months_before
from klyx.sources.base import DailyBar

PERIODS = ("1mo", "3mo", "6mo", "1y", "2y", "5y", "ytd", "max")
_MONTHS = {"1mo": 1, "3mo": 3, "6mo": 6, "1y": 12, "2y": 24, "5y": 60}
MOST_POINTS = 100
THINNED_TO = 75
# Holidays at the beginning of a period.
LONGEST_BREAK = timedelta(days=10)


def get_stock_history(context: ToolContext, arguments: Arguments) -> Result:
    period = choice_argument(arguments, "period", PERIODS, "6mo")
    with context.runtime.database.read() as session:
        company = company_argument(session, arguments, "ticker", "symbol", "stock_name")
        bars = read_bars(session, [company.id]).get(company.id, ())
    if not bars:
        raise NotFound(f"There is no price history of {company.stock_name} yet.")
    begins = first_day(period, bars[-1].day)
    shown = thinned([bar for bar in bars if bar.day >= begins])
    is_short = period != "max" and bars[0].day - begins > LONGEST_BREAK
    return {
        "symbol": company.nse_code,
        "name": company.stock_name,
        "period": period,
        # Whoever tells of five years must know that there are three.
        **({"known_from": bars[0].day.isoformat()} if is_short else {}),
        "points": [{"time": bar.day.isoformat(), "value": round(bar.close, 2)} for bar in shown],
        "currency": "INR",
        "source": "Yahoo Finance",
        "as_of": bars[-1].day.isoformat(),
    }


def first_day(period: str, last: date) -> date:
    """Where a period that ends with `last` begins."""
    if period == "ytd":
        return date(last.year, 1, 1)
    months = _MONTHS.get(period)
    return date.min if months is None else months_before(last, months) + timedelta(days=1)


def thinned(bars: Sequence[DailyBar]) -> list[DailyBar]:
    """All bars up to MOST_POINTS, else THINNED_TO of them at even distances, the first and the last among them."""
    if len(bars) <= MOST_POINTS:
        return list(bars)
    step = (len(bars) - 1) / (THINNED_TO - 1)
    return [bars[round(place * step)] for place in range(THINNED_TO)]


TOOLS = (
    Tool(
        "get_stock_history",
        "Closing prices of a stock over a period, as points for a chart. Take a chart's points from here only.",
        {
            "type": "object",
            "properties": {
                "ticker": {"type": "string", "description": "NSE symbol such as TCS or TCS.NS, or a name"},
                "period": {"type": "string", "enum": list(PERIODS), "default": "6mo"},
            },
            "required": ["ticker"],
        },
        get_stock_history,
    ),
)
