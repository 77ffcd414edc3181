"""Taking part in a run as one more worker, and showing how far it is."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

import click
from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError

from klyx.database.models import DataRefreshLog, Job
from klyx.database.types import utc_now
from klyx.errors import Unavailable
from klyx.runtime import Runtime
from klyx.services.jobs.leases import is_claimable
from klyx.services.market_runs import listing
from klyx.stock_commands.texts import progress_line

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
# Where nobody watches the line change, as in a log file.
LINE_SECONDS = 10.0
LONGEST_GOODBYE_SECONDS = 30.0


class Follower:
    """`follow` works and shows until the run has ended, or until Ctrl-C."""

    def __init__(self, runtime: Runtime, run_id: int, job_id: str) -> None:
        self._runtime = runtime
        self._run_id = run_id
        self._job_id = job_id
        self._stopping = threading.Event()
        self._worker = threading.Thread(target=self._work, name="run-worker", daemon=True)

    def follow(self) -> bool:
        """Whether the run has ended; False after Ctrl-C or SIGTERM, with what was fetched stored."""

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            raise KeyboardInterrupt

        before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._worker.start()
            self._show()
        except KeyboardInterrupt:
            click.echo("\nStopping: what is fetched is being stored.")
            self._stopping.set()
            self._worker.join(LONGEST_GOODBYE_SECONDS)
            return False
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._stopping.set()
        self._worker.join(LONGEST_GOODBYE_SECONDS)
        return True

    def leave(self, status: int) -> None:
        """End the process without waiting for questions whose answers nobody wants any more."""
        sys.stdout.flush()
        sys.stderr.flush()
        self._runtime.close()
        os._exit(status)

    def read(self) -> dict[str, Any]:
        with self._runtime.database.read() as session:
            run = session.get(DataRefreshLog, self._run_id)
            if run is None:
                raise click.ClickException("The run is gone: its row was deleted.")
            job = session.scalar(select(Job).where(Job.id == self._job_id))
            told = listing.told_run(run, job)
            return {**told, "details": run.details or {}}

    def _show(self) -> None:
        is_terminal = sys.stdout.isatty()
        started_at, shown_at, first = time.monotonic(), 0.0, None
        while True:
            run = self.read()
            ended = run["updated"] + run["failed"]
            first = ended if first is None else first
            line = progress_line(run, ended - first, time.monotonic() - started_at)
            if is_terminal:
                click.echo(f"\r\033[K{line}", nl=False)
            elif time.monotonic() - shown_at >= LINE_SECONDS:
                click.echo(line)
                shown_at = time.monotonic()
            if run["state"] != "running":
                if is_terminal:
                    click.echo()
                return
            self._stopping.wait(LOOK_SECONDS)

    def _work(self) -> None:
        from jobs.handlers import HANDLERS
        from jobs.runner import attempt

        while not self._stopping.is_set():
            try:
                job_id = self._claimable()
                if job_id is not None and attempt(self._runtime, job_id, HANDLERS, self._stopping):
                    continue
            except (Unavailable, SQLAlchemyError) as error:
                logger.warning("the database did not answer", extra={"error_type": type(error).__name__})
            self._stopping.wait(LOOK_SECONDS)

    def _claimable(self) -> str | None:
        """A job of the run that nobody has: a batch first, the run itself last."""
        of_run = or_(Job.parent_id == self._job_id, Job.id == self._job_id)
        waiting = select(Job.id).where(of_run, is_claimable(utc_now()))
        with self._runtime.database.read() as session:
            return session.scalar(waiting.order_by(Job.parent_id.is_(None), Job.created_at, Job.id).limit(1))
