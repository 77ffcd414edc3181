"""One answer from the question to the last event: made in a thread of its own, made safe, kept, and streamed.

The thread owns the answer: whatever happens to the reader, it keeps what was written and gives the turn back.
"""

from __future__ import annotations

import contextvars
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from klyx.database import Database
from klyx.errors import KlyxError
from klyx.services.chat import threads, trace, usage
from klyx.services.chat.blocks import allowed_block
from klyx.services.chat.known_numbers import KnownNumbers
from klyx.services.chat.safety import OPENING, PIECE_BYTES, SafeText, fitting, neutralise, pieces, sent_bytes
from klyx.services.chat.steps import (
    AnswerFailed,
    Assistant,
    Cancellation,
    Content,
    Conversation,
    Step,
    ToolEnded,
    ToolRunner,
    ToolStarted,
    Usage,
)
from klyx.services.chat.threads import Turn
from klyx.services.chat.trace import ToolCall
from klyx.sources.base import Deadline

logger = logging.getLogger(__name__)

APOLOGY = "I am sorry, something went wrong while I was answering. Please ask again."
NOTHING_TO_SAY = "I have no answer to that. Please ask about a stock, a comparison or a screen."
TOO_SLOW = "I am sorry, this took too long. Please ask again, perhaps about fewer stocks."
NOT_KEPT = "The answer could not be saved. Please copy what you need and ask again."
OUTPUT_BYTES = 300
TOOL_NAME_BYTES = 100
# How soon somebody is noticed to have left while there is nothing to write.
LOOK_AGAIN_SECONDS = 0.5
# Ten pieces of text a second read as smoothly as fifty, and cost a fifth of the work.
BETWEEN_TEXTS_SECONDS = 0.1

# `data` of one event; None is a heartbeat.
Event = Mapping[str, Any] | None


@dataclass(slots=True)
class _Record:
    """What has come about so far."""

    text: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    message_id: str | None = None

    @property
    def answer(self) -> str:
        return "".join(self.text).strip()


