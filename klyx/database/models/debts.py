"""Stored debt plans; the planning itself happens in the browser."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from klyx.database.models.base import Base, CreatedAt, IntegerKey, UpdatedAt
from klyx.database.types import Figure


class DebtScenario(Base):
    """One plan. `debts` is opaque JSON text, returned exactly as stored; `monthly_budget` is in rupees."""

    __tablename__ = "debt_scenarios"
    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        CheckConstraint("monthly_budget >= 0", name="monthly_budget_not_negative"),
        Index(
            "uq_debt_scenarios_current",
            "user_id",
            unique=True,
            postgresql_where=text("is_current"),
            sqlite_where=text("is_current"),
        ),
        Index(None, "user_id", "updated_at"),
    )

    id: Mapped[IntegerKey]
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    debts: Mapped[str] = mapped_column(Text)
    monthly_budget: Mapped[float] = mapped_column(Figure(15, 2))
    is_current: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
