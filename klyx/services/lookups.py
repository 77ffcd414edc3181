"""Waiting, in a web request, for a job that asks somebody outside: for a while, and never many requests at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from klyx.database import Database
from klyx.database.models import Job
from klyx.errors import Unavailable
from klyx.services.jobs import FINAL_STATES

FIRST_PAUSE_SECONDS = 0.03
LONGEST_PAUSE_SECONDS = 0.5
BUSY = "Many people are asking for figures that have to be fetched first. Please try again in a few seconds."
BUSY_RETRY_SECONDS = 5


class WaitingRoom:
    """How many requests of one process may wait at a time, so that the others are still served."""

    def __init__(self, places: int) -> None:
        self._free = threading.BoundedSemaphore(places)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for as long as the block runs. Raises Unavailable when all are taken."""
        if not self._free.acquire(blocking=False):
            raise Unavailable(BUSY, BUSY_RETRY_SECONDS)
        try:
            yield
        finally:
            self._free.release()


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
