"""What is kept beside the stocks table: rarely changing facts, origins and statements."""

from datetime import date
from typing import Any, cast

from sqlalchemy import DDL, CheckConstraint, ForeignKey, String, Table, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from klyx.database.models.base import (
    Base,
    CreatedAt,
    IntegerKey,
    Moment,
    PriceRupees,
    TotalRupees,
    UpdatedAt,
)
from klyx.database.types import ORDERED_JSON


class StockMetadata(Base):
    """Company facts and balance-sheet totals (rupees) of a stock. A trigger maintains `updated_at`."""

    __tablename__ = "stock_metadata"

    id: Mapped[IntegerKey]
    stock_id: Mapped[int] = mapped_column(ForeignKey("stocks.id", ondelete="CASCADE"), unique=True)
    company_description: Mapped[str | None] = mapped_column(Text)
    website: Mapped[str | None] = mapped_column(String(255))
    listing_date: Mapped[date | None]
    week_52_high: Mapped[PriceRupees]
    week_52_low: Mapped[PriceRupees]
    year_1_high: Mapped[PriceRupees]
    year_1_low: Mapped[PriceRupees]
    total_assets: Mapped[TotalRupees]
    current_assets: Mapped[TotalRupees]
    total_debt: Mapped[TotalRupees]
    current_liabilities: Mapped[TotalRupees]
    stockholders_equity: Mapped[TotalRupees]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class StockFieldProvenance(Base):
    """Which source gave a stock's field its present value, when, and from which kind of statement if from any."""

    __tablename__ = "stock_field_provenance"
    __table_args__ = (
        CheckConstraint("statement_kind IN ('standalone', 'consolidated')", name="statement_kind"),
    )

    stock_id: Mapped[int] = mapped_column(ForeignKey("stocks.id", ondelete="CASCADE"), primary_key=True)
    field: Mapped[str] = mapped_column(String(63), primary_key=True)
    source: Mapped[str] = mapped_column(String(50))
    obtained_at: Mapped[Moment]
    statement_kind: Mapped[str | None] = mapped_column(String(20))


class FundamentalsCache(Base):
    """The last statement tables of a symbol; `payload` keeps the order of its keys, which clients rely on."""

    __tablename__ = "fundamentals_cache"
    __table_args__ = (CheckConstraint("type IN ('standalone', 'consolidated')", name="type"),)

    symbol: Mapped[str] = mapped_column(String(50), primary_key=True)
    type: Mapped[str] = mapped_column(String(20), primary_key=True)
    payload: Mapped[dict[str, Any]] = mapped_column(ORDERED_JSON)
    fetched_at: Mapped[Moment]


_POSTGRESQL_FUNCTION = """CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$$"""
_POSTGRESQL_TRIGGER = """CREATE TRIGGER stock_metadata_updated_at BEFORE UPDATE ON stock_metadata
FOR EACH ROW EXECUTE FUNCTION set_updated_at()"""
# Six digits of fraction: three would be read back as microseconds.
_SQLITE_TRIGGER = """CREATE TRIGGER stock_metadata_updated_at AFTER UPDATE ON stock_metadata
BEGIN
    UPDATE stock_metadata SET updated_at = strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now') WHERE id = NEW.id;
END"""
for _dialect, _statement in (
    ("postgresql", _POSTGRESQL_FUNCTION),
    ("postgresql", _POSTGRESQL_TRIGGER),
    ("sqlite", _SQLITE_TRIGGER),
):
    _definition = DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
    event.listen(cast("Table", StockMetadata.__table__), "after_create", _definition)
