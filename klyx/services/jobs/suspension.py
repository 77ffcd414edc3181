"""A job that waits for others: it gives its lease up, and whoever ends the last of them wakes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from klyx.database.models import Job, JobState
from klyx.database.types import utc_now
from klyx.services.jobs.events import append_event
from klyx.services.jobs.leases import Lease, write_held
from klyx.services.jobs.rows import UNFINISHED


def hold(session: Session, lease: Lease) -> None:
    """Keep the job's row to this transaction, so that nobody changes it before the commit. Raises LeaseLost."""
    write_held(session, lease, lease_token=lease.token)


def suspend(
    session: Session, lease: Lease, seconds: float, message: str, arguments: Mapping[str, Any] | None = None
) -> None:
    """Give the job up for now: anybody may claim it `seconds` from now, or as soon as it is woken.

    It did not fail, so its attempts count anew. `arguments` replace its own. Raises LeaseLost.
    """
    values: dict[str, Any] = {"arguments": dict(arguments)} if arguments is not None else {}
    current, total = write_held(
        session,
        lease,
        lease_token=None,
        lease_expires_at=utc_now() + timedelta(seconds=seconds),
        attempts=0,
        progress_message=message,
        **values,
    )
    append_event(session, lease.job_id, JobState.RUNNING, message, current, total)


def wake(session: Session, job_id: str) -> bool:
    """Let a suspended job be claimed now; whether it was suspended. Enqueue it after the commit."""
    woken = session.scalar(
        update(Job)
        .where(Job.id == job_id, Job.state == JobState.RUNNING.value, Job.lease_token.is_(None))
        .values(lease_expires_at=utc_now(), enqueued_at=None)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return woken is not None


def add_progress(session: Session, job_id: str, steps: int, message: str) -> None:
    """Show `steps` more of a job that others work on. Its row is kept until the commit, as by `hold`."""
    row = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.state == JobState.RUNNING.value)
        .values(progress_current=Job.progress_current + steps, progress_message=message)
        .returning(Job.progress_current, Job.progress_total)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is not None:
        append_event(session, job_id, JobState.RUNNING, message, row.progress_current, row.progress_total)


def set_total(session: Session, lease: Lease, total: int) -> None:
    """Say how many steps a job has on which others will work. Raises LeaseLost."""
    write_held(session, lease, progress_total=total)


def unfinished_children(session: Session, job_id: str) -> list[dict[str, Any]]:
    """The arguments of the jobs that belong to this one and have not ended."""
    children = select(Job.arguments).where(Job.parent_id == job_id, Job.state.in_(UNFINISHED))
    return list(session.scalars(children))


def end_children(session: Session, job_id: str, message: str) -> int:
    """End the unfinished jobs that belong to this one as failed; how many. Their workers lose their leases."""
    ended = session.scalars(
        update(Job)
        .where(Job.parent_id == job_id, Job.state.in_(UNFINISHED))
        .values(
            state=JobState.FAILED.value,
            error=message,
            progress_message=message,
            finished_at=utc_now(),
            lease_token=None,
            lease_expires_at=None,
        )
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    ).all()
    for child_id in ended:
        append_event(session, child_id, JobState.FAILED, message)
    return len(ended)
