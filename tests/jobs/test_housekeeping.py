from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from jobs.housekeeping import TASKS, run
from klyx.database.models import Job, RevokedToken, Workspace
from klyx.runtime import Runtime
from klyx.services import jobs
from klyx.services.workspace_files import workspace_folder
from tests.jobs.support import new_job, new_workspace

LONG_AGO = datetime.now(UTC) - timedelta(days=400)


@pytest.fixture(autouse=True)
def worker_environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker would have."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_an_expired_workspace_goes_with_its_rows_and_files(runtime: Runtime) -> None:
    expired, kept = new_workspace(runtime.database), new_workspace(runtime.database)
    for workspace_id in (expired, kept):
        new_job(runtime.database, workspace_id=workspace_id)
        folder = workspace_folder(runtime.settings.instance_folder, workspace_id)
        folder.mkdir(parents=True)
        (folder / "workbook").touch()
    with runtime.database.begin() as session:
        session.execute(update(Workspace).where(Workspace.id == expired).values(expires_at=LONG_AGO))
    run("expired-workspaces")
    with runtime.database.read() as session:
        assert list(session.scalars(select(Workspace.id))) == [kept]
        assert list(session.scalars(select(Job.workspace_id))) == [kept]
    folders: Path = workspace_folder(runtime.settings.instance_folder, kept).parent
    assert [folder.name for folder in folders.iterdir()] == [kept]


def test_finished_jobs_are_kept_for_their_time(runtime: Runtime) -> None:
    old, young = new_job(runtime.database), new_job(runtime.database)
    for job in (old, young):
        lease = jobs.claim(runtime.database, job.id, 60)
        assert lease is not None
        with runtime.database.begin() as session:
            jobs.complete(session, lease, {})
    with runtime.database.begin() as session:
        session.execute(update(Job).where(Job.id == old.id).values(finished_at=LONG_AGO))
    run("finished-jobs")
    with runtime.database.read() as session:
        assert list(session.scalars(select(Job.id))) == [young.id]


def test_expired_tokens_are_forgotten(runtime: Runtime) -> None:
    with runtime.database.begin() as session:
        session.add(RevokedToken(jti="old", expires_at=LONG_AGO))
        session.add(RevokedToken(jti="new", expires_at=datetime.now(UTC) + timedelta(days=1)))
    run("expired-tokens")
    with runtime.database.read() as session:
        assert list(session.scalars(select(RevokedToken.jti))) == ["new"]


def test_files_without_a_row_are_swept_up(runtime: Runtime) -> None:
    folder = workspace_folder(runtime.settings.instance_folder, new_workspace(runtime.database))
    folder.mkdir(parents=True)
    orphan = folder / "orphan"
    orphan.touch()
    os.utime(orphan, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    run("orphan-files")
    assert not orphan.exists()


def test_every_task_can_run_twice(runtime: Runtime) -> None:
    for name in (*TASKS, *TASKS):
        run(name)
    with runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Workspace)) == 0
