"""Starting runs on request: by those who have the key, and by anybody, within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from klyx.config import Settings
from klyx.database.models import DataRefreshLog
from klyx.database.types import utc_now
from klyx.schedules import Schedule
from klyx.services.market_runs import items, report, runs, slots
from klyx.services.market_runs.kinds import DEFAULT_BATCH_SIZE, RUN_KINDS, Selection
from klyx.services.market_runs.runs import Options

# What a run that anybody may start asks the sources for.
MOST_STOCKS_WITHOUT_KEY = 100
DONE_KEYS = {"enrich": "enriched", "fundamentals": "synced"}


@dataclass(frozen=True, slots=True)
class Begun:
    """The run that was asked for, or the one that stands for it; `is_new`: enqueue its job after the commit."""

    run: DataRefreshLog
    is_new: bool
    message: str
    summary: Mapping[str, Any]


def begin(session: Session, settings: Settings, kind: str, options: Options) -> Begun:
    """Start a run, or find the one of its kind that is going on."""
    is_whole = options.selection.offset == 0 and options.selection.limit is None
    if is_whole and options.slot is None:
        # It does what the schedule would do, which need not do it again.
        schedule = slots.schedules_of(settings).get(kind, Schedule())
        options = replace(options, slot=slots.slot_of(session, schedule, utc_now()))
    run, is_new = runs.start(session, kind, options, settings.job_max_attempts)
    return Begun(run, is_new, _message(run, options, is_new=is_new), summary(session, run))


def _message(run: DataRefreshLog, asked: Options, *, is_new: bool) -> str:
    title = RUN_KINDS[run.refresh_type].title
    if is_new:
        return f"{title}: the run was started."
    if asked.started_by == "visitor" or runs.options_of(run).selection.covers(asked.selection):
        return f"{title}: a run is going on already."
    # Nothing remembers what was asked for, so whoever asked has to know.
    return (
        f"{title}: run {run.id} is going on already, over fewer stocks than you asked for. "
        "Your run was not started: please ask again when that one has ended."
    )


def kick(session: Session, settings: Settings, kind: str, batch_size: int) -> Begun:
    """The same for a caller without a key: a small run, and none soon after another of its kind."""
    last = runs.latest(session, kind)
    interval = settings.worker_kick_interval_seconds
    if last is not None and last.status != "running":
        age = runs.seconds_since_start(last, utc_now())
        if age < interval:
            minutes = max(1, round((interval - age) / 60))
            message = f"{RUN_KINDS[kind].title}: a run was made a moment ago; the next may start in {minutes} min."
            return Begun(last, False, message, summary(session, last))
    # At least the default: a run over one stock would use up the interval of the cron callers, who have no key either.
    limit = None if kind == "refresh" else max(DEFAULT_BATCH_SIZE, min(batch_size, MOST_STOCKS_WITHOUT_KEY))
    return begin(session, settings, kind, Options("visitor", Selection(limit=limit)))


def summary(session: Session, run: DataRefreshLog) -> dict[str, Any]:
    """How far a run is, under the names that callers of each kind know."""
    details = run.details or {}
    done, failed, total = run.stocks_updated or 0, run.stocks_failed or 0, run.stocks_total or 0
    told: dict[str, Any] = {"state": run.status}
    if run.refresh_type == "populate":
        told |= {"inserted": details.get("inserted", 0), "updated": details.get("updated", 0)}
    else:
        told[DONE_KEYS.get(run.refresh_type, "updated")] = done
    told |= {"failed": failed, "total": total}
    if run.refresh_type == "fundamentals":
        options = runs.options_of(run)
        told |= {"batch_size": options.selection.limit or options.batch_size, "offset": options.selection.offset}
        told["details"] = items.first_ended(session, run.id, report.MOST_TOLD)
    return told
