"""Kinds of jobs for tests, and the entry point that runs them in a real work horse."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from rq.timeouts import JobTimeoutException
from sqlalchemy import func, insert, select, update

from jobs.runner import run_job
from klyx.config import load_settings
from klyx.database.models import AnalysisRow, Stock, User
from klyx.database.versions import STOCKS
from klyx.runtime import Runtime
from klyx.services import jobs
from klyx.services.jobs import Lease, ProgressReporter

ENTRY_POINT = "tests.jobs.kinds.run"
KINDS = {
    "effect": "tests.jobs.kinds:effect",
    "gate": "tests.jobs.kinds:gate",
    "reprice": "tests.jobs.kinds:reprice",
    "duplicates": "tests.jobs.kinds:duplicates",
    "raises": "tests.jobs.kinds:raises",
    "raises-once": "tests.jobs.kinds:raises_once",
    "forgets": "tests.jobs.kinds:forgets",
    "too-long": "tests.jobs.kinds:too_long",
    "missing": "tests.jobs.no_such_module:run",
}


def run(job_id: str) -> None:
    run_job(job_id, load_settings(), KINDS)


def effect(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    """Adds one row to the results; a second run would add another."""
    assert lease.workspace_id is not None
    progress.report(1, 2, "Half done.")
    with runtime.database.begin() as session:
        there = select(func.count()).select_from(AnalysisRow).where(AnalysisRow.workspace_id == lease.workspace_id)
        row = AnalysisRow(
            workspace_id=lease.workspace_id,
            job_id=lease.job_id,
            position=session.scalar(there) or 0,
            stock_name="Infosys",
            data={},
        )
        session.add(row)
        session.flush()
        jobs.complete(session, lease, {"rows": 1})


def duplicates(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    """Inserts the user of its arguments twice, which the database refuses."""
    with runtime.database.begin() as session:
        for number in range(2):
            session.execute(insert(User).values(id=str(number), password_hash="", **lease.arguments))


def reprice(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    """Gives every stock the price in its arguments."""
    with runtime.database.begin(STOCKS) as session:
        session.execute(update(Stock).values(current_price=lease.arguments["price"]))
        jobs.complete(session, lease, {})


def gate(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    """Writes its process id to `<folder>/attempt-<n>`, waits for `<folder>/go` and has its effect."""
    folder = Path(lease.arguments["folder"])
    draft = folder / f".attempt-{lease.attempt}"
    draft.write_text(str(os.getpid()))
    draft.rename(folder / f"attempt-{lease.attempt}")
    pause = threading.Event()
    while not (folder / "go").exists():
        progress.check()
        pause.wait(0.02)
    effect(runtime, lease, progress)


def raises(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    raise RuntimeError("secret detail")


def raises_once(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    if lease.attempt == 1:
        raise RuntimeError("secret detail")
    effect(runtime, lease, progress)


def too_long(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    """What RQ's alarm raises in the middle of a handler."""
    raise JobTimeoutException


def forgets(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    progress.report(1, 1, "Done, but it does not say so.")
