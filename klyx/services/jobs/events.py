"""Writing the visible steps of a job."""

from __future__ import annotations

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from klyx.database.models import JobEvent, JobState
from klyx.database.types import utc_now


def append_event(
    session: Session, job_id: str, state: JobState, message: str, current: int = 0, total: int = 0
) -> None:
    """Add the next event of a job. The caller has written the job's row in the same transaction.

    That write holds the row, so two transactions cannot choose the same sequence.
    """
    following = select(func.coalesce(func.max(JobEvent.sequence), 0) + 1).where(JobEvent.job_id == job_id)
    session.execute(
        insert(JobEvent).values(
            job_id=job_id,
            sequence=following.scalar_subquery(),
            state=state.value,
            message=message,
            progress_current=current,
            progress_total=total,
            created_at=utc_now(),
        )
    )
