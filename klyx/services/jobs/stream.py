"""Following a job's events as they are written, without holding a database connection between two looks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from klyx.database import Database
from klyx.database.models import Job
from klyx.errors import Unavailable
from klyx.services.jobs.rows import EVENTS_AT_ONCE, events_after, last_event
from klyx.services.jobs.status import FINAL_STATES, event_status, gone_status

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
HEARTBEAT_SECONDS = 10.0
# Then the client comes back with its last id, and is asked again who it is.
LONGEST_STREAM_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class StreamedEvent:
    sequence: int
    status: dict[str, Any]
    is_final: bool


def follow(
    database: Database,
    job_id: str,
    sequence: int,
    pause: Callable[[float], object],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[StreamedEvent | None]:
    """The events after `sequence` as they come, ending with the final one; None after every 10 quiet seconds.

    A database that does not answer counts as quiet. A job that was deleted ends with a failure, and one that has
    ended ends with its final event whatever `sequence` is.
    """
    watch = _Watch(database, job_id)
    ends_at = clock() + LONGEST_STREAM_SECONDS
    heartbeat_at = clock() + HEARTBEAT_SECONDS
    while clock() < ends_at:
        events = watch.look(sequence)
        for event in events:
            sequence = event.sequence
            yield event
            if event.is_final:
                return
        if events:
            heartbeat_at = clock() + HEARTBEAT_SECONDS
        elif clock() >= heartbeat_at:
            heartbeat_at = clock() + HEARTBEAT_SECONDS
            yield None
        if len(events) < EVENTS_AT_ONCE:
            pause(POLL_SECONDS)


class _Watch:
    """Looks at the events of one job; an outage of the database is logged when it begins."""

    def __init__(self, database: Database, job_id: str) -> None:
        self._database = database
        self._job_id = job_id
        self._sees_job = True

    def look(self, sequence: int) -> list[StreamedEvent]:
        try:
            events = self._read(sequence)
        except (Unavailable, SQLAlchemyError) as error:
            if self._sees_job:
                logger.warning("event stream cannot see its job", extra={"error_type": type(error).__name__})
            self._sees_job = False
            return []
        self._sees_job = True
        return events

    def _read(self, sequence: int) -> list[StreamedEvent]:
        with self._database.read() as session:
            events = events_after(session, self._job_id, sequence)
            is_final = bool(events) and events[-1].state in FINAL_STATES
            job = session.get(Job, self._job_id) if is_final or not events else None
            has_ended = not events and job is not None and job.state in FINAL_STATES
            # Nobody may wait for what was sent already. It may also be new: written between the two looks.
            last = last_event(session, self._job_id) if has_ended else None
        if last is not None:
            return [StreamedEvent(last.sequence, event_status(last, job), is_final=True)]
        if job is None and not events:
            return [StreamedEvent(sequence + 1, gone_status(), is_final=True)]
        return [StreamedEvent(one.sequence, event_status(one, job), one.state in FINAL_STATES) for one in events]
