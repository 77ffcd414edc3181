"""What a user holds, and the last analysis of it."""

from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from klyx.database.models.base import Base, CreatedAt, IntegerKey
from klyx.database.types import JSON_DOCUMENT


class PortfolioEntry(Base):
    """One holding. `stock_name` is kept byte for byte as it was received: clients compare it."""

    __tablename__ = "user_portfolio"
    __table_args__ = (UniqueConstraint("user_id", "stock_name"),)

    id: Mapped[IntegerKey]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    stock_name: Mapped[str] = mapped_column(String(255))
    added_at: Mapped[CreatedAt]


class UserAnalysis(Base):
    """The last analysis of one of a user's stocks."""

    __tablename__ = "user_analysis"
    __table_args__ = (UniqueConstraint("user_id", "stock_name"),)

    id: Mapped[IntegerKey]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    stock_name: Mapped[str] = mapped_column(String(255))
    nse_code: Mapped[str | None] = mapped_column(String(50))
    analysis_data: Mapped[dict[str, Any]] = mapped_column(JSON_DOCUMENT)
    created_at: Mapped[CreatedAt]
