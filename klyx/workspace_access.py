"""Which workspace a request is about: bearer token, else cookie, else (for uploads) a new anonymous one."""

from __future__ import annotations

from flask import Response, after_this_request
from sqlalchemy.orm import Session

from klyx.database.models import Workspace
from klyx.identity import WORKSPACE_COOKIE, cookie_signer, optional_identity, workspace_token
from klyx.services import workspaces
from klyx.web import runtime


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
        set_workspace_cookie(workspaces.open_session(session, settings, workspace))
    workspaces.touch(settings, workspace)
    return workspace


def cookie_is_bound(session: Session, user_id: str) -> bool:
    """Whether the cookie of this request selects the user's workspace already."""
    token = workspace_token()
    bound = workspaces.by_token(session, token) if token else None
    return bound is not None and bound.user_id == user_id


def bind_cookie_to_user(session: Session, user_id: str) -> None:
    """After a login the cookie selects the user's workspace; a cookie that does so already is kept."""
    if not cookie_is_bound(session, user_id):
        workspace = workspaces.for_user(session, runtime().settings, user_id)
        set_workspace_cookie(workspaces.open_session(session, runtime().settings, workspace))


def drop_cookie(session: Session) -> None:
    token = workspace_token()
    if token is not None:
        workspaces.close_session(session, token)

    @after_this_request
    def clear(response: Response) -> Response:
        response.delete_cookie(WORKSPACE_COOKIE, path="/api")
        return response


def set_workspace_cookie(token: str) -> None:
    settings = runtime().settings
    value = cookie_signer().dumps(token)

    @after_this_request
    def attach(response: Response) -> Response:
        # An answer that failed rolled the session row back: do not hand out a cookie for it.
        if response.status_code < 400:
            response.set_cookie(
                WORKSPACE_COOKIE,
                str(value),
                max_age=settings.refresh_token_ttl_seconds,
                path="/api",
                secure=settings.is_production,
                httponly=True,
                samesite="Lax",
            )
        return response
