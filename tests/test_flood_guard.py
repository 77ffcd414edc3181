from __future__ import annotations

import threading
import time

import pytest

from klyx.flood_guard import FloodGuard


def test_each_caller_has_the_limit() -> None:
    guard = FloodGuard("3 per hour")
    assert [guard.count("a") for _ in range(3)] == [None] * 3
    wait_seconds = guard.count("a")
    assert wait_seconds is not None
    assert 0 < wait_seconds <= 3600
    assert guard.count("b") is None


def test_every_limit_counts() -> None:
    guard = FloodGuard("100 per second; 5 per day")
    refused = [guard.count("a") is not None for _ in range(7)]
    assert refused == [False] * 5 + [True] * 2


def test_a_new_window_begins_empty() -> None:
    guard = FloodGuard("2 per second")
    while guard.count("a") is None:
        pass
    deadline = time.monotonic() + 5
    while guard.count("a") is not None:
        assert time.monotonic() < deadline


def test_threads_are_counted_exactly() -> None:
    guard = FloodGuard("1000 per day")
    passed: list[int] = []

    def call() -> None:
        passed.append(sum(guard.count("a") is None for _ in range(400)))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 1000


@pytest.mark.parametrize(
    ("environ", "passes"),
    [
        ({"REMOTE_ADDR": "192.0.2.1"}, True),
        ({"REMOTE_ADDR": "192.0.2.2"}, False),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_COOKIE": "known"}, True),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_COOKIE": "unknown"}, False),
    ],
)
def test_early_only_callers_that_are_known_and_need_not_wait(environ: dict[str, str], passes: bool) -> None:
    guard = FloodGuard("1 per day")
    guard.count("address:192.0.2.2")
    guard.remember_caller("known", "session:1")
    assert guard.lets_pass_early(environ) is passes


def test_turned_off_it_counts_nobody() -> None:
    guard = FloodGuard("1 per day", enabled=False)
    assert {guard.count("a") for _ in range(5)} == {None}
    assert guard.lets_pass_early({"HTTP_COOKIE": "unknown"})
