"""What the tests of jobs share: rows, waiting, and real worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from jobs.connections import patient_redis
from jobs.leadership import Leadership
from jobs.queue import JobQueue
from jobs.scheduler import Scheduler
from klyx.database import Database
from klyx.database.models import AnalysisRow, Job, JobEvent, Workspace
from klyx.database.types import utc_now
from klyx.runtime import Runtime
from klyx.services import jobs

REPOSITORY = Path(__file__).parents[2]
PATIENCE_SECONDS = 30.0


def wait_for(condition: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Look until the condition holds; fail when it never does."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        pause.wait(0.02)


def new_workspace(database: Database) -> str:
    with database.begin() as session:
        workspace = Workspace(created_at=utc_now(), last_used_at=utc_now())
        session.add(workspace)
        session.flush()
        return workspace.id


def new_job(
    database: Database,
    kind: str = "gate",
    arguments: Mapping[str, Any] | None = None,
    max_attempts: int = 3,
    workspace_id: str | None = None,
) -> Job:
    job, created = create_job(database, kind, workspace_id or new_workspace(database), arguments, max_attempts)
    assert created
    return job


def create_job(
    database: Database,
    kind: str,
    workspace_id: str,
    arguments: Mapping[str, Any] | None = None,
    max_attempts: int = 3,
) -> tuple[Job, bool]:
    with database.begin() as session:
        return jobs.create(
            session,
            kind=kind,
            workspace_id=workspace_id,
            user_id=None,
            arguments=arguments or {},
            max_attempts=max_attempts,
        )


def read_job(database: Database, job_id: str) -> Job:
    with database.read() as session:
        return session.scalars(select(Job).where(Job.id == job_id)).one()


def state_of(database: Database, job_id: str) -> str:
    return read_job(database, job_id).state


def count_effects(database: Database, job_id: str) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(AnalysisRow).where(AnalysisRow.job_id == job_id)) or 0


def event_messages(database: Database, job_id: str) -> list[str]:
    with database.read() as session:
        events = session.scalars(select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.sequence))
        return [event.message for event in events]


class Program:
    """A program of ours in a session of its own, so that it can be killed with all that it forked."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            self.lines.extend(stream)

    def says(self, text: str) -> bool:
        return any(text in line for line in list(self.lines))

    def kill_all(self) -> None:
        """SIGKILL to the program and, at the same moment, to what it forked (a horse leads its own group)."""
        for pid in session_members(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        status = self.process.wait(PATIENCE_SECONDS)
        self._reader.join()
        return status


def session_members(session: int) -> list[int]:
    """The session's living processes, its leader first."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(ProcessLookupError, PermissionError, FileNotFoundError):
                if os.getsid(int(entry.name)) == session and "\nState:\tZ" not in (entry / "status").read_text():
                    found.append(int(entry.name))
    return sorted(found, key=lambda pid: (pid != session, pid))


@contextmanager
def program(module: str, environment: Mapping[str, str]) -> Iterator[Program]:
    """The running program; killed at the end unless it ended."""
    running = Program(module, environment)
    try:
        yield running
    finally:
        running.kill_all()


@contextmanager
def recovering(runtime: Runtime, queue: JobQueue) -> Iterator[None]:
    """A scheduler that looks for lost jobs while the block runs, as the only one."""
    stopping = threading.Event()
    with patient_redis(runtime.settings.redis_url) as connection:
        scheduler = Scheduler(runtime.database, queue, Leadership(connection, 2.0), tasks={})
        interval_seconds = runtime.settings.scheduler_interval_seconds
        thread = threading.Thread(target=scheduler.run, args=(interval_seconds, stopping))
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()
