"""What a chart says of a period, on both engines."""

from __future__ import annotations

from datetime import date

import pytest

from klyx.database import Database
from klyx.services import price_history
from klyx.services.price_charts import read_chart
from klyx.services.price_history import FetchedBars, find_stock_name
from klyx.services.technicals.changes import changes_of
from klyx.sources.base import DailyBar
from tests.services.technicals.bars import random_bars
from tests.stock_rows import add_stock

LAST_DAY = date(2026, 11, 18)
# The month before begins on a Sunday with a holiday on either side.
HOLIDAYS = {date(2026, 10, 16), date(2026, 10, 19)}


def keep(database: Database, bars: list[DailyBar]) -> None:
    with database.begin() as session:
        stock_id = add_stock(session, "Infosys", "INFY")
        price_history.store_bars(session, {stock_id: FetchedBars(tuple(bars), replaces=True)})


@pytest.mark.parametrize(
    ("period", "name"), [("1m", "month"), ("3m", "quarter"), ("1y", "year"), ("3y", "three_years")]
)
def test_a_chart_says_the_same_change_as_the_page_of_the_stock(database: Database, period: str, name: str) -> None:
    bars = [bar for bar in random_bars(1000, last_day=LAST_DAY) if bar.day not in HOLIDAYS]
    keep(database, bars)

    with database.read() as session:
        chart = read_chart(session, find_stock_name(session, "INFY"), period)

    assert chart is not None
    change = getattr(changes_of(bars), name)
    assert f", {change:+.1f} % in " in chart.summary
    assert f", {change:+.1f} %." in chart.description


def test_the_first_day_shown_is_the_last_session_before_a_closed_one(database: Database) -> None:
    keep(database, [bar for bar in random_bars(100, last_day=LAST_DAY) if bar.day not in HOLIDAYS])

    with database.read() as session:
        chart = read_chart(session, find_stock_name(session, "INFY"), "1m")

    assert chart is not None
    assert chart.days[chart.hidden] == "2026-10-15"
    assert "15 Oct 2026 to 18 Nov 2026" in chart.title


def test_a_short_history_is_shown_whole(database: Database) -> None:
    keep(database, random_bars(5, last_day=LAST_DAY))

    with database.read() as session:
        chart = read_chart(session, find_stock_name(session, "INFY"), "1m")

    assert chart is not None
    assert chart.hidden == 0
