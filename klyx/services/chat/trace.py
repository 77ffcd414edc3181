"""What the assistant looked up for each answer, kept for the owner of the thread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from klyx.database.models import ChatToolCall
from klyx.services.chat.safety import storable

MAX_SHOWN = 500
_LONGEST_TEXT = 500
_LONGEST_NAME = 100
_MOST_ENTRIES = 50
_DEEPEST = 5
_LEFT_OUT = "..."

Outcome = Literal["ok", "error", "timeout", "cancelled"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call: `arguments` as the tool got them, `seconds` it took."""

    name: str
    arguments: Mapping[str, Any]
    seconds: float
    outcome: Outcome


def record(session: Session, thread_id: str, message_id: str | None, calls: Sequence[ToolCall]) -> None:
    """Keep the calls of one answer, as much of their arguments as can be stored and read."""
    session.add_all(
        ChatToolCall(
            thread_id=thread_id,
            message_id=message_id,
            name=storable(call.name)[:_LONGEST_NAME],
            arguments=_kept(call.arguments),
            duration_ms=round(call.seconds * 1000),
            outcome=call.outcome,
        )
        for call in calls
    )
    session.flush()


def calls_of(session: Session, thread_id: str) -> Sequence[ChatToolCall]:
    """The last calls of a thread, oldest first."""
    newest = select(ChatToolCall).where(ChatToolCall.thread_id == thread_id).order_by(ChatToolCall.id.desc())
    return list(reversed(session.scalars(newest.limit(MAX_SHOWN)).all()))


def _kept(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return storable(value)[:_LONGEST_TEXT]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if not isinstance(value, Mapping | list):
        return value
    if depth == _DEEPEST:
        return _LEFT_OUT
    if isinstance(value, Mapping):
        entries = list(value.items())[:_MOST_ENTRIES]
        return {storable(str(name))[:_LONGEST_NAME]: _kept(entry, depth + 1) for name, entry in entries}
    return [_kept(entry, depth + 1) for entry in value[:_MOST_ENTRIES]]
