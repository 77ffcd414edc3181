"""Running a job under a lease: every write names its token, so a worker that lost it can write nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from klyx.database import Database
from klyx.database.models import Job, JobState
from klyx.database.types import utc_now
from klyx.services.jobs.events import append_event


class LeaseLost(Exception):
    """Another worker has the job now, or it ended: stop, and let the transaction roll back."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one attempt of a job; `attempt` counts from 1 to `max_attempts`."""

    job_id: str
    token: str
    attempt: int
    max_attempts: int
    kind: str
    workspace_id: str | None
    user_id: str | None
    arguments: Mapping[str, Any]

    @property
    def is_last_attempt(self) -> bool:
        return self.attempt >= self.max_attempts


def is_claimable(now: datetime) -> ColumnElement[bool]:
    """Whether nobody runs the job: it waits, or its worker has been silent for longer than the lease."""
    silent = and_(Job.state == JobState.RUNNING.value, Job.lease_expires_at < now)
    return or_(Job.state == JobState.QUEUED.value, silent)


def claim(database: Database, job_id: str, lease_seconds: float) -> Lease | None:
    """Take the job up for one more attempt; None when somebody has it, it has ended, or none is left."""
    now = utc_now()
    taking = (
        update(Job)
        .where(Job.id == job_id, is_claimable(now), Job.attempts < Job.max_attempts)
        .values(
            state=JobState.RUNNING.value,
            attempts=Job.attempts + 1,
            lease_token=str(uuid.uuid4()),
            lease_expires_at=now + timedelta(seconds=lease_seconds),
            started_at=func.coalesce(Job.started_at, now),
            # The message in the queue is used up: one for the next attempt does not exist yet.
            enqueued_at=None,
        )
        .returning(Job)
        .execution_options(synchronize_session=False)
    )
    with database.begin() as session:
        job = session.scalars(taking).one_or_none()
        if job is None:
            return None
        again = f"Started again (attempt {job.attempts} of {job.max_attempts})."
        message = "Started." if job.attempts == 1 else again
        append_event(session, job_id, JobState.RUNNING, message, job.progress_current, job.progress_total)
        return Lease(
            job_id=job.id,
            token=str(job.lease_token),
            attempt=job.attempts,
            max_attempts=job.max_attempts,
            kind=job.kind,
            workspace_id=job.workspace_id,
            user_id=job.user_id,
            arguments=job.arguments,
        )


def renew(database: Database, lease: Lease, lease_seconds: float) -> None:
    """Keep the job for another `lease_seconds` from now. Raises LeaseLost."""
    with database.begin() as session:
        write_held(session, lease, lease_expires_at=utc_now() + timedelta(seconds=lease_seconds))


def is_held(database: Database, lease: Lease) -> bool:
    """Whether the job still runs under this lease."""
    with database.read() as session:
        return session.scalar(select(exists().where(*_held(lease)))) is True


def report(database: Database, lease: Lease, current: int, total: int, message: str) -> None:
    """Show that `current` of `total` steps are done. Raises LeaseLost."""
    with database.begin() as session:
        write_held(session, lease, progress_current=current, progress_total=total, progress_message=message)
        append_event(session, lease.job_id, JobState.RUNNING, message, current, total)


def complete(session: Session, lease: Lease, result: Mapping[str, Any], message: str = "Finished.") -> None:
    """End the job well. Call it in the transaction that writes the job's effects, so that both happen, once.

    Raises LeaseLost, which must leave the transaction's block.
    """
    done = {"result": dict(result), "progress_current": Job.progress_total}
    _end(session, lease, JobState.SUCCEEDED, message, **done)


def fail(session: Session, lease: Lease, message: str) -> None:
    """End the job for good, with a message for people; otherwise like `complete`."""
    _end(session, lease, JobState.FAILED, message, error=message)


def _end(session: Session, lease: Lease, state: JobState, message: str, **values: Any) -> None:
    ended = {"state": state.value, "finished_at": utc_now(), "lease_token": None, "lease_expires_at": None}
    current, total = write_held(session, lease, **ended, progress_message=message, **values)
    append_event(session, lease.job_id, state, message, current, total)


def release_for_retry(database: Database, lease: Lease, delay_seconds: float, message: str) -> None:
    """Give the job back after a failed attempt, to be claimed `delay_seconds` from now. Raises LeaseLost."""
    may_be_claimed_at = utc_now() + timedelta(seconds=delay_seconds)
    with database.begin() as session:
        current, total = write_held(
            session, lease, lease_token=None, lease_expires_at=may_be_claimed_at, progress_message=message
        )
        append_event(session, lease.job_id, JobState.RUNNING, message, current, total)


def write_held(session: Session, lease: Lease, **values: Any) -> tuple[int, int]:
    """Change the job's row while the lease holds; returns its progress. Raises LeaseLost."""
    row = session.execute(
        update(Job)
        .where(*_held(lease))
        .values(**values)
        .returning(Job.progress_current, Job.progress_total)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        raise LeaseLost
    return row.progress_current, row.progress_total


def _held(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return Job.id == lease.job_id, Job.lease_token == lease.token, Job.state == JobState.RUNNING.value
