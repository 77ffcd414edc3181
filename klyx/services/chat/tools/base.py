"""What a tool of the assistant is, and running several side by side."""

from __future__ import annotations

import contextvars
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Protocol

from klyx.errors import KlyxError
from klyx.runtime import Runtime
from klyx.services.chat.steps import Call, Cancellation, ToolEnded, ToolStarted
from klyx.services.chat.trace import Outcome
from klyx.sources.base import Deadline

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 8
LOOK_AGAIN_SECONDS = 0.25
FAILED = "This could not be looked up because of a problem on our side."
TOO_SLOW = "This took too long and was given up."
NOT_WANTED = "Nobody waits for this any more."
NO_OBJECT = "The arguments were not a JSON object; call the tool again with one."
TOO_MANY = "Too many tools were called at once; call it again by itself."

Arguments = Mapping[str, Any]
Result = dict[str, Any]


def updated_between(moments: Iterable[Any]) -> Result:
    """Of when figures of several stocks are: the oldest and the newest of these moments, None when none is known.

    `undated` is how many are not known.
    """
    told = [str(moment) if moment else "" for moment in moments]
    known = sorted(filter(None, told))
    oldest, newest = (known[0], known[-1]) if known else (None, None)
    return {"as_of": oldest, "newest_as_of": newest, "undated": told.count("")}


class LookUp(Protocol):
    def __call__(self, *, kind: str, unique_key: str, arguments: Mapping[str, Any]) -> None:
        """Has a worker ask outside; returns when it has ended well. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Who asks and what with. Tools read; none of them can change anything."""

    runtime: Runtime
    user_id: str
    look_up: LookUp


@dataclass(frozen=True, slots=True)
class Tool:
    """`parameters` is a JSON schema. `run` raises KlyxError with a sentence for what cannot be answered."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[[ToolContext, Arguments], Result]

    @property
    def definition(self) -> dict[str, Any]:
        function = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}


class ToolBox:
    """The tools of one answer (see klyx.services.chat.steps.ToolRunner)."""

    def __init__(self, tools: Sequence[Tool], context: ToolContext, tool_seconds: float) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._context = context
        self._tool_seconds = tool_seconds

    @property
    def definitions(self) -> Sequence[Mapping[str, Any]]:
        return [tool.definition for tool in self._tools.values()]

    def run(
        self, calls: Sequence[Call], cancelled: Cancellation, deadline: Deadline
    ) -> Iterator[ToolStarted | ToolEnded]:
        for call in calls:
            yield ToolStarted(call.call_id, call.name, call.arguments or {})
        until = Deadline(min(self._tool_seconds, deadline.remaining()))
        started = time.monotonic()
        executor = ThreadPoolExecutor(max(1, min(len(calls), MOST_AT_ONCE)), thread_name_prefix="chat-tool")
        try:
            running = {
                executor.submit(contextvars.copy_context().run, self._result, call): call
                for call in calls[:MOST_AT_ONCE]
            }
            yield from self._ended(running, started, cancelled, until)
        finally:
            # What is still running ends with its own bounded statements and waits.
            executor.shutdown(wait=False, cancel_futures=True)
        for call in calls[MOST_AT_ONCE:]:
            yield _ended(call, {"error": TOO_MANY}, 0.0)

    @staticmethod
    def _ended(
        running: dict[Future[Result], Call], started: float, cancelled: Cancellation, until: Deadline
    ) -> Iterator[ToolEnded]:
        while running and not until.expired and not cancelled.is_set():
            pause = min(LOOK_AGAIN_SECONDS, until.remaining())
            done, _ = wait(running, timeout=pause, return_when=FIRST_COMPLETED)
            for future in done:
                yield _ended(running.pop(future), future.result(), time.monotonic() - started)
        is_unwanted = cancelled.is_set()
        for call in running.values():
            result = {"error": NOT_WANTED if is_unwanted else TOO_SLOW}
            yield _ended(call, result, time.monotonic() - started, "cancelled" if is_unwanted else "timeout")

    def _result(self, call: Call) -> Result:
        tool = self._tools.get(call.name)
        if tool is None:
            return {"error": f"There is no tool {call.name[:60]!r}. There are: {', '.join(self._tools)}."}
        if call.arguments is None:
            return {"error": NO_OBJECT}
        try:
            return tool.run(self._context, call.arguments)
        except KlyxError as error:
            return {"error": error.message}
        except Exception as error:
            logger.exception("tool failed", extra={"tool": call.name, "error_type": type(error).__name__})
            return {"error": FAILED}


def _ended(call: Call, result: Result, seconds: float, outcome: Outcome | None = None) -> ToolEnded:
    found: Outcome = outcome or ("error" if "error" in result else "ok")
    return ToolEnded(call.call_id, call.name, call.arguments or {}, result, seconds, found)
