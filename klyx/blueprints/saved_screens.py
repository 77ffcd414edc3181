"""`/api/screener/saved/...`: screens kept by name, run again, and what has changed since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from klyx.blueprints.screener import screen_answer, screen_download
from klyx.identity import current_user_id, optional_identity, user_required
from klyx.openapi import Blueprint
from klyx.schemas.envelope import MessageSchema, success
from klyx.schemas.saved_screens import (
    NewScreenSchema,
    SavedRunAnswer,
    SavedScreenAnswer,
    SavedScreenListQuery,
    SavedScreensAnswer,
    ScreenChangesAnswer,
    ScreenChangeSchema,
    ScreenChangesQuery,
)
from klyx.schemas.screener import PresetQuery
from klyx.services import saved_screens, screen_runs
from klyx.web import runtime

blueprint = Blueprint(
    "saved_screens", __name__, url_prefix="/api/screener/saved", description="Screens that users keep"
)
SCREEN_PATH = "/<int:screener_id>"
UNKNOWN = "There is no such screen, or it is somebody else's private one"
NOT_THE_OWNER = "A public screen of somebody else"


def _viewer_id() -> str | None:
    identity = optional_identity()
    return identity.user_id if identity else None


@blueprint.get("")
@blueprint.arguments(SavedScreenListQuery, location="query")
@blueprint.response(200, SavedScreensAnswer)
@blueprint.alt_response(401, description="Nobody is signed in, and `public` was not asked for")
def list_screens(query: dict[str, Any]) -> Mapping[str, Any]:
    limit, offset = query["limit"], query["offset"]
    viewer_id = _viewer_id() if query["public"] else current_user_id()
    with runtime().database.read() as session:
        if query["public"]:
            page = saved_screens.public(session, viewer_id, limit=limit, offset=offset)
        else:
            page = saved_screens.own(session, current_user_id(), limit=limit, offset=offset)
    pagination = {"limit": limit, "offset": offset, "total": page.total, "has_more": offset + limit < page.total}
    return success(page.screens, pagination=pagination, total=page.total)


@blueprint.post("")
@user_required
@blueprint.arguments(NewScreenSchema)
@blueprint.response(201, SavedScreenAnswer)
@blueprint.alt_response(409, description="The caller has a screen with this name")
def create(values: dict[str, Any]) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        screen = saved_screens.create(session, current_user_id(), **values)
    return success(screen, "Your screen is saved.")


@blueprint.get(SCREEN_PATH)
@blueprint.response(200, SavedScreenAnswer)
@blueprint.alt_response(404, description=UNKNOWN)
def screen(screener_id: int) -> Mapping[str, Any]:
    viewer_id = _viewer_id()
    with runtime().database.read() as session:
        return success(saved_screens.find(session, viewer_id, screener_id))


@blueprint.put(SCREEN_PATH)
@user_required
@blueprint.arguments(ScreenChangeSchema)
@blueprint.response(200, SavedScreenAnswer)
@blueprint.alt_response(403, description=NOT_THE_OWNER)
@blueprint.alt_response(404, description=UNKNOWN)
@blueprint.alt_response(409, description="The caller has another screen with this name")
def change(values: dict[str, Any], screener_id: int) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        changed = saved_screens.change(session, current_user_id(), screener_id, values)
    return success(changed, "Your screen is saved.")


@blueprint.delete(SCREEN_PATH)
@user_required
@blueprint.response(200, MessageSchema)
@blueprint.alt_response(403, description=NOT_THE_OWNER)
@blueprint.alt_response(404, description=UNKNOWN)
def remove(screener_id: int) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        saved_screens.remove(session, current_user_id(), screener_id)
    return success(message="Your screen is deleted.")


@blueprint.get(f"{SCREEN_PATH}/run")
@blueprint.post(f"{SCREEN_PATH}/run")
@blueprint.arguments(PresetQuery, location="query")
@blueprint.response(200, SavedRunAnswer)
@blueprint.alt_response(404, description=UNKNOWN)
@blueprint.alt_response(409, description="This version cannot run the screen any more; it has to be edited")
def run(query: dict[str, Any], screener_id: int) -> Mapping[str, Any] | Response:
    """Run a screen. The owner's runs are kept, so that `changes` has something to compare with."""
    viewer_id = _viewer_id()
    paging = {name: query[name] for name in ("limit", "offset", "columns")}
    with runtime().database.read() as session:
        done = screen_runs.run(session, viewer_id, screener_id, **paging)
    previous_run_at = None
    if done.screen.is_owner:
        with runtime().database.begin() as session:
            previous_run_at = screen_runs.keep(session, current_user_id(), done)
    if query["format"] == "csv":
        return screen_download(done.result, f"saved-{screener_id}")
    about = {"preset_name": done.screen.name, "description": done.screen.description}
    return screen_answer(done.result, **about, ran_at=done.ran_at, previous_run_at=previous_run_at)


@blueprint.get(f"{SCREEN_PATH}/changes")
@user_required
@blueprint.arguments(ScreenChangesQuery, location="query")
@blueprint.response(200, ScreenChangesAnswer)
@blueprint.alt_response(403, description=NOT_THE_OWNER)
@blueprint.alt_response(404, description=f"{UNKNOWN}; or it was not run since its filters were last changed")
def changes(query: dict[str, Any], screener_id: int) -> Mapping[str, Any]:
    """Stocks that entered and left since the last run not later than `since`, or else since the first run."""
    user_id = current_user_id()
    with runtime().database.read() as session:
        return success(screen_runs.changes(session, user_id, screener_id, query["since"]))
