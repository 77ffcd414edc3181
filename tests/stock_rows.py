"""Stocks for tests, written to the database as they are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from klyx.database.models import Stock, StockMetadata

METADATA_COLUMNS = frozenset(StockMetadata.__table__.columns.keys()) - {"id", "stock_id", "created_at", "updated_at"}


def add_stock(session: Session, stock_name: str, nse_code: str | None, **columns: Any) -> int:
    """A stock of good quality unless `columns` says otherwise; returns its id. Columns of both tables are accepted."""
    facts = {name: columns.pop(name) for name in METADATA_COLUMNS & columns.keys()}
    values = {"stock_name": stock_name, "nse_code": nse_code, "data_quality_score": 90, **columns}
    # Not an object of the session: that would take None for "not given" and put a default in its place.
    stock_id = session.scalars(insert(Stock).values(values).returning(Stock.id)).one()
    if facts:
        session.add(StockMetadata(stock_id=stock_id, **facts))
    return stock_id
