"""Leading a run of market data: plan its stocks, wait for its batches, do the last step and say what came of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from jobs.market_data import memo_of, sources_of
from jobs.queue import enqueue
from klyx.database.models import DataRefreshLog
from klyx.runtime import Runtime
from klyx.services import jobs
from klyx.services.jobs import Lease, ProgressReporter
from klyx.services.market_runs import items, report, runs
from klyx.services.market_runs.kinds import RUN_KINDS, NothingFetched, RunKind, StockWork, WholeWork, WorkContext
from klyx.services.market_runs.names import BATCH_JOB

logger = logging.getLogger(__name__)

# A batch that ends badly wakes nobody; so long does its run not notice.
WATCHDOG_SECONDS = 60.0
# How often the batches of a run that ended badly are started anew, over all of them.
MOST_RENEWALS = 20
NOT_WORKED_ON = "The work on this stock was interrupted again and again; nothing was asked for it."
UNKNOWN_RUN = "This kind of run is not available any more."


def context_of(runtime: Runtime) -> WorkContext:
    return WorkContext(runtime.settings, runtime.database, sources_of(runtime), memo_of(runtime))


def run(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    """One step of a run: its plan, a look at its batches, or its end. Raises LeaseLost, StopRequested."""
    with runtime.database.read() as session:
        run = runs.run_of(session, lease.job_id)
    kind = RUN_KINDS.get(str(lease.arguments.get("kind")))
    if run is None or kind is None:
        with runtime.database.begin() as session:
            jobs.fail(session, lease, UNKNOWN_RUN)
        return
    work = kind.load()
    if isinstance(work, WholeWork):
        _run_whole(runtime, lease, progress, run, kind, work)
        return
    if run.stocks_total is None:
        _plan(runtime, lease, run, work)
    if _is_ready(runtime, lease, run, kind):
        _finish(runtime, lease, progress, run, kind, work)


def _plan(runtime: Runtime, lease: Lease, run: DataRefreshLog, work: StockWork) -> None:
    options = runs.options_of(run)
    with runtime.database.begin() as session:
        jobs.hold(session, lease)
        chosen = work.select(session, options.selection)
        batches = items.plan(session, run, chosen, options.batch_size)
        made = [_new_batch(session, runtime, lease.job_id, run.id, batch) for batch in batches]
        jobs.set_total(session, lease, len(chosen))
    logger.info("run planned", extra={"run": run.id, "kind": run.refresh_type, "stocks": len(chosen)})
    _enqueue(runtime, made)


def _new_batch(session: Session, runtime: Runtime, parent_id: str, run_id: int, batch: int) -> str:
    job, _ = jobs.create(
        session,
        kind=BATCH_JOB,
        workspace_id=None,
        user_id=None,
        arguments={"run": run_id, "batch": batch},
        max_attempts=runtime.settings.job_max_attempts,
        unique_key=f"batch:{run_id}:{batch}",
        parent_id=parent_id,
    )
    return job.id


def _enqueue(runtime: Runtime, job_ids: Sequence[str]) -> None:
    for job_id in job_ids:
        enqueue(runtime, job_id, BATCH_JOB)


def _is_ready(runtime: Runtime, lease: Lease, run: DataRefreshLog, kind: RunKind) -> bool:
    """Whether every stock has come to an end; else the run is suspended until its last batch wakes it."""
    with runtime.database.begin() as session:
        # First, so that a batch that ends meanwhile either waits for us or is seen.
        jobs.hold(session, lease)
        unfinished = jobs.unfinished_children(session, lease.job_id)
        lost = sorted(set(items.waiting_batches(session, run.id)) - {int(child["batch"]) for child in unfinished})
        if not unfinished and not lost:
            return True
        renewals = int(lease.arguments.get("renewals", 0)) + len(lost)
        made: list[str] = []
        for batch in lost:
            logger.warning("batch ended badly", extra={"run": run.id, "batch": batch, "renewals": renewals})
            if renewals <= MOST_RENEWALS:
                made.append(_new_batch(session, runtime, lease.job_id, run.id, batch))
            else:
                items.fail_waiting(session, run.id, batch, NOT_WORKED_ON)
        if not unfinished and not made:
            return True
        done, failed, total = items.count(session, run.id)
        message = report.progress_message(kind, done, failed, total)
        jobs.suspend(session, lease, WATCHDOG_SECONDS, message, {**lease.arguments, "renewals": renewals})
    _enqueue(runtime, made)
    return False


def _finish(
    runtime: Runtime, lease: Lease, progress: ProgressReporter, run: DataRefreshLog, kind: RunKind, work: StockWork
) -> None:
    with runtime.database.read() as session:
        counts = items.count(session, run.id)
        failures = items.failures_by_source(session, run.id)
        failed_stocks = items.first_failed(session, run.id, report.MOST_TOLD)
    progress.check()
    told = dict(work.finish(runtime.database))
    details = {**told, "failures": failures, "failed_stocks": failed_stocks}
    _end(runtime, lease, run, kind, counts, details, failures)


def _run_whole(
    runtime: Runtime, lease: Lease, progress: ProgressReporter, run: DataRefreshLog, kind: RunKind, work: WholeWork
) -> None:
    try:
        outcome = work.run(context_of(runtime), progress)
    except NothingFetched as error:
        report.log_failures(run, error.failures)
        with runtime.database.begin() as session:
            jobs.fail(session, lease, str(error))
            runs.end(session, run, "failed", (0, 0, 0), {"failures": error.failures}, str(error))
        return
    counts = (outcome.updated, outcome.failed, outcome.total)
    _end(runtime, lease, run, kind, counts, {**outcome.details, "failures": outcome.failures}, outcome.failures)


def _end(
    runtime: Runtime,
    lease: Lease,
    run: DataRefreshLog,
    kind: RunKind,
    counts: tuple[int, int, int],
    details: Mapping[str, Any],
    failures: Mapping[str, Mapping[str, int]],
) -> None:
    updated, failed, total = counts
    report.log_failures(run, failures)
    status = runs.status_of(failed, total)
    message = report.progress_message(kind, updated, failed, total)
    with runtime.database.begin() as session:
        jobs.complete(session, lease, {"run": run.id, "status": status, **report.counts(counts), **details}, message)
        runs.end(session, run, status, counts, details, report.failures_text(failures) or None)
    logger.info("run ended", extra={"run": run.id, "kind": kind.name, "status": status, **report.counts(counts)})
