"""Jobs that ask somebody outside for one answer: starting one, and waiting for it in a web request for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from klyx.caller_slots import CallerSlots
from klyx.database import Database
from klyx.database.models import Job, JobState
from klyx.database.types import utc_now
from klyx.errors import Unavailable
from klyx.services import jobs
from klyx.services.jobs import FINAL_STATES

MAX_ATTEMPTS = 2
# More of a kind at a time only means that somebody reads through everything.
MOST_UNDER_WAY = 20
# A source that has just failed is not asked again by the next person who looks.
PAUSE_AFTER_FAILURE = timedelta(seconds=60)
FIRST_PAUSE_SECONDS = 0.03
LONGEST_PAUSE_SECONDS = 0.5
BUSY = "Too many figures are being fetched right now. Please try again in a few seconds."
BUSY_RETRY_SECONDS = 5


def start(session: Session, *, kind: str, unique_key: str, arguments: Mapping[str, Any]) -> tuple[str, bool]:
    """The id of the lookup `unique_key` stands for, and whether it is new: then enqueue it after the commit.

    Raises Unavailable when the same one has failed a moment ago, and when many of its kind are under way.
    """
    since = utc_now() - PAUSE_AFTER_FAILURE
    recent = select(Job).where(Job.workspace_id.is_(None), Job.created_at > since, Job.unique_key == unique_key)
    last = session.scalars(recent.order_by(Job.created_at.desc()).limit(1)).one_or_none()
    if last is not None and last.state == JobState.FAILED.value:
        raise Unavailable(last.error or BUSY, int(PAUSE_AFTER_FAILURE.total_seconds()))
    if last is not None and last.state not in FINAL_STATES:
        return last.id, False
    under_way = select(func.count()).where(Job.kind == kind, Job.state.not_in(FINAL_STATES))
    if (session.scalar(under_way) or 0) >= MOST_UNDER_WAY:
        raise Unavailable(BUSY, BUSY_RETRY_SECONDS)
    job, is_new = jobs.create(
        session,
        kind=kind,
        workspace_id=None,
        user_id=None,
        arguments=arguments,
        max_attempts=MAX_ATTEMPTS,
        unique_key=unique_key,
    )
    return job.id, is_new


class WaitingRoom:
    """How many requests of one process may wait at a time, so that the others are still served."""

    def __init__(self, places: int, places_per_caller: int | None = None) -> None:
        self._slots = CallerSlots(places, places_per_caller, BUSY, BUSY_RETRY_SECONDS)

    @contextmanager
    def place(self, caller: str | None = None) -> Iterator[None]:
        """A place for as long as the block runs. Raises Unavailable when all are taken, or all of the `caller`."""
        give_back = self._slots.take(caller)
        try:
            yield
        finally:
            give_back()


def answer_within(database: Database, job_id: str, seconds: float) -> Job | None:
    """The job as soon as it has ended, well or not; None when it has not after `seconds`, or is gone.

    Looks at the row again and again, with no connection held in between. Only for short waits that a person is
    waiting through, inside a `WaitingRoom.place`.
    """
    ends_at = time.monotonic() + seconds
    pause, pause_seconds = threading.Event(), FIRST_PAUSE_SECONDS
    while True:
        with database.read() as session:
            job = session.scalar(select(Job).where(Job.id == job_id))
        if job is None or job.state in FINAL_STATES:
            return job
        remaining = ends_at - time.monotonic()
        if remaining <= 0:
            return None
        pause.wait(min(pause_seconds, remaining))
        pause_seconds = min(1.5 * pause_seconds, LONGEST_PAUSE_SECONDS)
