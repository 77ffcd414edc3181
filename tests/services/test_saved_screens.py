from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from klyx.database import Database
from klyx.database.models import User, UserScreener
from klyx.errors import Forbidden, Invalid, NotFound, Unauthorized
from klyx.services import saved_screens
from klyx.services.screener import parse_screen

CHEAP = {"filters": [{"field": "pe_ttm", "operator": "lt", "value": 20}], "sort_by": "pe_ttm", "sort_order": "asc"}


def add_user(database: Database, email: str = "asha@example.org") -> str:
    user = User(email=email, name="Asha", password_hash="x")
    with database.begin() as session:
        session.add(user)
    return user.id


def test_a_stored_definition_is_the_screen_again(database: Database) -> None:
    user_id = add_user(database)
    tree = {
        "any": [*CHEAP["filters"], {"all": [{"field": "Sector", "operator": "in", "value": ["Energy", "IT & ITES"]}]}]
    }
    with database.begin() as session:
        created = saved_screens.create(session, user_id, "Cheap", {**CHEAP, "filters": tree}, "Low")
    with database.read() as session:
        found = saved_screens.find(session, user_id, created.id)
    assert found == created
    assert parse_screen(found.definition) == parse_screen({**CHEAP, "filters": tree})


def test_only_the_owner_finds_a_private_screen_and_changes_a_public_one(database: Database) -> None:
    owner, other = add_user(database), add_user(database, "ravi@example.org")
    with database.begin() as session:
        private = saved_screens.create(session, owner, "Private", CHEAP)
        public = saved_screens.create(session, owner, "Public", CHEAP, is_public=True)
    for viewer_id in (other, None):
        with database.read() as session:
            with pytest.raises(NotFound):
                saved_screens.find(session, viewer_id, private.id)
            assert saved_screens.find(session, viewer_id, public.id).is_owner is False
            page = saved_screens.public(session, viewer_id, limit=10)
            assert ([screen.name for screen in page.screens], page.total) == (["Public"], 1)
    for screen, refusal in ((private, NotFound), (public, Forbidden)):
        with pytest.raises(refusal), database.begin() as session:
            saved_screens.change(session, other, screen.id, {"name": "Stolen"})
        with pytest.raises(refusal), database.begin() as session:
            saved_screens.remove(session, other, screen.id)
    with database.read() as session:
        assert {screen.name for screen in saved_screens.own(session, owner, limit=10).screens} == {"Private", "Public"}


def test_a_refused_change_leaves_everything_as_it_was(database: Database) -> None:
    user_id = add_user(database)
    with database.begin() as session:
        created = saved_screens.create(session, user_id, "Cheap", CHEAP)
    with pytest.raises(Invalid), database.begin() as session:
        saved_screens.change(session, user_id, created.id, {"name": "New", "sort_by": "no such field"})
    with database.read() as session:
        assert saved_screens.find(session, user_id, created.id) == created


def test_nothing_is_saved_for_an_account_that_is_gone(database: Database) -> None:
    with pytest.raises(Unauthorized), database.begin() as session:
        saved_screens.create(session, "gone", "Cheap", CHEAP)


def test_the_database_itself_refuses_a_name_twice(database: Database) -> None:
    user_id = add_user(database)
    with pytest.raises(IntegrityError), database.begin() as session:
        session.add_all(UserScreener(user_id=user_id, name="Cheap", filters=CHEAP) for _ in range(2))
