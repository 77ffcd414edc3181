"""Starting the runs that are due by the schedule; it may run twice, and in several processes, without harm."""

from __future__ import annotations

import logging
from datetime import datetime

from jobs.queue import JobQueue
from klyx.database import Database
from klyx.services.market_runs import runs, slots
from klyx.services.market_runs.names import RUN_JOB
from klyx.services.market_runs.runs import Options
from klyx.services.market_runs.slots import Schedules

logger = logging.getLogger(__name__)


class RunStarter:
    def __init__(self, database: Database, queue: JobQueue, schedules: Schedules, max_attempts: int) -> None:
        self._database = database
        self._queue = queue
        self._schedules = schedules
        self._max_attempts = max_attempts

    def start_due(self, now: datetime) -> list[str]:
        """Start what is due and end what was abandoned; returns the kinds that were started.

        A kind that is going on already stays due until that run has ended. Raises RedisError or Unavailable;
        a run whose message Redis did not take waits for the recovery of jobs.
        """
        with self._database.read() as session:
            due = slots.due(session, self._schedules, now)
            has_abandoned = runs.has_abandoned(session)
        if has_abandoned:
            with self._database.begin() as session:
                for kind in runs.end_abandoned(session):
                    logger.warning("run given up", extra={"kind": kind})
        started = []
        for kind, slot in due.items():
            with self._database.begin() as session:
                run, is_new = runs.start(session, kind, Options("schedule", slot=slot), self._max_attempts)
            if is_new:
                logger.info("run started", extra={"run": run.id, "kind": kind, "slot": slot})
                started.append(kind)
                self._queue.ensure_enqueued(str(run.job_id), kind=RUN_JOB)
        return started
