"""Yahoo's charts as daily bars, and its screener's rows as quotes of the day. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from klyx.sources.base import DailyBar, DayQuote, SourceUnavailable, SourceUnreadable
from klyx.sources.yahoo_numbers import RUPEES, number, positive
from klyx.sources.yahoo_symbols import SUFFIX_OF_NSE

INDIA_SECONDS = 19_800
UNREADABLE = "Yahoo Finance sent a chart that cannot be read"


def bars_from(document: Any) -> list[DailyBar]:
    """The bars of a `chart` answer in rupees, oldest first, one a day; sessions without a price are left out.

    Raises SourceUnreadable for what is no chart, SourceUnavailable for one in another currency.
    """
    chart = document.get("chart") if isinstance(document, dict) else None
    results = chart.get("result") if isinstance(chart, dict) else None
    if not isinstance(results, list) or not results or not isinstance(results[0], dict):
        raise SourceUnreadable(UNREADABLE)
    result = results[0]
    meta = result.get("meta") or {}
    if not isinstance(meta, dict):
        raise SourceUnreadable(UNREADABLE)
    if meta.get("currency") not in (RUPEES, None):
        raise SourceUnavailable("Yahoo Finance sent a chart that is not in rupees")
    offset = number(meta.get("gmtoffset"))
    bars = {bar.day: bar for bar in _bars(result, INDIA_SECONDS if offset is None else int(offset))}
    return [bars[day] for day in sorted(bars)]


def _bars(result: Mapping[str, Any], offset_seconds: int) -> Iterator[DailyBar]:
    stamps = result.get("timestamp") or []
    quotes = (result.get("indicators") or {}).get("quote") or [{}]
    columns = [quotes[0].get(name) or [] for name in ("open", "high", "low", "close", "volume")]
    if not isinstance(stamps, list) or any(len(column) != len(stamps) for column in columns if column):
        raise SourceUnreadable(UNREADABLE)
    for place, stamp in enumerate(stamps):
        opening, high, low, close, volume = (column[place] if column else None for column in columns)
        prices = [positive(price) for price in (opening, high, low, close)]
        last = prices[3]
        if last is None or number(stamp) is None:
            continue
        opened, highest, lowest = (last if price is None else price for price in prices[:3])
        traded = number(volume)
        yield DailyBar(
            _day(stamp, offset_seconds),
            opened,
            max(highest, opened, last),
            min(lowest, opened, last),
            last,
            int(traded) if traded is not None and traded > 0 else 0,
        )


def _day(stamp: float, offset_seconds: int) -> date:
    return (datetime.fromtimestamp(stamp, UTC) + timedelta(seconds=offset_seconds)).date()


def day_quote(listed: Any) -> DayQuote | None:
    """A row of the screener; None when it is not a company of the NSE in rupees."""
    if not isinstance(listed, dict):
        return None
    ticker = str(listed.get("symbol") or "")
    if not ticker.endswith(SUFFIX_OF_NSE) or listed.get("currency") not in (RUPEES, None):
        return None
    volume = number(listed.get("regularMarketVolume"))
    return DayQuote(
        ticker.removesuffix(SUFFIX_OF_NSE),
        positive(listed.get("regularMarketPrice")),
        positive(listed.get("regularMarketPreviousClose")),
        positive(listed.get("fiftyTwoWeekHigh")),
        positive(listed.get("fiftyTwoWeekLow")),
        positive(listed.get("marketCap")),
        volume if volume is not None and volume >= 0 else None,
    )
