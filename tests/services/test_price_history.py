from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from klyx.database import Database
from klyx.errors import NotFound
from klyx.services import price_history
from klyx.services.price_history import FetchedBars, fetch_bars
from klyx.sources.base import DailyBar, Deadline, SourceUnavailable
from tests.services.technicals.bars import LAST_DAY, bars_of_closes, random_bars
from tests.stock_rows import add_stock

SECONDS = 5.0
FIRST_DAY = LAST_DAY - timedelta(days=1100)


class Exchange:
    """A source of prices that its owner may change, and that remembers from when on it was asked."""

    name = "Exchange"
    slug = "exchange"

    def __init__(self, bars: Sequence[DailyBar]) -> None:
        self.bars = list(bars)
        self.asked: list[date] = []
        self.is_down = False

    def history(self, symbol: str, since: date, deadline: Deadline) -> Sequence[DailyBar]:
        self.asked.append(since)
        if self.is_down:
            raise SourceUnavailable("The exchange could not be reached")
        return [bar for bar in self.bars if bar.day >= since]

    def split(self, times: int) -> None:
        self.bars = [
            DailyBar(
                bar.day, bar.open / times, bar.high / times, bar.low / times, bar.close / times, bar.volume * times
            )
            for bar in self.bars
        ]


@pytest.fixture
def stock_id(database: Database) -> int:
    with database.begin() as session:
        return add_stock(session, "Reliance Industries", "RELIANCE")


def kept(database: Database, stock_id: int) -> tuple[DailyBar, ...]:
    with database.read() as session:
        return price_history.read_bars(session, [stock_id]).get(stock_id, ())


def update(database: Database, exchange: Exchange, stock_id: int) -> FetchedBars:
    with database.read() as session:
        newest = price_history.newest_bars(session, [stock_id]).get(stock_id, ())
    fetched = fetch_bars(exchange, "RELIANCE", newest, FIRST_DAY, Deadline(SECONDS))
    with database.begin() as session:
        price_history.store_bars(session, {stock_id: fetched})
    return fetched


def test_the_first_time_everything_is_fetched_and_then_only_what_is_new(database: Database, stock_id: int) -> None:
    bars = random_bars(300)
    exchange = Exchange(bars[:-3])
    update(database, exchange, stock_id)
    assert kept(database, stock_id) == tuple(bars[:-3])

    exchange.bars = list(bars)
    fetched = update(database, exchange, stock_id)

    assert exchange.asked == [FIRST_DAY, bars[-8].day]
    assert (len(fetched.bars), fetched.replaces) == (8, False)
    assert kept(database, stock_id) == tuple(bars)


@pytest.mark.parametrize("times", [2, 5])
def test_after_a_split_or_a_bonus_the_whole_history_is_fetched_again(
    database: Database, stock_id: int, times: int
) -> None:
    exchange = Exchange(random_bars(300))
    update(database, exchange, stock_id)
    exchange.split(times)

    fetched = update(database, exchange, stock_id)

    assert fetched.replaces
    assert exchange.asked[-1] == FIRST_DAY
    closes = [bar.close for bar in kept(database, stock_id)]
    assert closes == pytest.approx([bar.close for bar in exchange.bars], abs=1e-4)


def test_a_small_bonus_is_noticed_and_a_session_under_way_is_not_taken_for_one(
    database: Database, stock_id: int
) -> None:
    bars = random_bars(100)
    exchange = Exchange([*bars[:-1], replace(bars[-1], close=bars[-1].close * 0.9, low=bars[-1].low * 0.9)])
    update(database, exchange, stock_id)
    exchange.bars = list(bars)
    assert not update(database, exchange, stock_id).replaces
    assert kept(database, stock_id)[-1] == bars[-1]

    exchange.bars = [replace(bar, close=bar.close * 20 / 21) for bar in bars]
    assert update(database, exchange, stock_id).replaces


def test_a_stock_that_was_not_traded_for_long_is_fetched_anew(database: Database, stock_id: int) -> None:
    exchange = Exchange(random_bars(50, last_day=date(2025, 1, 10)))
    update(database, exchange, stock_id)
    exchange.bars = random_bars(50)

    assert update(database, exchange, stock_id).replaces
    assert kept(database, stock_id) == tuple(exchange.bars)


def test_what_was_kept_stays_when_the_source_has_nothing_or_fails_half_way(database: Database, stock_id: int) -> None:
    exchange = Exchange(random_bars(50))
    update(database, exchange, stock_id)
    before = kept(database, stock_id)

    exchange.bars = []
    update(database, exchange, stock_id)
    exchange.is_down = True
    with pytest.raises(SourceUnavailable):
        update(database, exchange, stock_id)

    assert kept(database, stock_id) == before


def test_impossible_prices_are_left_out(database: Database, stock_id: int) -> None:
    good = random_bars(5)
    wrong = [
        replace(good[0], day=date(2026, 1, 1), close=math.nan),
        replace(good[0], day=date(2026, 1, 2), open=0.0),
        replace(good[0], day=date(2026, 1, 5), low=-3.0),
        replace(good[0], day=date(2026, 1, 6), high=1e12),
        replace(good[0], day=date(2026, 1, 7), volume=-1),
        replace(good[0], day=date(2026, 1, 8), low=good[0].high + 1),
    ]
    update(database, Exchange([*wrong, *reversed(good), good[2]]), stock_id)

    assert kept(database, stock_id) == tuple(good)


def test_a_period_ends_with_the_last_session_and_may_have_sessions_before_it(database: Database, stock_id: int) -> None:
    bars = bars_of_closes([float(number) for number in range(1, 401)])
    update(database, Exchange(bars), stock_id)

    def days(period: str, warm_up_days: int = 0) -> list[date]:
        with database.read() as session:
            return [bar.day for bar in price_history.read_period(session, stock_id, period, warm_up_days)]

    assert days("1m")[0] == date(2026, 10, 20)
    assert days("1m", 10)[0] == date(2026, 10, 12)
    assert days("1y")[0] == date(2025, 11, 20)
    assert days("3y") == days("max") == [bar.day for bar in bars]
    with database.read() as session:
        assert price_history.read_period(session, stock_id + 1, "max") == ()


def test_newest_bars_of_many_stocks_come_in_order(database: Database, stock_id: int) -> None:
    bars = random_bars(40)
    with database.begin() as session:
        other = add_stock(session, "Infosys", "INFY")
        without = add_stock(session, "New Listing", "NEW")
        price_history.store_bars(
            session, {stock_id: FetchedBars(tuple(bars), True), other: FetchedBars(tuple(bars[:3]), True)}
        )
    with database.read() as session:
        newest = price_history.newest_bars(session, [stock_id, other, without])

    assert newest == {stock_id: tuple(bars[-5:]), other: tuple(bars[:3])}


@pytest.mark.parametrize("symbol", ["RELIANCE", "reliance.ns", " Reliance "])
def test_a_stock_is_found_by_its_symbol(database: Database, stock_id: int, symbol: str) -> None:
    with database.read() as session:
        assert price_history.find_stock_name(session, symbol).id == stock_id


@pytest.mark.parametrize("symbol", ["UNKNOWN", "", "undefined", "a b", "<script>"])
def test_an_unknown_symbol_is_not_found(database: Database, stock_id: int, symbol: str) -> None:
    with database.read() as session, pytest.raises(NotFound):
        price_history.find_stock_name(session, symbol)
