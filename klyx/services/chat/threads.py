"""Chat threads: each belongs to one user, and for everybody else it does not exist (NotFound)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Select, Table, bindparam, case, insert, or_, select, update
from sqlalchemy.orm import Session

from klyx.database.models import ChatMessage, ChatThread
from klyx.database.models.base import new_uuid
from klyx.database.types import utc_now
from klyx.database.upsert import insert_if_absent
from klyx.errors import Conflict, Invalid, NotFound

DEFAULT_TITLE = "New Analysis"
MAX_TITLE_CHARACTERS = 255
MAX_THREADS = 500
TITLE_WORDS = 6
UNKNOWN_THREAD = "There is no such conversation. It may have been deleted; start a new one."
ANSWERING = "The answer to your last message is still being written. Please wait for it, then ask again."
# Of the tables, not of the objects, and made once: these are what every question and every answer costs.
_THREADS = cast("Table", ChatThread.__table__)
_SAYING = insert(cast("Table", ChatMessage.__table__))
_TAKING = (
    update(_THREADS)
    .where(
        _THREADS.c.id == bindparam("thread"),
        _THREADS.c.user_id == bindparam("user"),
        or_(_THREADS.c.busy_token.is_(None), _THREADS.c.busy_until.is_(None), _THREADS.c.busy_until < bindparam("at")),
    )
    .values(
        busy_token=bindparam("busy_token"),
        busy_until=bindparam("busy_until"),
        updated_at=bindparam("updated_at"),
        title=case((_THREADS.c.title == DEFAULT_TITLE, bindparam("new_title")), else_=_THREADS.c.title),
    )
    .returning(_THREADS.c.id)
)
_GIVING_BACK = (
    update(_THREADS)
    .where(_THREADS.c.id == bindparam("thread"), _THREADS.c.busy_token == bindparam("token"))
    .values(busy_token=None, busy_until=None, updated_at=bindparam("updated_at"))
    .returning(_THREADS.c.id)
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to answer in a thread; nobody else may until it is given back or `seconds` have passed."""

    thread_id: str
    token: str


def normalise_thread_id(thread_id: str) -> str | None:
    """The id in its stored form (lower case), or None when it is no UUID."""
    return thread_id.lower() if _UUID.fullmatch(thread_id) else None


def list_threads(session: Session, user_id: str) -> Sequence[ChatThread]:
    """The user's threads that are not archived, the last used first; MAX_THREADS at most."""
    own = select(ChatThread).where(ChatThread.user_id == user_id, ChatThread.is_archived.is_(False))
    return session.scalars(own.order_by(ChatThread.updated_at.desc(), ChatThread.id).limit(MAX_THREADS)).all()


def create(session: Session, user_id: str, title: str | None = None) -> ChatThread:
    """A new thread. Raises Invalid for a title that is too long."""
    thread = ChatThread(id=str(uuid.uuid4()), user_id=user_id, title=_checked(title) or DEFAULT_TITLE)
    session.add(thread)
    session.flush()
    return thread


def find(session: Session, user_id: str | None, thread_id: str) -> ChatThread:
    """The user's own thread. Raises NotFound."""
    thread = session.scalars(_own(user_id, thread_id)).one_or_none()
    if thread is None:
        raise NotFound(UNKNOWN_THREAD)
    return thread


def messages_of(session: Session, thread_id: str) -> Sequence[ChatMessage]:
    """What was said in a thread, oldest first."""
    said = select(ChatMessage).where(ChatMessage.thread_id == thread_id, ChatMessage.role.in_(("user", "assistant")))
    return session.scalars(said.order_by(ChatMessage.sequence)).all()


def change(session: Session, user_id: str, thread_id: str, values: Mapping[str, Any]) -> ChatThread:
    """Set `title` and `is_archived`, where given. Raises NotFound, and Invalid for an unusable title."""
    thread = find(session, user_id, thread_id)
    if values.get("title") is not None:
        title = _checked(values["title"])
        if not title:
            raise Invalid("A conversation needs a title. Please type one.")
        thread.title = title
    if values.get("is_archived") is not None:
        thread.is_archived = bool(values["is_archived"])
    session.flush()
    return thread


def remove(session: Session, user_id: str, thread_id: str) -> None:
    """Delete the thread with its messages. Raises NotFound."""
    session.delete(find(session, user_id, thread_id))


def take_turn(session: Session, user_id: str, thread_id: str, question: str, seconds: float) -> Turn:
    """Make sure of the thread, note the user's question in it, and take the right to answer for `seconds`.

    A thread that does not exist is made for this user; it gets its title from its first question. Raises
    NotFound when the id is somebody else's, and Conflict while another answer is being written.
    """
    now, title = utc_now(), title_from(question)
    turn = Turn(thread_id, str(uuid.uuid4()))
    busy = {"busy_token": turn.token, "busy_until": now + timedelta(seconds=seconds), "updated_at": now}
    owned = {"thread": thread_id, "user": user_id, "at": now, "new_title": title}
    if session.execute(_TAKING, owned | busy).first() is None:
        row = {"id": thread_id, "user_id": user_id, "title": title, "created_at": now, **busy}
        if not insert_if_absent(session, ChatThread, [row]):
            find(session, user_id, thread_id)
            raise Conflict(ANSWERING)
    _say(session, thread_id, "user", question)
    return turn


def end_turn(session: Session, turn: Turn, answer: str) -> str | None:
    """Keep the answer, unless it is empty, and let others answer. Returns the message's id.

    None when the turn was lost, the thread was deleted meanwhile, or there is nothing to keep.
    """
    held = {"thread": turn.thread_id, "token": turn.token, "updated_at": utc_now()}
    if session.execute(_GIVING_BACK, held).first() is None or not answer:
        return None
    return _say(session, turn.thread_id, "assistant", answer)


def exists(session: Session, thread_id: str) -> bool:
    return session.scalar(select(ChatThread.id).where(ChatThread.id == thread_id)) is not None


def title_from(question: str) -> str:
    """The first six words of a question, with `...` when there are more."""
    words = question.replace("<", " ").replace(">", " ").split()
    title = " ".join(words[:TITLE_WORDS])
    cut = len(words) > TITLE_WORDS or len(title) > MAX_TITLE_CHARACTERS - 3
    return (f"{title[: MAX_TITLE_CHARACTERS - 3]}..." if cut else title) or DEFAULT_TITLE


def _say(session: Session, thread_id: str, role: str, content: str) -> str:
    """Add a message; returns its id."""
    message_id = new_uuid()
    session.execute(_SAYING, {"id": message_id, "thread_id": thread_id, "role": role, "content": content})
    return message_id


def _own(user_id: str | None, thread_id: str) -> Select[ChatThread]:
    stored_id = normalise_thread_id(thread_id) or ""
    return select(ChatThread).where(ChatThread.id == stored_id, ChatThread.user_id == user_id)


def _checked(title: str | None) -> str:
    tidy = " ".join((title or "").replace("<", " ").replace(">", " ").split())
    if len(tidy) > MAX_TITLE_CHARACTERS:
        raise Invalid(f"A title has at most {MAX_TITLE_CHARACTERS} characters. Please shorten it.")
    return tidy
