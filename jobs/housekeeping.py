"""Periodic tasks that a worker runs: forgetting what has expired. Each may run twice without harm."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from klyx.config import load_settings
from klyx.runtime import Runtime, build_runtime
from klyx.services import auth, jobs, workspaces
from klyx.services.workspace_files import remove_workspace_folders, sweep_orphan_files

logger = logging.getLogger(__name__)
ENTRY_POINT = "jobs.housekeeping.run"


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """`run` returns how many things it removed."""

    interval_seconds: int
    run: Callable[[Runtime], int]


def delete_expired_workspaces(runtime: Runtime) -> int:
    with runtime.database.begin() as session:
        expired = workspaces.delete_expired(session, datetime.now(UTC))
    # After the commit: files without a row are swept up one day, a row without its files would be wrong.
    remove_workspace_folders(runtime.settings.instance_folder, expired)
    return len(expired)


def delete_orphan_files(runtime: Runtime) -> int:
    return sweep_orphan_files(runtime.database, runtime.settings.instance_folder)


def forget_expired_tokens(runtime: Runtime) -> int:
    with runtime.database.begin() as session:
        return auth.forget_expired_tokens(session, datetime.now(UTC))


def delete_finished_jobs(runtime: Runtime) -> int:
    kept_for = timedelta(seconds=runtime.settings.job_retention_seconds)
    with runtime.database.begin() as session:
        return jobs.delete_finished_before(session, datetime.now(UTC) - kept_for)


TASKS: Mapping[str, PeriodicTask] = {
    "expired-workspaces": PeriodicTask(600, delete_expired_workspaces),
    "orphan-files": PeriodicTask(6 * 3600, delete_orphan_files),
    "expired-tokens": PeriodicTask(3600, forget_expired_tokens),
    "finished-jobs": PeriodicTask(3600, delete_finished_jobs),
}


def run(name: str) -> None:
    """The entry point that messages in the queue name."""
    with closing(build_runtime(load_settings())) as runtime:
        removed = TASKS[name].run(runtime)
    logger.info("housekeeping done", extra={"task": name, "removed": removed})
