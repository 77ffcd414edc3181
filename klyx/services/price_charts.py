"""What a chart of a stock's prices says, in figures and in words."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from sqlalchemy.orm import Session

from klyx.charts import ChartRequest, draw_chart
from klyx.services.analysis.text import clean_text
from klyx.services.price_history import StockName, first_day_of, read_period
from klyx.services.technicals.changes import last_until
from klyx.sources.base import DailyBar

# 200 sessions before the first one shown, so that the long average begins with it; holidays included.
WARM_UP = timedelta(days=310)
LONGEST_HEADING = 40
PERIOD_NAMES = {
    "1m": "1 month",
    "3m": "3 months",
    "6m": "6 months",
    "1y": "1 year",
    "3y": "3 years",
    "max": "the whole history",
}
# Shown when there is nothing to draw. The same size as a chart, so that a page does not jump when prices arrive.
_EMPTY = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<svg xmlns="http://www.w3.org/2000/svg" width="691.2" height="561.6" viewBox="0 0 345.6 280.8" role="img" '
    'aria-labelledby="title description" font-family="system-ui, sans-serif" font-size="9">'
    '<title id="title">{title}</title><desc id="description">{description}</desc>'
    '<path d="M0 0H345.6V280.8H0z" fill="#ffffff"/>'
    '<text x="10" y="19" font-size="11" font-weight="bold" fill="#1f2937">{heading}</text>'
    '<text x="172.8" y="136" text-anchor="middle" fill="#1f2937">There are no daily prices of this stock yet.</text>'
    '<text x="172.8" y="150" text-anchor="middle" fill="#6b7280">They are fetched every trading day.</text></svg>'
)


def read_chart(session: Session, stock: StockName, period: str) -> ChartRequest | None:
    """What to draw for a period of klyx.services.price_history.PERIODS, None when no prices are kept.

    A chart begins with the close that the changes of the stock's page count from.
    """
    bars = read_period(session, stock.id, period, WARM_UP.days)
    if not bars:
        return None
    first_day = first_day_of(period, bars[-1].day)
    hidden = 0 if first_day is None else max(0, last_until(bars, first_day))
    return _request(stock, period, bars, hidden)


def picture(chart: ChartRequest | None, stock: StockName, cache_folder: Path) -> bytes:
    """The SVG document; without prices one that says so. Raises ChartNotDrawn."""
    if chart is not None:
        return draw_chart(chart, cache_folder)
    heading = _heading(stock)
    words = {
        "heading": heading,
        "title": f"{heading}: no daily prices yet",
        "description": "There are no daily prices of this stock yet. They are fetched every trading day.",
    }
    return _EMPTY.format(**{name: escape(text) for name, text in words.items()}).encode()


def _request(stock: StockName, period: str, bars: Sequence[DailyBar], hidden: int) -> ChartRequest:
    shown = bars[hidden:]
    first, last = shown[0], shown[-1]
    change = (last.close / first.close - 1) * 100
    span = f"{_day(first.day)} to {_day(last.day)}"
    heading = _heading(stock)
    return ChartRequest(
        heading=heading,
        summary=f"{_rupees(last.close)} on {_day(last.day)}, {change:+.1f} % in {PERIOD_NAMES[period]}",
        title=f"{heading}: daily closing prices, {span}",
        description=_description(bars, shown, change, span),
        days=[bar.day.isoformat() for bar in bars],
        closes=[bar.close for bar in bars],
        volumes=[bar.volume for bar in bars],
        hidden=hidden,
    )


def _description(bars: Sequence[DailyBar], shown: Sequence[DailyBar], change: float, span: str) -> str:
    """What a person who sees the picture would take from it."""
    lowest = min(shown, key=lambda bar: bar.close)
    highest = max(shown, key=lambda bar: bar.close)
    last = shown[-1]
    sentences = [
        f"From {span} the price went from {_rupees(shown[0].close)} to {_rupees(last.close)}, {change:+.1f} %.",
        f"Its lowest close was {_rupees(lowest.close)} on {_day(lowest.day)}.",
        f"Its highest close was {_rupees(highest.close)} on {_day(highest.day)}.",
    ]
    for sessions in (50, 200):
        if len(bars) >= sessions:
            average = statistics.fmean(bar.close for bar in bars[-sessions:])
            place = "above" if last.close > average else "below" if last.close < average else "at"
            sentences.append(f"It is {place} its {sessions}-day average of {_rupees(average)}.")
    volume = statistics.fmean(bar.volume for bar in shown)
    sentences.append(f"On average {_grouped(f'{volume:.0f}')} shares changed hands a day.")
    return " ".join(sentences)


def _heading(stock: StockName) -> str:
    name = clean_text(stock.stock_name)
    if len(name) > LONGEST_HEADING:
        name = f"{name[: LONGEST_HEADING - 1].rstrip()}\u2026"
    return f"{name} ({stock.nse_code})"


def _rupees(value: float) -> str:
    whole, _, decimals = f"{value:.2f}".partition(".")
    return f"\u20b9{_grouped(whole)}.{decimals}"


def _grouped(digits: str) -> str:
    """1,30,000: the last three digits, and pairs before them."""
    head, tail = digits[:-3], digits[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
    return ",".join([*reversed(pairs), tail])


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
