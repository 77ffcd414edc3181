"""Where uploads and results of one person (or one anonymous browser) live."""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from klyx.database.models.base import Base, CreatedAt, IntegerKey, Moment, OptionalMoment, UuidKey
from klyx.database.types import JSON_DOCUMENT


class UploadState(StrEnum):
    """What became of an uploaded file."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Workspace(Base):
    """A person's files and results; `user_id` is null for an anonymous browser."""

    __tablename__ = "workspaces"
    __table_args__ = (Index(None, "expires_at"),)

    id: Mapped[UuidKey]
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[CreatedAt]
    expires_at: Mapped[OptionalMoment]


class WorkspaceSession(Base):
    """A cookie that opens a workspace; only its SHA-256 (hexadecimal) is kept."""

    __tablename__ = "workspace_sessions"
    __table_args__ = (Index(None, "workspace_id"), Index(None, "expires_at"))

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment]


class Upload(Base):
    """One uploaded file, accepted (and stored under `stored_name`) or refused (with the reason).

    `holdings` is a list of objects with the keys stock_name, nse_code and symbol.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        CheckConstraint("state IN ('accepted', 'refused')", name="state"),
        CheckConstraint("state = 'refused' OR stored_name IS NOT NULL", name="accepted_is_stored"),
        CheckConstraint("state = 'accepted' OR refusal_reason IS NOT NULL", name="refused_has_reason"),
        CheckConstraint("size_bytes >= 0", name="size_bytes_not_negative"),
        Index(None, "workspace_id", "created_at"),
    )

    id: Mapped[UuidKey]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    original_name: Mapped[str] = mapped_column(String(255))
    stored_name: Mapped[str | None] = mapped_column(String(255), unique=True)
    extension: Mapped[str] = mapped_column(String(10))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(20))
    refusal_reason: Mapped[str | None] = mapped_column(Text)
    row_count: Mapped[int | None]
    column_count: Mapped[int | None]
    holdings: Mapped[list[dict[str, str | None]] | None] = mapped_column(JSON_DOCUMENT)
    is_sample: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    created_at: Mapped[CreatedAt]


class SymbolCorrection(Base):
    """What a person wants read instead of an unknown symbol or name, in this workspace only."""

    __tablename__ = "symbol_corrections"
    __table_args__ = (UniqueConstraint("workspace_id", "original"),)

    id: Mapped[IntegerKey]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    original: Mapped[str] = mapped_column(String(255))
    replacement: Mapped[str] = mapped_column(String(255))
