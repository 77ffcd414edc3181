"""Runs as rows of `data_refresh_log`: each has a job that leads it, and no two of a kind overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from klyx.database.models import DataRefreshLog, Job
from klyx.database.types import utc_now
from klyx.services import jobs
from klyx.services.market_runs.kinds import DEFAULT_BATCH_SIZE, LARGEST_BATCH_SIZE, Selection
from klyx.services.market_runs.names import RUN_JOB

Status = Literal["success", "partial", "failed"]
StartedBy = Literal["schedule", "command", "key", "visitor"]
_IS_ABANDONED = and_(
    DataRefreshLog.status == "running",
    ~select(Job.id).where(Job.id == DataRefreshLog.job_id, Job.finished_at.is_(None)).exists(),
)
INTERRUPTED = "The run was interrupted too often and was given up. The next one goes on with what it left."

EVERY_STALE_STOCK = Selection()


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is to go; `slot` is the moment of the schedule that it stands for, as ISO text."""

    started_by: StartedBy
    selection: Selection = EVERY_STALE_STOCK
    batch_size: int = DEFAULT_BATCH_SIZE
    slot: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def options_of(run: DataRefreshLog) -> Options:
    given = dict((run.details or {}).get("options", {}))
    selection = Selection(**given.pop("selection", {}))
    return Options(**{"started_by": "command", **given, "selection": selection})


def start(session: Session, kind: str, options: Options, max_attempts: int) -> tuple[DataRefreshLog, bool]:
    """The kind's run: a new one and True, or the one that is going on and False.

    Enqueue a new one's job (`job_id`, of the kind RUN_JOB) after the commit.
    """
    end_abandoned(session, kind)
    job, is_new = jobs.create(
        session,
        kind=RUN_JOB,
        workspace_id=None,
        user_id=None,
        arguments={"kind": kind},
        max_attempts=max_attempts,
        unique_key=f"run:{kind}",
    )
    if not is_new and (run := session.scalar(select(DataRefreshLog).where(DataRefreshLog.job_id == job.id))):
        return run, False
    batch_size = max(1, min(options.batch_size, LARGEST_BATCH_SIZE))
    details: dict[str, Any] = {"options": {**options.as_json(), "batch_size": batch_size}}
    if options.slot:
        details["slot"] = options.slot
    run = DataRefreshLog(
        refresh_type=kind, status="running", started_at=utc_now(), job_id=job.id, details=details,
        stocks_updated=0, stocks_failed=0,
    )
    session.add(run)
    session.flush()
    return run, True


def run_of(session: Session, job_id: str) -> DataRefreshLog | None:
    """The run that a job leads."""
    return session.scalar(select(DataRefreshLog).where(DataRefreshLog.job_id == job_id))


def find(session: Session, run_id: int) -> DataRefreshLog | None:
    return session.get(DataRefreshLog, run_id)


def latest(session: Session, kind: str) -> DataRefreshLog | None:
    """The kind's run that was started last."""
    newest = select(DataRefreshLog).where(DataRefreshLog.refresh_type == kind)
    return session.scalar(newest.order_by(DataRefreshLog.started_at.desc(), DataRefreshLog.id.desc()).limit(1))


def end(
    session: Session,
    run: DataRefreshLog,
    status: Status,
    counts: tuple[int, int, int],
    details: Mapping[str, Any],
    error: str | None = None,
) -> None:
    """Write down how a run ended; `counts` are the stocks updated, failed, and in all."""
    now = utc_now()
    updated, failed, total = counts
    session.execute(
        update(DataRefreshLog)
        .where(DataRefreshLog.id == run.id, DataRefreshLog.status == "running")
        .values(
            status=status,
            completed_at=now,
            duration_seconds=int((now - run.started_at).total_seconds()),
            stocks_updated=updated,
            stocks_failed=failed,
            stocks_total=total,
            error_message=error,
            details={**(run.details or {}), **details},
        )
        .execution_options(synchronize_session=False)
    )


def status_of(failed: int, total: int) -> Status:
    """Success without a failure, failed with nothing else, and partial in between."""
    if failed == 0:
        return "success"
    return "partial" if failed < total else "failed"


def end_abandoned(session: Session, kind: str | None = None) -> Sequence[str]:
    """End the running runs whose job has ended without them; returns their kinds."""
    alone = select(DataRefreshLog).where(_IS_ABANDONED)
    if kind is not None:
        alone = alone.where(DataRefreshLog.refresh_type == kind)
    runs = session.scalars(alone).all()
    for run in runs:
        if run.job_id:
            jobs.end_children(session, run.job_id, INTERRUPTED)
        updated, failed = run.stocks_updated or 0, run.stocks_failed or 0
        end(session, run, "partial" if updated else "failed", (updated, failed, run.stocks_total or 0), {}, INTERRUPTED)
    return [run.refresh_type for run in runs]


def has_abandoned(session: Session) -> bool:
    return session.scalar(select(DataRefreshLog.id).where(_IS_ABANDONED).limit(1)) is not None


def list_runs(session: Session, limit: int, offset: int = 0) -> Sequence[tuple[DataRefreshLog, Job | None]]:
    """Runs with the jobs that lead them, the newest first."""
    newest = (
        select(DataRefreshLog, Job)
        .outerjoin(Job, Job.id == DataRefreshLog.job_id)
        .order_by(DataRefreshLog.started_at.desc(), DataRefreshLog.id.desc())
    )
    return [(run, job) for run, job in session.execute(newest.limit(limit).offset(offset))]


def last_slot(session: Session, kind: str, *, ended_well: bool = False) -> str | None:
    """The latest moment of the schedule for which a run of the kind was started, as ISO text.

    `ended_well`: only runs that have ended and stored something.
    """
    slot = DataRefreshLog.details["slot"].as_string()
    of_kind = select(slot).where(DataRefreshLog.refresh_type == kind, slot.is_not(None))
    if ended_well:
        of_kind = of_kind.where(DataRefreshLog.status.in_(("success", "partial")))
    return session.scalar(of_kind.order_by(slot.desc()).limit(1))


def seconds_since_start(run: DataRefreshLog, now: datetime) -> float:
    return (now - run.started_at).total_seconds()
