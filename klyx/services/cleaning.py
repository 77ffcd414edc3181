"""Forgetting the details of old runs; the counts of a run stay for a year."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from sqlalchemy import CursorResult, delete, select

from klyx.database.models import DataRefreshLog, RefreshItem
from klyx.database.types import utc_now
from klyx.services.jobs import ProgressReporter
from klyx.services.market_runs.kinds import Outcome, WholeWork, WorkContext

ITEMS_KEPT_FOR = timedelta(days=30)
RUNS_KEPT_FOR = timedelta(days=400)


def run(context: WorkContext, progress: ProgressReporter) -> Outcome:
    now = utc_now()
    old = select(DataRefreshLog.id).where(DataRefreshLog.completed_at < now - ITEMS_KEPT_FOR)
    with context.database.begin() as session:
        of_old_runs = delete(RefreshItem).where(RefreshItem.run_id.in_(old))
        forgotten = cast("CursorResult[None]", session.execute(of_old_runs)).rowcount
    progress.check()
    with context.database.begin() as session:
        ended_long_ago = delete(DataRefreshLog).where(DataRefreshLog.completed_at < now - RUNS_KEPT_FOR)
        removed = cast("CursorResult[None]", session.execute(ended_long_ago)).rowcount
    return Outcome(0, 0, 0, {"forgotten_stocks_of_runs": forgotten, "forgotten_runs": removed})


def preview(_context: WorkContext) -> Outcome:
    return Outcome(0, 0, 0)


WORK = WholeWork(run, preview)
