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
from klyx.services.jobs.rows import EVENTS_AT_ONCE, events_after
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

    A database that does not answer counts as quiet. A job that was deleted ends with a failure.
    """
    ends_at = clock() + LONGEST_STREAM_SECONDS
    heartbeat_at = clock() + HEARTBEAT_SECONDS
    while clock() < ends_at:
        events = _look(database, job_id, sequence)
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


def _look(database: Database, job_id: str, sequence: int) -> list[StreamedEvent]:
    try:
        with database.read() as session:
            events = events_after(session, job_id, sequence)
            is_final = bool(events) and events[-1].state in FINAL_STATES
            job = session.get(Job, job_id) if is_final or not events else None
    except (Unavailable, SQLAlchemyError) as error:
        logger.warning("event stream cannot see its job", extra={"error_type": type(error).__name__})
        return []
    if job is None and not events:
        return [StreamedEvent(sequence + 1, gone_status(), is_final=True)]
    return [StreamedEvent(event.sequence, event_status(event, job), event.state in FINAL_STATES) for event in events]
