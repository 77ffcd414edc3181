"""Workspaces: whose files, results and jobs a call without a token is about (a user's own, or an anonymous one)."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from klyx.config import Settings
from klyx.database.models import Workspace, WorkspaceSession
from klyx.database.upsert import insert_if_absent
from klyx.services.auth import digest

TOUCH_INTERVAL = timedelta(minutes=10)
# A client that keeps no cookies opens another one with every call: more than one person's browsers, and no pile.
SESSIONS_KEPT = 20


def of_user(session: Session, user_id: str) -> Workspace | None:
    return session.scalar(select(Workspace).where(Workspace.user_id == user_id))


def for_user(session: Session, settings: Settings, user_id: str) -> Workspace:
    """The user's workspace, made on first use."""
    workspace = of_user(session, user_id)
    if workspace is None:
        now = datetime.now(UTC)
        values = {"id": str(uuid.uuid4()), "user_id": user_id, "created_at": now, "last_used_at": now}
        values["expires_at"] = now + timedelta(seconds=settings.user_workspace_ttl_seconds)
        insert_if_absent(session, Workspace, [values])
        workspace = session.scalars(select(Workspace).where(Workspace.user_id == user_id)).one()
    return workspace


def anonymous(session: Session, settings: Settings) -> Workspace:
    """A new workspace that belongs to whoever holds its session token."""
    now = datetime.now(UTC)
    workspace = Workspace(
        id=str(uuid.uuid4()),
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(seconds=settings.anonymous_workspace_ttl_seconds),
    )
    session.add(workspace)
    session.flush()
    return workspace


def open_session(session: Session, settings: Settings, workspace: Workspace) -> str:
    """A secret token that selects `workspace`; only its digest is stored, and only for the newest few of them."""
    token = secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    ttl_seconds = settings.refresh_token_ttl_seconds if workspace.user_id else settings.anonymous_workspace_ttl_seconds
    session.add(
        WorkspaceSession(
            token_hash=digest(token),
            workspace_id=workspace.id,
            created_at=now,
            expires_at=now + timedelta(seconds=ttl_seconds),
        )
    )
    session.flush()
    of_workspace = WorkspaceSession.workspace_id == workspace.id
    newest_first = (WorkspaceSession.created_at.desc(), WorkspaceSession.token_hash)
    newest = select(WorkspaceSession.token_hash).where(of_workspace).order_by(*newest_first).limit(SESSIONS_KEPT)
    session.execute(delete(WorkspaceSession).where(of_workspace, WorkspaceSession.token_hash.not_in(newest)))
    return token


def by_token(session: Session, token: str) -> Workspace | None:
    """The workspace a session token selects, unless the token or the workspace has expired."""
    now = datetime.now(UTC)
    return session.scalar(
        select(Workspace)
        .join(WorkspaceSession, WorkspaceSession.workspace_id == Workspace.id)
        .where(
            WorkspaceSession.token_hash == digest(token), WorkspaceSession.expires_at > now, Workspace.expires_at > now
        )
    )


def is_due_for_touch(workspace: Workspace) -> bool:
    return datetime.now(UTC) - workspace.last_used_at >= TOUCH_INTERVAL


def touch(session: Session, settings: Settings, workspace: Workspace, token: str | None) -> None:
    """Put off the expiry of a workspace in use and, of an anonymous one, that of the session `token` stands for.

    A user's session is not put off: it ends with the login.
    """
    now = datetime.now(UTC)
    ttl_seconds = settings.user_workspace_ttl_seconds if workspace.user_id else settings.anonymous_workspace_ttl_seconds
    workspace.last_used_at = now
    workspace.expires_at = now + timedelta(seconds=ttl_seconds)
    if workspace.user_id is None and token is not None:
        of_token = update(WorkspaceSession).where(
            WorkspaceSession.token_hash == digest(token), WorkspaceSession.workspace_id == workspace.id
        )
        session.execute(of_token.values(expires_at=workspace.expires_at))


def close_session(session: Session, token: str) -> None:
    session.execute(delete(WorkspaceSession).where(WorkspaceSession.token_hash == digest(token)))


def delete_expired(session: Session, now: datetime) -> list[str]:
    """Delete expired workspaces with all below them, and ended sessions; returns the ids whose files must go."""
    session.execute(delete(WorkspaceSession).where(WorkspaceSession.expires_at < now))
    expired = list(session.scalars(select(Workspace.id).where(Workspace.expires_at < now).limit(500)))
    session.execute(delete(Workspace).where(Workspace.id.in_(expired)))
    return expired
