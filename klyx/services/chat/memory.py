"""What of a conversation is told again: the newest whole turns that fit a budget of tokens."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from klyx.database.models import ChatMessage
from klyx.services.chat.steps import Said

# English text has about four characters to a token, and Indian scripts fewer: three overcounts a little.
CHARACTERS_PER_TOKEN = 3
_MOST_MESSAGES = 200
_NEWEST = (
    select(ChatMessage.role, ChatMessage.content)
    .where(ChatMessage.thread_id == bindparam("thread"), ChatMessage.role.in_(("user", "assistant")))
    .order_by(ChatMessage.sequence.desc())
    .limit(_MOST_MESSAGES)
)


def estimated_tokens(text: str) -> int:
    """A little more tokens than a text has."""
    return len(text) // CHARACTERS_PER_TOKEN + 4


def remember(session: Session, thread_id: str, budget_tokens: int) -> list[Said]:
    """The thread's newest whole turns within the budget, oldest first; the last question always.

    A turn is a question with the answers that follow it.
    """
    rows = reversed(session.execute(_NEWEST, {"thread": thread_id}).all())
    said = [Said("user" if role == "user" else "assistant", content) for role, content in rows]
    return trimmed(said, budget_tokens)


def trimmed(said: Sequence[Said], budget_tokens: int) -> list[Said]:
    turns: list[list[Said]] = []
    for message in said:
        if message.role == "user" or not turns:
            turns.append([])
        turns[-1].append(message)
    kept: list[list[Said]] = []
    left = budget_tokens
    for turn in reversed(turns):
        left -= sum(estimated_tokens(message.content) for message in turn)
        # An answer without its question would be told as the beginning.
        if kept and (left < 0 or turn[0].role != "user"):
            break
        kept.append(turn)
    return [message for turn in reversed(kept) for message in turn]
