"""What the answers of a day take, and the caps on it, for a user and for all. A day is one of UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from klyx.database.models import ChatUsage
from klyx.database.types import utc_now
from klyx.database.upsert import add_up
from klyx.errors import TooMany

USED_UP = "You have used up today's answers. Please come back tomorrow."
USED_UP_BY_ALL = "Today's answers for all users together are used up. Please come back tomorrow."
# What a day cost, all users together; 0 when nobody asked.
COST_USD_IN_ALL = select(func.coalesce(func.sum(ChatUsage.cost_usd), 0.0)).where(ChatUsage.day == bindparam("today"))
_USED = select(ChatUsage.answers, ChatUsage.prompt_tokens + ChatUsage.completion_tokens, ChatUsage.cost_usd).where(
    ChatUsage.user_id == bindparam("user"), ChatUsage.day == bindparam("today")
)


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
    used = session.execute(_USED, {"user": user_id, "today": now.date()}).one_or_none()
    if used is not None:
        answers, tokens, cost_usd = used
        if answers >= caps.answers or tokens >= caps.tokens or cost_usd >= caps.cost_usd:
            raise TooMany(USED_UP, _seconds_to_midnight(now))
    in_all = caps.cost_usd_in_all
    if in_all and session.scalars(COST_USD_IN_ALL, {"today": now.date()}).one() >= in_all:
        raise TooMany(USED_UP_BY_ALL, _seconds_to_midnight(now))


def note_usage(
    session: Session, user_id: str, *, answers: int, prompt_tokens: int, completion_tokens: int, cost_usd: float
) -> None:
    """Add to what the user's day took."""
    row = {
        "user_id": user_id,
        "day": utc_now().date(),
        "answers": answers,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "cost_usd": cost_usd,
    }
    add_up(session, ChatUsage, row)


def _seconds_to_midnight(now: datetime) -> int:
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    return max(1, round((midnight - now).total_seconds()))
