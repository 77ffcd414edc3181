"""What the answers of a day take, and the caps on it, for a user and for all. A day is one of UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from klyx.database.models import ChatUsage
from klyx.database.types import utc_now
from klyx.database.upsert import insert_if_absent
from klyx.errors import TooMany

USED_UP = "You have used up today's answers. Please come back tomorrow."
USED_UP_BY_ALL = "Today's answers for all users together are used up. Please come back tomorrow."


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyCaps:
    """A user's, and one on the money of all users together, which may be 0 for none."""

    answers: int
    tokens: int
    cost_usd: float
    cost_usd_in_all: float


def check_caps(session: Session, user_id: str, caps: DailyCaps) -> None:
    """Raises TooMany, with the seconds until midnight, when the day is used up, by the user or by all."""
    now = utc_now()
    used = session.scalar(select(ChatUsage).where(ChatUsage.user_id == user_id, ChatUsage.day == now.date()))
    if used is not None:
        tokens = used.prompt_tokens + used.completion_tokens
        if used.answers >= caps.answers or tokens >= caps.tokens or used.cost_usd >= caps.cost_usd:
            raise TooMany(USED_UP, _seconds_to_midnight(now))
    if caps.cost_usd_in_all and session.scalars(cost_usd_in_all(now.date())).one() >= caps.cost_usd_in_all:
        raise TooMany(USED_UP_BY_ALL, _seconds_to_midnight(now))


def cost_usd_in_all(day: date) -> Select[float]:
    """What the day cost, all users together; 0 when nobody asked."""
    return select(func.coalesce(func.sum(ChatUsage.cost_usd), 0.0)).where(ChatUsage.day == day)


def note_usage(
    session: Session, user_id: str, *, answers: int, prompt_tokens: int, completion_tokens: int, cost_usd: float
) -> None:
    """Add to what the user's day took."""
    day = utc_now().date()
    insert_if_absent(session, ChatUsage, [{"user_id": user_id, "day": day}])
    session.execute(
        update(ChatUsage)
        .where(ChatUsage.user_id == user_id, ChatUsage.day == day)
        .values(
            answers=ChatUsage.answers + answers,
            prompt_tokens=ChatUsage.prompt_tokens + prompt_tokens,
            completion_tokens=ChatUsage.completion_tokens + completion_tokens,
            cost_usd=ChatUsage.cost_usd + cost_usd,
        )
        .execution_options(synchronize_session=False)
    )


def _seconds_to_midnight(now: datetime) -> int:
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    return max(1, round((midnight - now).total_seconds()))
