"""Screens that users keep, and what they matched when they were run."""

from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from klyx.database.models.base import Base, CreatedAt, IntegerKey, Moment, UpdatedAt
from klyx.database.types import JSON_DOCUMENT, ORDERED_JSON


class UserScreener(Base):
    """A screen by name. `filters` is its whole definition: conditions, how they combine, and the order."""

    __tablename__ = "user_screeners"
    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        Index(
            "ix_user_screeners_public",
            "updated_at",
            postgresql_where=text("is_public"),
            sqlite_where=text("is_public"),
        ),
    )

    id: Mapped[IntegerKey]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    filters: Mapped[dict[str, Any]] = mapped_column(JSON_DOCUMENT)
    is_public: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class ScreenRun(Base):
    """The stocks a screen matched at `ran_at`, and still at `last_ran_at`.

    `filters_digest` tells which conditions were asked for. `nse_codes` goes with `stock_ids`, item by
    item: it names a stock that is deleted later.
    """

    __tablename__ = "screen_runs"
    __table_args__ = (Index(None, "screener_id", "ran_at"),)

    id: Mapped[IntegerKey]
    screener_id: Mapped[int] = mapped_column(ForeignKey("user_screeners.id", ondelete="CASCADE"))
    filters_digest: Mapped[str] = mapped_column(String(64))
    stock_ids: Mapped[list[int]] = mapped_column(ORDERED_JSON)
    nse_codes: Mapped[list[str | None]] = mapped_column(ORDERED_JSON)
    ran_at: Mapped[Moment]
    last_ran_at: Mapped[Moment]
