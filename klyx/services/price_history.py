"""Daily prices of stocks: what is kept, what is fetched when, and what people read.

Only sessions that are not known yet are fetched, with a few that are. When those differ from what is kept,
the company split its shares or gave bonus shares, every earlier price has another scale now, and the whole
history is fetched again.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from klyx.database.models import PriceBar, Stock
from klyx.database.upsert import upsert
from klyx.errors import NotFound
from klyx.services.analysis.text import normalise_nse_code
from klyx.services.technicals.changes import months_before
from klyx.sources.base import DailyBar, Deadline, HistorySource

logger = logging.getLogger(__name__)

OVERLAP_SESSIONS = 5
# Sources round prices; the smallest bonus issues and rights move all earlier prices by more than this.
SAME_PRICE = 0.005
HIGHEST_PRICE = 10.0**9
HIGHEST_VOLUME = 10**15
PERIODS: Mapping[str, int | None] = {"1m": 1, "3m": 3, "6m": 6, "1y": 12, "3y": 36, "max": None}
"""Months by the name of a period; None is everything."""


@dataclass(frozen=True, slots=True)
class FetchedBars:
    """What a source gave. `replaces` tells that it is the whole history, in place of what is kept."""

    bars: tuple[DailyBar, ...]
    replaces: bool


@dataclass(frozen=True, slots=True)
class StockName:
    """What a history is of."""

    id: int
    stock_name: str
    nse_code: str


def newest_bars(session: Session, stock_ids: Collection[int]) -> dict[int, tuple[DailyBar, ...]]:
    """The newest OVERLAP_SESSIONS bars of each of these stocks, oldest first; stocks without any are left out."""
    place = func.row_number().over(partition_by=PriceBar.stock_id, order_by=PriceBar.day.desc()).label("place")
    ranked = select(*PriceBar.__table__.columns, place).where(PriceBar.stock_id.in_(stock_ids)).subquery()
    columns = (ranked.c[name] for name in ("stock_id", "day", "open", "high", "low", "close", "volume"))
    rows = session.execute(select(*columns).where(ranked.c.place <= OVERLAP_SESSIONS).order_by(ranked.c.day))
    return _by_stock(rows)


def read_bars(
    session: Session, stock_ids: Collection[int], since: date | None = None
) -> dict[int, tuple[DailyBar, ...]]:
    """All bars of these stocks from a day on, oldest first; stocks without any are left out."""
    columns = (getattr(PriceBar, name) for name in ("stock_id", "day", "open", "high", "low", "close", "volume"))
    statement = select(*columns).where(PriceBar.stock_id.in_(stock_ids)).order_by(PriceBar.stock_id, PriceBar.day)
    if since is not None:
        statement = statement.where(PriceBar.day >= since)
    return _by_stock(session.execute(statement))


def fetch_bars(
    source: HistorySource, symbol: str, kept: Sequence[DailyBar], first_day: date, deadline: Deadline
) -> FetchedBars:
    """The sessions that are missing after `kept` (the newest bars we have), or everything since `first_day`.

    Raises what the source raises. The last kept bar is not compared: its close may have been corrected since.
    """
    if kept:
        bars = _sound(symbol, source.history(symbol, kept[0].day, deadline))
        if _agree(kept[:-1], bars):
            return FetchedBars(bars, replaces=False)
        logger.info("Price history has another scale now", extra={"symbol": symbol, "source": source.name})
    return FetchedBars(_sound(symbol, source.history(symbol, first_day, deadline)), replaces=True)


def store_bars(session: Session, fetched: Mapping[int, FetchedBars]) -> int:
    """Keep what was fetched, by stock id; returns how many bars. A history is never replaced by an empty one."""
    replaced = [stock_id for stock_id, found in fetched.items() if found.replaces and found.bars]
    if replaced:
        session.execute(delete(PriceBar).where(PriceBar.stock_id.in_(replaced)))
    rows = [
        {
            "stock_id": stock_id,
            "day": bar.day,
            "open": bar.open,
            "high": bar.high,
            "low": bar.low,
            "close": bar.close,
            "volume": bar.volume,
        }
        for stock_id, found in fetched.items()
        for bar in found.bars
    ]
    upsert(session, PriceBar, rows)
    return len(rows)


def find_stock_name(session: Session, symbol: str) -> StockName:
    """The stock with this symbol, in any letter case, with or without `.NS` or `.BO`. Raises NotFound."""
    code = normalise_nse_code(symbol)
    statement = select(Stock.id, Stock.stock_name, Stock.nse_code).where(Stock.nse_code == code)
    found = session.execute(statement).first() if code else None
    if found is None:
        raise NotFound("There is no stock with this symbol. Please check it or search for the company's name.")
    return StockName(found.id, found.stock_name, str(found.nse_code))


def first_day_of(period: str, last_day: date) -> date | None:
    """Where a period of PERIODS that ends with `last_day` begins; None is with the first bar."""
    months = PERIODS[period]
    return None if months is None else months_before(last_day, months)


def read_period(session: Session, stock_id: int, period: str, warm_up_days: int = 0) -> tuple[DailyBar, ...]:
    """The bars of a period of PERIODS up to the last one kept, and of `warm_up_days` calendar days before it."""
    last_day = session.scalar(select(func.max(PriceBar.day)).where(PriceBar.stock_id == stock_id))
    if last_day is None:
        return ()
    first_day = first_day_of(period, last_day)
    since = None if first_day is None else first_day - timedelta(days=warm_up_days)
    return read_bars(session, [stock_id], since)[stock_id]


def _by_stock(rows: Iterable[Any]) -> dict[int, tuple[DailyBar, ...]]:
    found: dict[int, list[DailyBar]] = {}
    for stock_id, *values in rows:
        found.setdefault(stock_id, []).append(DailyBar(*values))
    return {stock_id: tuple(bars) for stock_id, bars in found.items()}


def _agree(kept: Sequence[DailyBar], fetched: Sequence[DailyBar]) -> bool:
    """Whether the bars of days that both have show the same closes; no common day shows nothing, so: no."""
    closes = {bar.day: bar.close for bar in fetched}
    common = [(bar.close, closes[bar.day]) for bar in kept if bar.day in closes]
    return bool(common) and all(math.isclose(old, new, rel_tol=SAME_PRICE, abs_tol=0.01) for old, new in common)


def _sound(symbol: str, bars: Sequence[DailyBar]) -> tuple[DailyBar, ...]:
    """The bars that can be true, one a day in order of the days. What cannot be is told once, not kept."""
    sound = {bar.day: bar for bar in bars if _can_be(bar)}
    if refused := sum(not _can_be(bar) for bar in bars):
        logger.warning("Impossible prices were left out", extra={"symbol": symbol, "bars": refused})
    return tuple(sound[day] for day in sorted(sound))


def _can_be(bar: DailyBar) -> bool:
    prices = (bar.open, bar.high, bar.low, bar.close)
    return (
        all(math.isfinite(price) and 0 < price < HIGHEST_PRICE for price in prices)
        and bar.low <= bar.high
        and 0 <= bar.volume <= HIGHEST_VOLUME
    )
