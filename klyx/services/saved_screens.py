"""Saved screens: kept by name, private or for everybody to see and run, changed by their owner only.

A private screen of somebody else does not exist for anybody but its owner (NotFound). A public one does,
so that changing it is Forbidden. Nothing tells who owns a screen but whether it is the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Select, SQLColumnExpression, func, select
from sqlalchemy.orm import Session

from klyx.database.models import ScreenRun, UserScreener
from klyx.database.types import utc_now
from klyx.errors import Conflict, Forbidden, Invalid, NotFound
from klyx.services.screener import parse_screen
from klyx.services.user_lock import lock_user

MAX_SCREENS = 100
DEFINITION_MEMBERS = ("filters", "logic", "sort_by", "sort_order")
DUPLICATE_NAME = "You have a screen with this name already. Please choose another name."
UNKNOWN_SCREEN = "There is no such screen. Please reload the page to see your screens."
NOT_YOURS = "This screen belongs to somebody else. Save a copy of your own to change it."
NO_TAGS = "The filters must not contain < or >: no stock has them in a text."
_LARGEST_ID = 2**31 - 1
_NEWEST_FIRST = (UserScreener.updated_at.desc(), UserScreener.id.desc())


@dataclass(frozen=True, slots=True)
class SavedScreen:
    """A screen as one caller sees it. `definition` is what klyx.services.screener.parse_screen reads.

    `last_run_at` is the moment the owner last ran it, for the owner only.
    """

    id: int
    name: str
    description: str | None
    definition: dict[str, Any]
    is_public: bool
    is_owner: bool
    created_at: datetime
    updated_at: datetime
    last_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class SavedScreenPage:
    """A part of a list; `total` counts the whole list."""

    screens: list[SavedScreen]
    total: int


def own(session: Session, user_id: str, *, limit: int, offset: int = 0) -> SavedScreenPage:
    """The user's screens, newest change first."""
    return _page(session, UserScreener.user_id == user_id, user_id, limit, offset)


def public(session: Session, viewer_id: str | None, *, limit: int, offset: int = 0) -> SavedScreenPage:
    """Everybody's public screens, newest change first."""
    return _page(session, UserScreener.is_public, viewer_id, limit, offset)


def find(session: Session, viewer_id: str | None, screener_id: int) -> SavedScreen:
    """The viewer's own screen or a public one. Raises NotFound."""
    # A driver raises on numbers that no row can have.
    statement = _select().where(UserScreener.id == screener_id)
    row = session.execute(statement).one_or_none() if screener_id <= _LARGEST_ID else None
    if row is None or not (row[0].is_public or row[0].user_id == viewer_id):
        raise NotFound(UNKNOWN_SCREEN)
    return _seen_by(viewer_id, *row)


def find_own(session: Session, user_id: str, screener_id: int) -> SavedScreen:
    """The user's own screen. Raises NotFound, and Forbidden for a public one of somebody else."""
    screen = find(session, user_id, screener_id)
    if not screen.is_owner:
        raise Forbidden(NOT_YOURS)
    return screen


def create(
    session: Session,
    user_id: str,
    name: str,
    definition: Mapping[str, Any],
    description: str | None = None,
    *,
    is_public: bool = False,
) -> SavedScreen:
    """A new screen. Raises Invalid for a wrong definition or too many screens, Conflict for a name in use."""
    canonical = _canonical(definition)
    lock_user(session, user_id)
    taken = _names(session, user_id)
    if name in taken:
        raise Conflict(DUPLICATE_NAME)
    if len(taken) >= MAX_SCREENS:
        raise Invalid(f"You have {MAX_SCREENS} screens. Please delete one before you save another.")
    screener = UserScreener(user_id=user_id, name=name, description=description, filters=canonical, is_public=is_public)
    session.add(screener)
    session.flush()
    return find(session, user_id, screener.id)


def change(session: Session, user_id: str, screener_id: int, values: Mapping[str, Any]) -> SavedScreen:
    """Change any of name, description, is_public and the members of the definition; what is not given stays.

    Raises NotFound and Forbidden as `find_own`, Invalid for a wrong definition, Conflict for a name in use.
    """
    lock_user(session, user_id)
    find_own(session, user_id, screener_id)
    screener = session.get_one(UserScreener, screener_id)
    changed = {name: value for name, value in values.items() if name not in DEFINITION_MEMBERS}
    name = changed.get("name", screener.name)
    if name != screener.name and name in _names(session, user_id):
        raise Conflict(DUPLICATE_NAME)
    members = {name: value for name, value in values.items() if name in DEFINITION_MEMBERS}
    if members:
        changed["filters"] = _canonical({**screener.filters, **members})
    for attribute, value in changed.items():
        setattr(screener, attribute, value)
    if changed:
        screener.updated_at = utc_now()
    session.flush()
    return find(session, user_id, screener_id)


def remove(session: Session, user_id: str, screener_id: int) -> None:
    """Delete the screen and its runs. Raises NotFound and Forbidden as `find_own`."""
    lock_user(session, user_id)
    find_own(session, user_id, screener_id)
    session.delete(session.get_one(UserScreener, screener_id))


def _canonical(definition: Mapping[str, Any]) -> dict[str, Any]:
    canonical = parse_screen(definition).definition()
    # Others see public screens, and clients put texts into pages as raw HTML.
    if set(b"<>") & set(orjson.dumps(canonical)):
        raise Invalid(NO_TAGS)
    return canonical


def _names(session: Session, user_id: str) -> set[str]:
    return set(session.scalars(select(UserScreener.name).where(UserScreener.user_id == user_id)))


def _select() -> Select[UserScreener, datetime]:
    last_run = select(func.max(ScreenRun.last_ran_at)).where(ScreenRun.screener_id == UserScreener.id)
    return select(UserScreener, last_run.scalar_subquery())


def _page(
    session: Session, condition: SQLColumnExpression[bool], viewer_id: str | None, limit: int, offset: int
) -> SavedScreenPage:
    rows = session.execute(_select().where(condition).order_by(*_NEWEST_FIRST).limit(limit).offset(offset))
    screens = [_seen_by(viewer_id, *row) for row in rows]
    total = session.scalar(select(func.count()).select_from(UserScreener).where(condition)) or 0
    return SavedScreenPage(screens, total)


def _seen_by(viewer_id: str | None, screener: UserScreener, last_run_at: datetime | None) -> SavedScreen:
    is_owner = screener.user_id == viewer_id
    return SavedScreen(
        id=screener.id,
        name=screener.name,
        description=screener.description,
        definition=dict(screener.filters),
        is_public=screener.is_public,
        is_owner=is_owner,
        created_at=screener.created_at,
        updated_at=screener.updated_at,
        last_run_at=last_run_at if is_owner else None,
    )
