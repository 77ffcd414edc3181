from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, insert, select, update

from klyx.database import Database
from klyx.database.models import ScreenRun, Stock, User
from klyx.database.types import utc_now
from klyx.errors import Unauthorized
from klyx.services import saved_screens, screen_runs
from klyx.services.screen_runs import SavedRun

CHEAP = {"filters": [{"field": "pe_ttm", "operator": "lt", "value": 20}]}


def add_user(database: Database, email: str = "asha@example.org") -> str:
    user = User(email=email, name="Asha", password_hash="x")
    with database.begin() as session:
        session.add(user)
    return user.id


def add_screen(database: Database, user_id: str, *, is_public: bool = False) -> int:
    with database.begin() as session:
        return saved_screens.create(session, user_id, "Cheap", CHEAP, is_public=is_public).id


def add_stocks(database: Database, count: int) -> None:
    stocks = [
        {"stock_name": f"Stock {n}", "nse_code": f"S{n}", "pe_ttm": 10, "data_quality_score": 90} for n in range(count)
    ]
    with database.begin() as session:
        session.execute(insert(Stock), stocks)


def run(database: Database, user_id: str, screener_id: int) -> SavedRun:
    with database.read() as session:
        return screen_runs.run(session, user_id, screener_id, limit=5)


def keep(database: Database, user_id: str, done: SavedRun) -> None:
    with database.begin() as session:
        screen_runs.keep(session, user_id, done)


def count_runs(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(ScreenRun)) or 0


def test_a_run_of_somebody_else_is_not_kept(database: Database) -> None:
    owner, other = add_user(database), add_user(database, "ravi@example.org")
    screener_id = add_screen(database, owner, is_public=True)
    done = run(database, other, screener_id)
    assert done.stock_ids is None
    keep(database, other, done)
    # Not even a run that claims to be the owner's.
    keep(database, other, run(database, owner, screener_id))
    assert count_runs(database) == 0


def test_a_run_whose_screen_or_owner_was_deleted_meanwhile_is_not_kept(database: Database) -> None:
    user_id = add_user(database)
    screener_id = add_screen(database, user_id)
    done = run(database, user_id, screener_id)
    with database.begin() as session:
        saved_screens.remove(session, user_id, screener_id)
    keep(database, user_id, done)
    assert count_runs(database) == 0
    with database.begin() as session:
        session.execute(delete(User))
    with pytest.raises(Unauthorized):
        keep(database, user_id, done)


def test_runs_kept_in_the_wrong_order_are_told_in_the_right_one(database: Database) -> None:
    user_id = add_user(database)
    screener_id = add_screen(database, user_id)
    add_stocks(database, 1)
    slow = run(database, user_id, screener_id)
    with database.begin() as session:
        session.execute(update(Stock).values(pe_ttm=30))
    fast = run(database, user_id, screener_id)
    keep(database, user_id, fast)
    keep(database, user_id, slow)
    with database.read() as session:
        found = screen_runs.changes(session, user_id, screener_id)
        assert (found.compared_with, found.left, found.unchanged_count) == (fast.ran_at, [], 0)
        at_first = screen_runs.changes(session, user_id, screener_id, slow.ran_at)
        assert (at_first.compared_with, len(at_first.left)) == (slow.ran_at, 1)


def test_a_late_repetition_does_not_turn_back_the_moment(database: Database) -> None:
    user_id = add_user(database)
    screener_id = add_screen(database, user_id)
    done = run(database, user_id, screener_id)
    keep(database, user_id, done)
    keep(database, user_id, replace(done, ran_at=done.ran_at - timedelta(minutes=1)))
    with database.read() as session:
        assert saved_screens.find(session, user_id, screener_id).last_run_at == done.ran_at


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_more_stocks_than_a_statement_has_parameters(database: Database) -> None:
    user_id = add_user(database)
    screener_id = add_screen(database, user_id)
    add_stocks(database, 35_000)
    started_at = utc_now()
    done = run(database, user_id, screener_id)
    keep(database, user_id, done)
    with database.begin() as session:
        session.execute(update(Stock).values(pe_ttm=None))
    with database.read() as session:
        found = screen_runs.changes(session, user_id, screener_id)
    assert started_at <= found.compared_with == done.ran_at <= found.now
    assert len(found.left) == len({stock.nse_code for stock in found.left}) == 35_000
    assert found.left[0].stock_name == "Stock 0"
    assert (len(done.result.rows), found.unchanged_count) == (5, 0)
