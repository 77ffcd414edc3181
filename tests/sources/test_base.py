"""Deadlines."""

from __future__ import annotations

from klyx.sources.base import Deadline


def test_a_deadline_ahead_has_time_left() -> None:
    deadline = Deadline(60)
    assert 0 < deadline.remaining() <= 60
    assert not deadline.expired


def test_a_deadline_in_the_past_has_expired_and_nothing_left() -> None:
    deadline = Deadline(-1)
    assert deadline.expired
    assert deadline.remaining() == 0.0
