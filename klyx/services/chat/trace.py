"""What the assistant looked up for each answer, kept for the owner of the thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from klyx.database.models import ChatToolCall

MAX_SHOWN = 500
_LONGEST_TEXT = 500

Outcome = Literal["ok", "error", "timeout"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call: `arguments` as the tool got them, `seconds` it took."""

    name: str
    arguments: Mapping[str, Any]
    seconds: float
    outcome: Outcome


def record(session: Session, thread_id: str, message_id: str | None, calls: Sequence[ToolCall]) -> None:
    """Keep the calls of one answer, long texts cut."""
    session.add_all(
        ChatToolCall(
            thread_id=thread_id,
            message_id=message_id,
            name=call.name[:100],
            arguments={str(name)[:100]: _shortened(value) for name, value in call.arguments.items()},
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


def _shortened(value: Any) -> Any:
    return value[:_LONGEST_TEXT] if isinstance(value, str) else value
