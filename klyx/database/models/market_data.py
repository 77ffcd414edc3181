"""Market data over time: daily prices, and the runs that fetch figures."""

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from klyx.database.models.base import Base, CreatedAt, IntegerKey, OptionalMoment
from klyx.database.types import JSON_DOCUMENT, Figure

_RUNNING = text("status = 'running'")


class PriceBar(Base):
    """One session of a stock: rupees adjusted for splits and bonus shares, and the shares traded."""

    __tablename__ = "price_history"

    stock_id: Mapped[int] = mapped_column(ForeignKey("stocks.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    open: Mapped[float] = mapped_column(Figure(15, 4))
    high: Mapped[float] = mapped_column(Figure(15, 4))
    low: Mapped[float] = mapped_column(Figure(15, 4))
    close: Mapped[float] = mapped_column(Figure(15, 4))
    volume: Mapped[int] = mapped_column(BigInteger)


class DataRefreshLog(Base):
    """One run of a maintenance job; at most one of a type runs. `details` is what the run tells in the end."""

    __tablename__ = "data_refresh_log"
    __table_args__ = (
        CheckConstraint("status IN ('running', 'success', 'partial', 'failed')", name="status"),
        Index(None, "started_at"),
        Index(None, "job_id"),
        Index(
            "uq_data_refresh_log_running",
            "refresh_type",
            unique=True,
            postgresql_where=_RUNNING,
            sqlite_where=_RUNNING,
        ),
    )

    id: Mapped[IntegerKey]
    refresh_type: Mapped[str] = mapped_column(String(50))
    stocks_updated: Mapped[int | None]
    stocks_failed: Mapped[int | None]
    duration_seconds: Mapped[int | None]
    status: Mapped[str | None] = mapped_column(String(50))
    error_message: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[CreatedAt]
    completed_at: Mapped[OptionalMoment]
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    stocks_total: Mapped[int | None]
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON_DOCUMENT)


class ItemState(StrEnum):
    """Where one stock of a run is; the last two are final."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class RefreshItem(Base):
    """One stock of a run. `attempts` rises before the sources are asked; `outcomes` is one word per source."""

    __tablename__ = "refresh_items"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'done', 'failed')", name="state"),
        Index(None, "run_id", "batch", "state"),
        Index(None, "stock_id"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("data_refresh_log.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    batch: Mapped[int]
    stock_id: Mapped[int] = mapped_column(ForeignKey("stocks.id", ondelete="CASCADE"))
    nse_code: Mapped[str] = mapped_column(String(50))
    state: Mapped[str] = mapped_column(String(20), default=ItemState.WAITING.value, server_default="waiting")
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    error: Mapped[str | None] = mapped_column(Text)
    outcomes: Mapped[dict[str, str] | None] = mapped_column(JSON_DOCUMENT)
