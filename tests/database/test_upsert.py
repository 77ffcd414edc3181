"""Inserting unless a row is there, in its place, and on top of it; on both engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import CompileError

from klyx.database import Database
from klyx.database.models import ChatUsage, User, Workspace
from klyx.database.upsert import add_up, insert_if_absent, upsert

DAY = date(2026, 11, 29)


@pytest.fixture
def user_id(database: Database) -> str:
    user = User(email="asha@example.org", name="Asha", password_hash="x")
    with database.begin() as session:
        session.add(user)
        session.flush()
        return user.id


def usage(user_id: str, day: date = DAY, **values: Any) -> dict[str, Any]:
    return {"user_id": user_id, "day": day, **values}


def figures(database: Database, day: date = DAY) -> tuple[int, int, float]:
    with database.read() as session:
        row = session.scalars(select(ChatUsage).where(ChatUsage.day == day)).one()
        return row.answers, row.prompt_tokens, row.cost_usd


def test_what_is_there_stays_and_only_new_rows_are_counted(database: Database, user_id: str) -> None:
    rows = [usage(user_id, date(2026, 1, number), answers=number) for number in range(1, 31)]
    with database.begin() as session:
        assert insert_if_absent(session, ChatUsage, rows[:10]) == 10
    with database.begin() as session:
        assert insert_if_absent(session, ChatUsage, [row | {"answers": 99} for row in rows]) == 20
        assert insert_if_absent(session, ChatUsage, rows[:1]) == 0
        assert insert_if_absent(session, ChatUsage, []) == 0
    assert figures(database, date(2026, 1, 10))[0] == 10
    assert figures(database, date(2026, 1, 11))[0] == 99


def test_more_rows_than_a_statement_has_parameters(database: Database) -> None:
    rows = [{"id": f"{number:032}"} for number in range(40_000)]
    with database.begin() as session:
        assert insert_if_absent(session, Workspace, rows) == 40_000
        assert session.scalar(select(func.count()).select_from(Workspace)) == 40_000


def test_a_column_that_does_not_exist_is_an_error(database: Database, user_id: str) -> None:
    with database.begin() as session:
        for write in (insert_if_absent, upsert):
            with pytest.raises((CompileError, KeyError), match="anwsers"):
                write(session, ChatUsage, [usage(user_id, anwsers=1)])
        with pytest.raises((CompileError, KeyError), match="anwsers"):
            add_up(session, ChatUsage, usage(user_id, anwsers=1))


def test_a_row_that_is_there_is_replaced_where_it_is_named(database: Database, user_id: str) -> None:
    with database.begin() as session:
        upsert(session, ChatUsage, [usage(user_id, answers=1, prompt_tokens=7)])
    with database.begin() as session:
        upsert(session, ChatUsage, [usage(user_id, answers=5)])
        upsert(session, ChatUsage, [])
    assert figures(database) == (5, 7, 0)


def test_numbers_are_added_to_what_is_there(database: Database, user_id: str) -> None:
    for _ in range(2):
        with database.begin() as session:
            add_up(session, ChatUsage, usage(user_id, answers=1, cost_usd=0.25))
    with database.begin() as session:
        add_up(session, ChatUsage, usage(user_id, prompt_tokens=3))
    assert figures(database) == (2, 3, 0.5)


def test_nothing_is_lost_when_many_add_at_once(database: Database, user_id: str) -> None:
    def add(_: int) -> None:
        with database.begin() as session:
            add_up(session, ChatUsage, usage(user_id, answers=1))

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(add, range(40)))
    assert figures(database)[0] == 40
