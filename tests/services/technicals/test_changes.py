from __future__ import annotations

from dataclasses import astuple
from datetime import date

import pytest

from klyx.services.technicals.changes import Changes, changes_of, months_before
from klyx.sources.base import DailyBar
from tests.services.technicals.bars import weekdays_until

LAST = date(2026, 11, 20)


def history(closes: dict[date, float]) -> list[DailyBar]:
    return [DailyBar(day, close, close, close, close, 1) for day, close in sorted(closes.items())]


def test_each_change_counts_from_the_same_day_of_the_earlier_period() -> None:
    bars = history(
        {
            date(2023, 11, 20): 40.0,
            date(2025, 11, 20): 80.0,
            date(2026, 8, 20): 100.0,
            date(2026, 10, 20): 125.0,
            date(2026, 11, 13): 160.0,
            LAST: 200.0,
        }
    )

    assert astuple(changes_of(bars)) == pytest.approx((25.0, 60.0, 100.0, 150.0, 400.0))


def test_a_day_without_a_session_is_that_before() -> None:
    bars = history({date(2025, 11, 18): 50.0, date(2025, 11, 21): 70.0, LAST: 100.0})

    assert changes_of(bars).year == pytest.approx(100.0)


def test_a_history_that_begins_just_after_the_day_counts_from_its_beginning() -> None:
    assert changes_of(history({date(2025, 11, 25): 50.0, LAST: 100.0})).year == pytest.approx(100.0)
    assert changes_of(history({date(2025, 12, 25): 50.0, LAST: 100.0})).year is None


def test_a_new_listing_has_no_changes() -> None:
    assert changes_of(history({LAST: 100.0})) == Changes(None, None, None, None, None)
    assert changes_of([]) == Changes(None, None, None, None, None)


def test_three_years_of_weekdays_know_every_change() -> None:
    bars = history(dict.fromkeys(weekdays_until(LAST, 1100 * 5 // 7), 100.0))

    assert changes_of(bars) == Changes(0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 2, 29), 12, date(2023, 2, 28)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
        (date(2026, 12, 1), 36, date(2023, 12, 1)),
    ],
)
def test_a_month_that_is_shorter_ends_earlier(day: date, months: int, expected: date) -> None:
    assert months_before(day, months) == expected
