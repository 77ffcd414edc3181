"""What a day's answers took, all users together."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text

from klyx.database import Database
from klyx.database.models import ChatUsage, User
from klyx.database.types import utc_now
from klyx.errors import TooMany
from klyx.services.chat.usage import COST_USD_IN_ALL, USED_UP_BY_ALL, DailyCaps, check_caps, note_usage

CAPS = DailyCaps(answers=10, tokens=1000, cost_usd=1.0, cost_usd_in_all=0.75)


@pytest.fixture
def users(database: Database) -> list[str]:
    made = [User(email=f"{name}@example.org", name=name, password_hash="x") for name in ("asha", "ravi", "uma")]
    with database.begin() as session:
        session.add_all(made)
        session.flush()
        return [user.id for user in made]


def note(database: Database, user_id: str, cost_usd: float) -> None:
    with database.begin() as session:
        note_usage(session, user_id, answers=1, prompt_tokens=1, completion_tokens=1, cost_usd=cost_usd)


def test_the_money_of_all_users_is_counted_together_and_by_the_day(database: Database, users: list[str]) -> None:
    yesterday = utc_now().date() - timedelta(days=1)
    with database.begin() as session:
        session.execute(insert(ChatUsage).values(user_id=users[0], day=yesterday, cost_usd=100.0))
    with database.read() as session:
        assert session.scalar(COST_USD_IN_ALL, {"today": utc_now().date()}) == 0
        check_caps(session, users[2], CAPS)
    note(database, users[0], 0.5)
    with database.read() as session:
        check_caps(session, users[2], CAPS)
    note(database, users[1], 0.25)
    with database.read() as session, pytest.raises(TooMany, match=USED_UP_BY_ALL):
        check_caps(session, users[2], CAPS)


def test_the_answers_of_a_day_are_added_up(database: Database, users: list[str]) -> None:
    for tokens in (100, 20):
        with database.begin() as session:
            note_usage(session, users[0], answers=1, prompt_tokens=tokens, completion_tokens=5, cost_usd=0.125)
    note(database, users[1], 0.5)
    with database.read() as session:
        row = session.scalars(select(ChatUsage).where(ChatUsage.user_id == users[0])).one()
    assert (row.answers, row.prompt_tokens, row.completion_tokens, row.cost_usd) == (2, 120, 10, 0.25)


def test_what_all_users_took_is_looked_up_by_an_index(database: Database) -> None:
    statement = COST_USD_IN_ALL.params(today=utc_now().date())
    with database.begin() as session:
        written = statement.compile(session.connection(), compile_kwargs={"literal_binds": True})
        if database.dialect_name == "sqlite":
            explain = "EXPLAIN QUERY PLAN"
        else:
            # A table without rows would be read as a whole.
            session.execute(text("SET LOCAL enable_seqscan = off"))
            explain = "EXPLAIN"
        plan = session.execute(text(f"{explain} {written}")).all()
    assert "ix_chat_usage_day" in str(plan)
