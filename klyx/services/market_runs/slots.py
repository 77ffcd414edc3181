"""Which scheduled runs are due. What was started last is read from the database, so no restart forgets it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from klyx.config import Settings
from klyx.database.models import Stock
from klyx.database.types import utc_now
from klyx.schedules import Schedule, parse_schedule
from klyx.services.market_runs import runs

Schedules = Mapping[str, Schedule]


def schedules_of(settings: Settings) -> Schedules:
    """When each kind of run is due, in the order in which those due at the same time are started."""
    return {
        "populate": parse_schedule(settings.populate_schedule),
        "refresh": parse_schedule(settings.refresh_schedule),
        "technicals": parse_schedule(settings.technicals_schedule),
        "enrich": parse_schedule(settings.enrich_schedule),
        "fundamentals": parse_schedule(settings.fundamentals_schedule),
        "news": parse_schedule(settings.news_schedule),
        "cleaning": parse_schedule(settings.cleaning_schedule),
    }


def due(session: Session, schedules: Schedules, now: datetime | None = None) -> dict[str, str]:
    """Kind -> the moment for which it is due, as ISO text.

    Of several missed moments only the last counts. One before the first stock came into the database is not missed.
    """
    now = now or utc_now()
    began = session.scalar(select(func.min(Stock.created_at)))
    found = {kind: _due(session, kind, schedule, now, began) for kind, schedule in schedules.items()}
    return {kind: slot for kind, slot in found.items() if slot is not None}


def _due(session: Session, kind: str, schedule: Schedule, now: datetime, began: datetime | None) -> str | None:
    slot = slot_of(session, schedule, now)
    if slot is None or began is None or slot < began.isoformat():
        return None
    last = runs.last_slot(session, kind)
    return slot if last is None or last < slot else None


def slot_of(session: Session, schedule: Schedule, now: datetime) -> str | None:
    """The moment of the schedule that a run started now stands for, as ISO text in UTC."""
    if schedule.after is not None:
        return runs.last_slot(session, schedule.after, ended_well=True)
    moment = schedule.latest(now)
    return None if moment is None else moment.isoformat()
