"""One writer at a time per workspace: its files, corrections, results and jobs change together."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from klyx.database.models import Workspace
from klyx.errors import Conflict


def lock_workspace(session: Session, workspace_id: str) -> Workspace:
    """The workspace, once no other transaction holds its lock; it is held until the end of this one.

    Take it before rows below the workspace, and before the lock of its user. Raises Conflict when the
    workspace is gone. On SQLite every writing transaction is alone anyway.
    """
    # "No key" leaves foreign key checks, such as those of a job's progress, free to go on.
    statement = select(Workspace).where(Workspace.id == workspace_id).with_for_update(key_share=True)
    workspace = session.scalar(statement)
    if workspace is None:
        raise Conflict("Your files have expired meanwhile. Please upload them again.")
    return workspace
