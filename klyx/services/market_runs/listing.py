"""Runs as people and programs are told of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from klyx.database.models import DataRefreshLog, Job
from klyx.services.jobs.status import percent
from klyx.services.market_runs import report, runs
from klyx.services.market_runs.kinds import RUN_KINDS


def told_runs(session: Session, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Runs, the newest first."""
    return [told_run(run, job) for run, job in runs.list_runs(session, limit, offset)]


def told_run(run: DataRefreshLog, job: Job | None) -> dict[str, Any]:
    details = run.details or {}
    kind = RUN_KINDS.get(run.refresh_type)
    updated, failed, total = run.stocks_updated or 0, run.stocks_failed or 0, run.stocks_total
    if run.status == "running":
        reached = percent(job.progress_current, job.progress_total) if job is not None else 0
        message = job.progress_message if job is not None and job.progress_message else "Waiting for a free worker."
    else:
        reached = 100
        message = run.error_message or (report.progress_message(kind, updated, failed, total or 0) if kind else "")
    return {
        "id": run.id,
        "kind": run.refresh_type,
        "title": kind.title if kind is not None else run.refresh_type,
        "state": run.status,
        "started_by": str(details.get("options", {}).get("started_by", "")),
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "duration_seconds": run.duration_seconds,
        "updated": updated,
        "failed": failed,
        "total": total,
        "percent": reached,
        "message": message,
        "failures": details.get("failures", {}),
        "failed_stocks": details.get("failed_stocks", []),
    }