class Answering:
    """Makes the answer of one turn. `start` it once; `events` gives what the reader is told, until the end."""

    def __init__(
        self,
        database: Database,
        assistant: Assistant,
        tools: ToolRunner,
        conversation: Conversation,
        turn: Turn,
        deadline: Deadline,
    ) -> None:
        self._database = database
        self._assistant = assistant
        self._tools = tools
        self._conversation = conversation
        self._turn = turn
        self._deadline = deadline
        self._events: queue.SimpleQueue[Event | _End] = queue.SimpleQueue()
        self._record = _Record()
        self._known = KnownNumbers()
        self._given_up: str | None = None
        self.cancellation = Cancellation()
        self.kept = threading.Event()
        for said in conversation.messages:
            if said.role == "assistant":
                self._known.learn(_blocks_of(said.content))

    def start(self) -> None:
        # In the context of the request, whose id the log lines carry.
        run = partial(contextvars.copy_context().run, self._run)
        threading.Thread(target=run, name=f"answer-{self._turn.thread_id[:8]}", daemon=True).start()

    def give_up(self, apology: str) -> None:
        """End the answer now, with an apology that the reader is told, and keep what there is."""
        self._given_up = apology
        self.cancellation.cancel()

    def events(self, heartbeat_seconds: float, reader_has_left: Callable[[], bool]) -> Generator[Event]:
        """Events as they come about, None every `heartbeat_seconds` without one.

        The answer is cancelled when the generator is closed, and soon after the reader has left.
        """
        silent_since = time.monotonic()
        following: Event | _End = None
        try:
            while following is not None or not reader_has_left():
                try:
                    event = following or self._events.get(timeout=LOOK_AGAIN_SECONDS)
                except queue.Empty:
                    if time.monotonic() - silent_since < heartbeat_seconds:
                        continue
                    event = None
                if isinstance(event, _End):
                    return
                following = None
                is_text = event is not None and "content" in event
                if event is not None and is_text:
                    event, following = self._joined(event)
                yield event
                silent_since = time.monotonic()
                if is_text and following is None:
                    # What is written meanwhile goes out together; an answer that ends waits for nothing.
                    self.kept.wait(BETWEEN_TEXTS_SECONDS)
        finally:
            self.cancellation.cancel()

    def _joined(self, event: Mapping[str, Any]) -> tuple[Mapping[str, Any], Event | _End]:
        """Text with the text that waits behind it, as far as one event may hold, and what follows if it was taken out.

        That is what came about since the reader's last event was sent.
        """
        following: Event | _End = None
        while True:
            try:
                following = self._events.get_nowait()
            except queue.Empty:
                return event, None
            if isinstance(following, _End) or following is None or "content" not in following:
                break
            text = event["content"] + following["content"]
            if sent_bytes(text) > PIECE_BYTES:
                break
            event, following = {"content": text}, None
        return event, following

    def _run(self) -> None:
        started = time.monotonic()
        outcome = "failed"
        try:
            outcome = self._make()
        finally:
            self._keep()
            self.kept.set()
            self._events.put(_End())
            about = {"outcome": outcome, "tools": len(self._record.calls)}
            logger.info("chat answer", extra={**about, "seconds": round(time.monotonic() - started, 2)})

    def _make(self) -> str:
        safe = SafeText(lambda block: allowed_block(block, self._known))
        failure: str | None = None
        try:
            if not self._is_followed_to_the_end(safe):
                if self._given_up is None:
                    return "cancelled"
                failure = self._given_up
        except AnswerFailed as error:
            failure = str(error)
        except Exception as error:
            if not self.cancellation.is_set():
                logger.exception("the assistant broke its promise", extra={"error_type": type(error).__name__})
            elif self._given_up is None:
                return "cancelled"
            failure = self._given_up or APOLOGY
        for piece in safe.end():
            self._say(piece)
        if failure is not None:
            self._say(f"\n\n{failure}" if self._record.answer else failure)
            self._events.put({"error": failure})
            return "failed"
        if not self._record.answer:
            self._say(NOTHING_TO_SAY)
        return "answered"

    def _is_followed_to_the_end(self, safe: SafeText) -> bool:
        """Takes the assistant's steps until the answer is not wanted any more. Raises AnswerFailed, also when late."""
        steps = self._assistant.answer(self._conversation, self._tools, self.cancellation, self._deadline)
        for step in steps:
            self._take(step, safe)
            if self.cancellation.is_set():
                self._wind_up(steps, safe)
                return False
            if self._deadline.expired:
                self._wind_up(steps, safe)
                raise AnswerFailed(TOO_SLOW)
        return not self.cancellation.is_set()

    def _wind_up(self, steps: Iterator[Step], safe: SafeText) -> None:
        """Has the assistant stop; the tools that were running are still told of, and what it took is counted."""
        self.cancellation.cancel()
        try:
            for step in steps:
                if isinstance(step, ToolEnded | Usage):
                    self._take(step, safe)
        except Exception as error:  # noqa: BLE001 - the answer has its end already
            logger.info("the assistant failed while it stopped", extra={"error_type": type(error).__name__})

    def _take(self, step: Step, safe: SafeText) -> None:
        if isinstance(step, Content):
            for piece in safe.feed(step.text):
                self._say(piece)
        elif isinstance(step, ToolStarted):
            self._events.put({"tool": _shown_name(step.name), "status": "starting"})
        elif isinstance(step, ToolEnded):
            # An error repeats what the model asked for.
            if "error" not in step.result:
                self._known.learn(step.result)
            self._record.calls.append(ToolCall(step.name, step.arguments, step.seconds, step.outcome))
            written = json.dumps(step.result, ensure_ascii=True, default=str)[:OUTPUT_BYTES]
            output = fitting(neutralise(written), OUTPUT_BYTES)
            self._events.put({"tool": _shown_name(step.name), "status": "completed", "output": output})
        else:
            self._record.prompt_tokens += step.prompt_tokens
            self._record.completion_tokens += step.completion_tokens
            self._record.cost_usd += step.cost_usd

    def _say(self, text: str) -> None:
        if text:
            self._record.text.append(text)
            for piece in pieces(text):
                self._events.put({"content": piece})

    def _keep(self) -> None:
        """Before the end is told: a client loads the conversation as soon as it has the last event.

        One write each, so that none of them is lost with another, and the turn with none of them.
        """
        if not self._is_written("answer", self._keep_answer):
            self._record.message_id = None
            self._events.put({"content": f"\n\n{NOT_KEPT}"})
            self._events.put({"error": NOT_KEPT})
            self._is_written("end of the turn", lambda session: threads.end_turn(session, self._turn, ""))
        self._is_written("usage", self._note_usage)
        if self._record.calls:
            self._is_written("trace", self._keep_trace)

    def _is_written(self, what: str, write: Callable[[Session], object]) -> bool:
        try:
            with self._database.begin() as session:
                write(session)
        except KlyxError as error:
            logger.warning("not kept", extra={"what": what, "error_type": type(error).__name__})
        except Exception as error:  # noqa: BLE001 - whatever it is, the other writes and the end still follow
            # Not the error itself: it repeats what somebody said.
            logger.error("not kept", extra={"what": what, "error_type": type(error).__name__})  # noqa: TRY400
        else:
            return True
        return False

    def _keep_answer(self, session: Session) -> None:
        self._record.message_id = threads.end_turn(session, self._turn, self._record.answer)

    def _keep_trace(self, session: Session) -> None:
        if threads.exists(session, self._turn.thread_id):
            trace.record(session, self._turn.thread_id, self._record.message_id, self._record.calls)

    def _note_usage(self, session: Session) -> None:
        usage.note_usage(
            session,
            self._conversation.user_id,
            answers=1,
            prompt_tokens=self._record.prompt_tokens,
            completion_tokens=self._record.completion_tokens,
            cost_usd=self._record.cost_usd,
        )


def _shown_name(name: str) -> str:
    """Of a tool, as a model called it."""
    return fitting(neutralise(name), TOOL_NAME_BYTES)


class _End:
    """The last thing in the queue."""


def _blocks_of(text: str) -> Sequence[Any]:
    """The UI blocks of an earlier answer; their numbers were checked then."""
    blocks = []
    for part in f"\n{text}".split(f"\n{OPENING}")[1:]:
        try:
            blocks.append(json.loads(part.partition(":::")[0]))
        except (ValueError, RecursionError):
            continue
    return blocks
