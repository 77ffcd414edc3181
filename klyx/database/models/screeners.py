"""Filters that users keep."""

from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from klyx.database.models.base import Base, CreatedAt, IntegerKey, UpdatedAt
from klyx.database.types import JSON_DOCUMENT


class UserScreener(Base):
    """A named list of screener filters."""

    __tablename__ = "user_screeners"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[IntegerKey]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    filters: Mapped[list[dict[str, Any]]] = mapped_column(JSON_DOCUMENT)
    is_public: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
