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
    """Figures for the home page, of all stocks."""
    score = Stock.data_quality_score
    # The last moment is the last entry of its index; beside the scores it would cost a look at every row.
    last_updated = select(func.max(Stock.last_updated)).scalar_subquery()
    total, high, average, moment = session.execute(
        select(
            func.count(),
            func.count().filter(score >= HIGH_QUALITY),
            func.avg(score).filter(score > 0),
            last_updated,
        ).select_from(Stock)
    ).one()
    return Statistics(total, high, round(float(average or 0), 1), moment)
