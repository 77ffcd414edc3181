"""Figures over all stocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from klyx.database.models import Stock

HIGH_QUALITY = 80


@dataclass(frozen=True, slots=True)
class SectorCount:
    sector_name: str
    stock_count: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """`avg_quality` is the mean of the scores above 0, to one decimal, or 0 when there are none."""

    total_stocks: int
    high_quality_stocks: int
    avg_quality: float
    last_updated: datetime | None


def sectors(session: Session) -> list[SectorCount]:
    """Sectors with their number of stocks, the largest first."""
    number = func.count()
    rows = session.execute(
        select(Stock.sector_name, number)
        .where(Stock.sector_name.is_not(None))
        .group_by(Stock.sector_name)
        .order_by(number.desc(), Stock.sector_name)
    )
    return [SectorCount(name, count) for name, count in rows if name is not None]


def statistics(session: Session) -> Statistics:
    score = Stock.data_quality_score
    total, high, average, last_updated = session.execute(
        select(
            func.count(),
            func.count().filter(score >= HIGH_QUALITY),
            func.avg(score).filter(score > 0),
            func.max(Stock.last_updated),
        )
    ).one()
    return Statistics(total, high, round(float(average or 0), 1), last_updated)
