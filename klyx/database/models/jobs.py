"""Background work: the row here is the truth, the queue only carries its id."""

from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from klyx.database.models.base import Base, CreatedAt, IntegerKey, OptionalMoment, UuidKey
from klyx.database.types import JSON_DOCUMENT, ORDERED_JSON


class JobState(StrEnum):
    """Where a job is; the last two are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


_STATES = "('queued', 'running', 'succeeded', 'failed')"
_UNFINISHED = text("state IN ('queued', 'running')")


class Job(Base):
    """One piece of background work.

    At most one unfinished job of a kind exists in a workspace, and at most one with a `unique_key`.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(f"state IN {_STATES}", name="state"),
        CheckConstraint(
            "(state IN ('succeeded', 'failed')) = (finished_at IS NOT NULL)", name="finished_at_when_final"
        ),
        CheckConstraint("attempts >= 0 AND max_attempts >= 1", name="attempts"),
        CheckConstraint("progress_current >= 0 AND progress_total >= 0", name="progress"),
        Index(
            "uq_jobs_unfinished_of_kind",
            "workspace_id",
            "kind",
            unique=True,
            postgresql_where=_UNFINISHED,
            sqlite_where=_UNFINISHED,
        ),
        Index(
            "uq_jobs_unfinished_unique_key",
            "unique_key",
            unique=True,
            postgresql_where=_UNFINISHED,
            sqlite_where=_UNFINISHED,
        ),
        Index(None, "parent_id"),
        Index(
            "ix_jobs_unfinished",
            "lease_expires_at",
            postgresql_where=_UNFINISHED,
            sqlite_where=_UNFINISHED,
        ),
        Index(None, "workspace_id", "created_at"),
        Index(None, "user_id", "created_at"),
    )

    id: Mapped[UuidKey]
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(50))
    state: Mapped[str] = mapped_column(String(20), default=JobState.QUEUED.value, server_default="queued")
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON_DOCUMENT, default=dict)
    progress_current: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    progress_total: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    progress_message: Mapped[str] = mapped_column(Text, default="", server_default="")
    result: Mapped[dict[str, Any] | None] = mapped_column(ORDERED_JSON)
    error: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    max_attempts: Mapped[int] = mapped_column(Integer, default=3, server_default="3")
    lease_token: Mapped[str | None] = mapped_column(String(36))
    lease_expires_at: Mapped[OptionalMoment]
    enqueued_at: Mapped[OptionalMoment]
    created_at: Mapped[CreatedAt]
    started_at: Mapped[OptionalMoment]
    finished_at: Mapped[OptionalMoment]
    unique_key: Mapped[str | None] = mapped_column(String(150))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))


class JobEvent(Base):
    """One visible step of a job; `sequence` counts from 1 in each job."""

    __tablename__ = "job_events"
    __table_args__ = (CheckConstraint(f"state IN {_STATES}", name="state"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(20))
    progress_current: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    progress_total: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    message: Mapped[str] = mapped_column(Text, default="", server_default="")
    created_at: Mapped[CreatedAt]


class AnalysisRow(Base):
    """One row of a workspace's results, in order; `data` keeps the order of its display names."""

    __tablename__ = "analysis_rows"
    __table_args__ = (UniqueConstraint("workspace_id", "position"), Index(None, "job_id"))

    id: Mapped[IntegerKey]
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    position: Mapped[int]
    stock_name: Mapped[str] = mapped_column(String(255))
    nse_code: Mapped[str | None] = mapped_column(String(50))
    data: Mapped[dict[str, Any]] = mapped_column(ORDERED_JSON)
    quality: Mapped[dict[str, Any] | None] = mapped_column(ORDERED_JSON)
