from __future__ import annotations

from datetime import UTC, datetime

import pytest

from klyx.schedules import parse_schedule


@pytest.mark.parametrize(
    ("text", "now", "latest"),
    [
        ("Mon-Fri 13:00", "2026-11-24T13:00", "2026-11-24T13:00"),
        ("Mon-Fri 13:00", "2026-11-24T12:59", "2026-11-23T13:00"),
        ("mon-fri  13:00", "2026-11-29T20:00", "2026-11-27T13:00"),
        ("Sat 14:00", "2026-11-28T13:59", "2026-11-21T14:00"),
        ("Sat,Sun 04:30", "2026-11-29T04:30", "2026-11-29T04:30"),
        ("daily 02:00", "2026-11-24T01:00", "2026-11-23T02:00"),
    ],
)
def test_the_last_moment_is_found(text: str, now: str, latest: str) -> None:
    found = parse_schedule(text).latest(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(latest).replace(tzinfo=UTC)


def test_a_schedule_can_follow_another_or_be_off() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert parse_schedule("after refresh").after == "refresh"
    assert parse_schedule("OFF").latest(now) is None
    assert parse_schedule("after refresh").latest(now) is None


@pytest.mark.parametrize("text", ["", "13:00", "Mon-Fri 25:00", "Fri-Mon 10:00", "Someday 10:00", "after"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must look like|no day of the week"):
        parse_schedule(text)
