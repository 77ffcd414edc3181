"""Ending jobs that nobody wants any more."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from klyx.database.models import Job, JobState
from klyx.database.types import utc_now
from klyx.services.jobs.events import append_event
from klyx.services.jobs.rows import UNFINISHED


def end_unfinished(session: Session, workspace_id: str, message: str) -> list[str]:
    """End the workspace's queued and running jobs as failed, with a message for people; returns their ids.

    A worker that runs one of them loses its lease, so what it still writes is rolled back.
    """
    ended = session.execute(
        update(Job)
        .where(Job.workspace_id == workspace_id, Job.state.in_(UNFINISHED))
        .values(
            state=JobState.FAILED.value,
            error=message,
            progress_message=message,
            finished_at=utc_now(),
            lease_token=None,
            lease_expires_at=None,
        )
        .returning(Job.id, Job.progress_current, Job.progress_total)
        .execution_options(synchronize_session=False)
    ).all()
    for job in ended:
        append_event(session, job.id, JobState.FAILED, message, job.progress_current, job.progress_total)
    return [job.id for job in ended]
