"""What passes between a conversation and whoever answers it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from klyx.services.chat.trace import Outcome
from klyx.sources.base import Deadline

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Oldest first; the last message is the user's question."""

    user_id: str
    thread_id: str
    messages: Sequence[Said]

    @property
    def question(self) -> str:
        return self.messages[-1].content


@dataclass(frozen=True, slots=True)
class Content:
    """A piece of the answer, not empty; as written, before anything in it is made safe."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolStarted:
    call_id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """`result` is a JSON object; a failure is `{"error": sentence}`."""

    call_id: str
    name: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any]
    seconds: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that one question to a model took."""

    prompt_tokens: int
    completion_tokens: int
    cost_usd: float


Step: TypeAlias = Content | ToolStarted | ToolEnded | Usage


class Cancellation:
    """Whether the answer is still wanted; whoever waits for somebody registers how to be woken. Thread-safe."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], None]] = []

    def is_set(self) -> bool:
        return self._cancelled.is_set()

    def wait(self, seconds: float) -> bool:
        """Whether it was cancelled within `seconds`."""
        return self._cancelled.wait(seconds)

    def cancel(self) -> None:
        with self._lock:
            self._cancelled.set()
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """While the block runs, cancelling calls `wake`, from another thread; at once when it is cancelled already."""
        with self._lock:
            self._wakers.append(wake)
            late = self._cancelled.is_set()
        try:
            if late:
                wake()
            yield
        finally:
            with self._lock:
                self._wakers.remove(wake)


class AnswerFailed(Exception):
    """The answer could not be finished. The message is a sentence for people that says what to do next."""


class NothingTaken(AnswerFailed):
    """The model took no question up, so there is nothing to pay for."""


class Assistant(Protocol):
    def answer(
        self, conversation: Conversation, tools: ToolRunner, cancelled: Cancellation, deadline: Deadline
    ) -> Iterator[Step]:
        """The answer, step by step. Ends early once `cancelled` is set. Raises AnswerFailed.

        However it ends, what it took is told by then: see Usage.
        """


@dataclass(frozen=True, slots=True)
class Call:
    """A tool to run. `arguments` None: what came was no JSON object."""

    call_id: str
    name: str
    arguments: Mapping[str, Any] | None


class ToolRunner(Protocol):
    @property
    def definitions(self) -> Sequence[Mapping[str, Any]]:
        """The tools in the form that OpenAI-compatible models take."""

    def run(self, calls: Sequence[Call], cancelled: Cancellation, deadline: Deadline) -> Iterator[Step]:
        """Run the calls side by side: ToolStarted for each, then ToolEnded as they end. Never raises for a call."""
