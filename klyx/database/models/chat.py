"""Conversations with the assistant."""

from datetime import date
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Identity, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from klyx.database.models.base import Base, CreatedAt, IntegerKey, OptionalMoment, UpdatedAt, UuidKey, new_uuid
from klyx.database.types import BIG_IDENTITY, JSON_DOCUMENT, Figure


class ChatThread(Base):
    """One conversation; its id may come from the client (a UUID).

    While an answer is being made, `busy_token` names who makes it, until `busy_until` at the latest.
    """

    __tablename__ = "chat_threads"
    __table_args__ = (Index(None, "user_id", "updated_at"),)

    id: Mapped[UuidKey]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(255), default="New Analysis", server_default="New Analysis")
    is_archived: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    busy_token: Mapped[str | None] = mapped_column(String(36))
    busy_until: Mapped[OptionalMoment]


class ChatMessage(Base):
    """One message. `sequence` grows with every insert, because timestamps tie; `id` is the public name."""

    __tablename__ = "chat_messages"
    __table_args__ = (
        CheckConstraint("role IN ('user', 'assistant', 'system', 'tool')", name="role"),
        Index(None, "thread_id", "sequence"),
    )

    sequence: Mapped[int] = mapped_column(BIG_IDENTITY, Identity(), primary_key=True)
    id: Mapped[str] = mapped_column(String(36), unique=True, default=new_uuid)
    thread_id: Mapped[str] = mapped_column(ForeignKey("chat_threads.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(20))
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedAt]


class ChatToolCall(Base):
    """What the assistant asked for while it made a message: kept for the thread's owner to see."""

    __tablename__ = "chat_tool_calls"
    __table_args__ = (
        CheckConstraint("outcome IN ('ok', 'error', 'timeout', 'cancelled')", name="outcome"),
        Index(None, "thread_id", "id"),
    )

    id: Mapped[IntegerKey]
    thread_id: Mapped[str] = mapped_column(ForeignKey("chat_threads.id", ondelete="CASCADE"))
    message_id: Mapped[str | None] = mapped_column(String(36))
    name: Mapped[str] = mapped_column(String(100))
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON_DOCUMENT)
    duration_ms: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[CreatedAt]


class ChatUsage(Base):
    """What a user's answers of one day (UTC) took; the caps are counted by it."""

    __tablename__ = "chat_usage"
    __table_args__ = (Index(None, "day"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    answers: Mapped[int] = mapped_column(default=0, server_default="0")
    prompt_tokens: Mapped[int] = mapped_column(default=0, server_default="0")
    completion_tokens: Mapped[int] = mapped_column(default=0, server_default="0")
    cost_usd: Mapped[float] = mapped_column(Figure(12, 6), default=0, server_default="0")
