"""Which workspace a request is about: bearer token, else cookie, else (for uploads) a new anonymous one."""

from __future__ import annotations

import logging

from flask import Response, after_this_request
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from klyx.database.models import Workspace
from klyx.errors import Unavailable
from klyx.identity import WORKSPACE_COOKIE, cookie_signer, optional_identity, workspace_token
from klyx.services import workspaces
from klyx.web import runtime

logger = logging.getLogger(__name__)


def current_workspace(session: Session) -> Workspace | None:
    """The caller's workspace, None when there is none yet. Only reads. Raises Unauthorized for a bad token."""
    identity = optional_identity()
    if identity is not None:
        return workspaces.of_user(session, identity.user_id)
    token = workspace_token()
    return workspaces.by_token(session, token) if token else None


def workspace_for_writing(session: Session) -> Workspace:
    """The caller's workspace, made when there is none; an anonymous one is remembered with the cookie."""
    settings = runtime().settings
    identity = optional_identity()
    workspace = workspaces.for_user(session, settings, identity.user_id) if identity else current_workspace(session)
    if workspace is None:
        workspace = workspaces.anonymous(session, settings)
        set_workspace_cookie(session, workspaces.open_session(session, settings, workspace))
    if workspaces.is_due_for_touch(workspace):
        _touch(session, workspace)
    return workspace


def _touch(session: Session, workspace: Workspace) -> None:
    token = workspace_token()
    workspaces.touch(session, runtime().settings, workspace, token)
    if workspace.user_id is None and token is not None:
        set_workspace_cookie(session, token)


def current_workspace_id() -> str | None:
    """The id of the caller's workspace, for views that read in several steps or hand it on to a service.

    Reading counts as use too, as well as that can be written down.
    """
    optional_identity()  # looked up before a connection is held, so that a request never holds two
    with runtime().database.read() as session:
        workspace = current_workspace(session)
    if workspace is None:
        return None
    if workspaces.is_due_for_touch(workspace):
        _put_off_expiry()
    return workspace.id


def _put_off_expiry() -> None:
    try:
        with runtime().database.begin() as session:
            workspace = current_workspace(session)
            if workspace is not None:
                _touch(session, workspace)
    except (Unavailable, SQLAlchemyError) as error:
        # What is asked for can be read all the same, and the next look tries again.
        logger.warning("use of a workspace not written down", extra={"error_type": type(error).__name__})


def workspace_id_for_writing() -> str:
    """The id of the caller's workspace, made and committed when there was none.

    Reads first: mostly there is nothing to write, and on SQLite a writer waits for every other one.
    """
    optional_identity()
    with runtime().database.read() as session:
        workspace = current_workspace(session)
    if workspace is not None and not workspaces.is_due_for_touch(workspace):
        return workspace.id
    with runtime().database.begin() as session:
        return workspace_for_writing(session).id


def cookie_is_bound(session: Session, user_id: str) -> bool:
    """Whether the cookie of this request selects the user's workspace already."""
    token = workspace_token()
    bound = workspaces.by_token(session, token) if token else None
    return bound is not None and bound.user_id == user_id


def bind_cookie_to_user(session: Session, user_id: str) -> None:
    """After a login the cookie selects the user's workspace; a cookie that does so already is kept."""
    if not cookie_is_bound(session, user_id):
        workspace = workspaces.for_user(session, runtime().settings, user_id)
        set_workspace_cookie(session, workspaces.open_session(session, runtime().settings, workspace))


def delete_cookie() -> None:
    """The answer to this request deletes the cookie, whatever its status."""

    @after_this_request
    def clear(response: Response) -> Response:
        response.delete_cookie(WORKSPACE_COOKIE, path="/api")
        return response


def close_cookie_session(session: Session) -> None:
    """What the cookie of this request holds opens nothing any more."""
    token = workspace_token()
    if token is not None:
        workspaces.close_session(session, token)


def drop_cookie_of_user() -> None:
    """Delete and close the cookie if it opens a user's workspace; an anonymous one belongs to the browser."""
    token = workspace_token()
    with runtime().database.read() as session:
        workspace = workspaces.by_token(session, token) if token else None
    if workspace is None or workspace.user_id is None:
        return
    delete_cookie()
    with runtime().database.begin() as session:
        close_cookie_session(session)


def set_workspace_cookie(session: Session, token: str) -> None:
    """Hands the token out with the answer, whatever its status, once the transaction that keeps it has committed."""
    settings = runtime().settings
    value = str(cookie_signer().dumps(token))

    @event.listens_for(session, "after_commit", once=True)
    def committed(_: Session) -> None:
        after_this_request(attach)

    def attach(response: Response) -> Response:
        response.set_cookie(
            WORKSPACE_COOKIE,
            value,
            max_age=settings.refresh_token_ttl_seconds,
            path="/api",
            secure=settings.is_production,
            httponly=True,
            samesite="Lax",
        )
        return response
