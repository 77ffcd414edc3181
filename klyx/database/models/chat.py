"""Conversations with the assistant."""

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Identity, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from klyx.database.models.base import Base, CreatedAt, UpdatedAt, UuidKey, new_uuid
from klyx.database.types import BIG_IDENTITY


class ChatThread(Base):
    """One conversation; its id may come from the client (a UUID)."""

    __tablename__ = "chat_threads"
    __table_args__ = (Index(None, "user_id", "updated_at"),)

    id: Mapped[UuidKey]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(255), default="New Analysis", server_default="New Analysis")
    is_archived: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


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
