"""Finding jobs that nobody runs and nobody is going to, whatever the queue, a worker or a server lost."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from klyx.database import Database
from klyx.database.models import Job, JobState
from klyx.services.jobs.events import append_event
from klyx.services.jobs.leases import is_claimable

# A message believed to be in the queue is looked for again after this time: the queue may have lost it.
CONFIRM_AFTER = timedelta(seconds=15)
JOBS_AT_ONCE = 500
INTERRUPTED = "The analysis was interrupted several times and was stopped. Please start it again."


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job that needs a message in the queue; `attempts` were made already."""

    id: str
    kind: str
    attempts: int


def recover_lost(database: Database, now: datetime) -> Sequence[WaitingJob]:
    """End lost jobs without an attempt left; returns those that need a message in the queue, oldest first.

    These were never enqueued, or too long ago to be sure, or their worker has been silent for longer than
    its lease. Call `mark_enqueued` for those that got their message.
    """
    with database.begin() as session:
        _end_exhausted(session, now)
        unconfirmed = or_(Job.enqueued_at.is_(None), Job.enqueued_at < now - CONFIRM_AFTER)
        waiting = select(Job.id, Job.kind, Job.attempts).where(is_claimable(now), unconfirmed)
        rows = session.execute(waiting.order_by(Job.created_at, Job.id).limit(JOBS_AT_ONCE))
        return [WaitingJob(row.id, row.kind, row.attempts) for row in rows]


def _end_exhausted(session: Session, now: datetime) -> None:
    ended = session.execute(
        update(Job)
        .where(is_claimable(now), Job.attempts >= Job.max_attempts)
        .values(
            state=JobState.FAILED.value,
            error=INTERRUPTED,
            progress_message=INTERRUPTED,
            finished_at=now,
            lease_token=None,
            lease_expires_at=None,
        )
        .returning(Job.id, Job.progress_current, Job.progress_total)
        .execution_options(synchronize_session=False)
    ).all()
    for row in ended:
        append_event(session, row.id, JobState.FAILED, INTERRUPTED, row.progress_current, row.progress_total)


def mark_enqueued(database: Database, job_ids: Collection[str], now: datetime) -> None:
    """Remember that the queue held a message for these jobs at `now`, except those taken up since."""
    if job_ids:
        with database.begin() as session:
            session.execute(
                update(Job)
                .where(Job.id.in_(job_ids), is_claimable(now))
                .values(enqueued_at=now)
                .execution_options(synchronize_session=False)
            )
