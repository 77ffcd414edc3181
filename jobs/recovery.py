"""Giving lost jobs a message in the queue again."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from jobs.queue import JobQueue
from klyx.database import Database
from klyx.services import jobs

logger = logging.getLogger(__name__)


def recover_jobs(database: Database, queue: JobQueue) -> None:
    """Look at every job that nobody runs. Raises RedisError or Unavailable; what was done until then counts."""
    now = datetime.now(UTC)
    enqueued: list[str] = []
    try:
        for waiting in jobs.recover_lost(database, now):
            if queue.ensure_enqueued(waiting.id, waiting.attempts, waiting.kind):
                logger.info("job enqueued again", extra={"job": waiting.id, "attempts": waiting.attempts})
            enqueued.append(waiting.id)
    finally:
        jobs.mark_enqueued(database, enqueued, now)
