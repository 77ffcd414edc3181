from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from klyx.database import Database
from klyx.database.models import User
from klyx.errors import Unauthorized
from klyx.services import portfolio
from klyx.services.portfolio import MAX_HOLDINGS


def new_user(database: Database) -> str:
    user_id = str(uuid4())
    with database.begin() as session:
        session.add(User(id=user_id, email=f"{user_id}@example.org", name="Asha", password_hash="x"))
    return user_id


def names_of(database: Database, user_id: str) -> list[str]:
    with database.read() as session:
        return portfolio.stock_names(session, user_id)


def test_many_names_are_added_once_in_their_order(database: Database) -> None:
    user_id, other_id = new_user(database), new_user(database)
    with database.begin() as session:
        assert portfolio.add(session, user_id, "Infosys Ltd.")
        assert portfolio.add(session, other_id, "M&M")
        names = ["Zomato Ltd.", "Infosys Ltd.", "M&M", "Zomato Ltd.", "Divi's", " M&M"]
        assert portfolio.add_many(session, user_id, names) == 4
        assert portfolio.add_many(session, user_id, names) == 0
        assert portfolio.add_many(session, user_id, []) == 0
    assert names_of(database, user_id) == ["Infosys Ltd.", "Zomato Ltd.", "M&M", "Divi's", " M&M"]
    assert names_of(database, other_id) == ["M&M"]


def test_names_that_cannot_be_kept_are_left_out(database: Database) -> None:
    user_id = new_user(database)
    odd = ["", "  ", "a\nb", "a\x00b", "\ud800", "x" * 256, "<b>"]
    assert all(portfolio.name_problem(name) for name in odd)
    with database.begin() as session:
        assert portfolio.add_many(session, user_id, [*odd, "Infosys Ltd."]) == 1
    assert names_of(database, user_id) == ["Infosys Ltd."]


def test_no_more_than_fit_are_added(database: Database) -> None:
    user_id = new_user(database)
    names = [f"Company {number}" for number in range(MAX_HOLDINGS + 50)]
    with database.begin() as session:
        assert portfolio.add_many(session, user_id, names) == MAX_HOLDINGS
        assert portfolio.add_many(session, user_id, names) == 0
    assert names_of(database, user_id) == names[:MAX_HOLDINGS]


def test_simultaneous_additions_keep_the_limit(database: Database) -> None:
    user_id = new_user(database)

    def add(worker: int) -> int:
        with database.begin() as session:
            return portfolio.add_many(session, user_id, [f"Company {worker}-{number}" for number in range(200)])

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(add, range(4))) == MAX_HOLDINGS
    assert len(names_of(database, user_id)) == MAX_HOLDINGS


def test_nothing_is_added_for_an_account_that_is_gone(database: Database) -> None:
    with pytest.raises(Unauthorized), database.begin() as session:
        portfolio.add_many(session, str(uuid4()), ["Infosys Ltd."])
