"""How tools that run side by side end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from klyx.services.chat.steps import Call, Cancellation, ToolEnded, ToolStarted
from klyx.services.chat.tools.base import Arguments, Result, Tool, ToolBox, ToolContext
from klyx.sources.base import Deadline

CALLS = [Call("1", "slow", {}), Call("2", "quick", {})]


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def box(release: threading.Event, tool_seconds: float) -> ToolBox:
    def slow(_context: ToolContext, _arguments: Arguments) -> Result:
        release.wait(30)
        return {}

    tools = [Tool("slow", "", {}, slow), Tool("quick", "", {}, lambda _context, _arguments: {"answer": 1})]
    return ToolBox(tools, cast("Any", None), tool_seconds)


def test_a_tool_that_nobody_waits_for_any_more_is_cancelled_and_not_too_slow(release: threading.Event) -> None:
    cancellation, outcomes = Cancellation(), {}
    for step in box(release, 20).run(CALLS, cancellation, Deadline(20)):
        if isinstance(step, ToolStarted):
            continue
        outcomes[step.name] = step.outcome
        cancellation.cancel()
    assert outcomes == {"quick": "ok", "slow": "cancelled"}


def test_a_tool_that_takes_too_long_is_given_up(release: threading.Event) -> None:
    steps = list(box(release, 0.2).run(CALLS, Cancellation(), Deadline(20)))
    assert {step.name: step.outcome for step in steps if isinstance(step, ToolEnded)} == {
        "quick": "ok",
        "slow": "timeout",
    }
