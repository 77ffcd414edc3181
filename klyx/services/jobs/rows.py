"""Making, finding and forgetting jobs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, and_, delete, exists, false, func, or_, select
from sqlalchemy.orm import Session

from klyx.database.models import AnalysisRow, Job, JobEvent, JobState
from klyx.database.types import utc_now
from klyx.database.upsert import insert_if_absent
from klyx.services.jobs.events import append_event

UNFINISHED = (JobState.QUEUED.value, JobState.RUNNING.value)
RAW_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EVENTS_AT_ONCE = 200


def create(
    session: Session,
    *,
    kind: str,
    workspace_id: str | None,
    user_id: str | None,
    arguments: Mapping[str, Any],
    max_attempts: int,
    unique_key: str | None = None,
    parent_id: str | None = None,
) -> tuple[Job, bool]:
    """A new queued job and True, or the unfinished one that stands for it already and False.

    That is the workspace's of that kind, or the one with that `unique_key`. Enqueue a new one only after the
    transaction has committed.
    """
    now = utc_now()
    values = {
        "id": str(uuid.uuid4()),
        "workspace_id": workspace_id,
        "user_id": user_id,
        "kind": kind,
        "state": JobState.QUEUED.value,
        "arguments": dict(arguments),
        "max_attempts": max_attempts,
        "created_at": now,
        "unique_key": unique_key,
        "parent_id": parent_id,
    }
    same = Job.unique_key == unique_key if unique_key else and_(Job.workspace_id == workspace_id, Job.kind == kind)
    while not insert_if_absent(session, Job, [values]):
        # The one that was in the way may have finished meanwhile: then there is room for a new one.
        unfinished = session.scalar(select(Job).where(same, Job.state.in_(UNFINISHED)))
        if unfinished is not None:
            return unfinished, False
    append_event(session, str(values["id"]), JobState.QUEUED, "Waiting for a free worker.")
    return session.scalars(select(Job).where(Job.id == values["id"])).one(), True


def find(session: Session, job_id: str, user_id: str | None, workspace_id: str | None) -> Job | None:
    """The job, when it is the user's or the workspace's own; foreign, unknown and malformed ids give None."""
    if not RAW_UUID.fullmatch(job_id):
        return None
    return session.scalar(select(Job).where(Job.id == job_id, _is_own(user_id, workspace_id)))


def list_own(
    session: Session, user_id: str | None, workspace_id: str | None, limit: int = 50, offset: int = 0
) -> tuple[Sequence[Job], int]:
    """A page of the user's or the workspace's own jobs, newest first, and how many there are in all."""
    own = _is_own(user_id, workspace_id)
    total = session.scalar(select(func.count()).select_from(Job).where(own)) or 0
    newest_first = select(Job).where(own).order_by(Job.created_at.desc(), Job.id)
    return session.scalars(newest_first.limit(limit).offset(offset)).all(), total


def _is_own(user_id: str | None, workspace_id: str | None) -> ColumnElement[bool]:
    owned = [Job.user_id == user_id] if user_id is not None else []
    owned += [Job.workspace_id == workspace_id] if workspace_id is not None else []
    return or_(false(), *owned)


def events_after(session: Session, job_id: str, sequence: int) -> Sequence[JobEvent]:
    """The job's events that follow `sequence`, in order, `EVENTS_AT_ONCE` at most."""
    following = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.sequence > sequence)
    return session.scalars(following.order_by(JobEvent.sequence).limit(EVENTS_AT_ONCE)).all()


def last_event(session: Session, job_id: str) -> JobEvent | None:
    newest = select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.sequence.desc())
    return session.scalar(newest.limit(1))


def delete_finished_before(session: Session, when: datetime) -> int:
    """Forget jobs that finished before `when`, but not those whose results are still shown; how many went."""
    shown = exists().where(AnalysisRow.job_id == Job.id)
    old = delete(Job).where(Job.finished_at < when, ~shown).execution_options(synchronize_session=False)
    return cast(CursorResult[None], session.execute(old)).rowcount
