from __future__ import annotations

import io
import os
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from klyx.database import Database
from klyx.database.types import utc_now
from klyx.services.workspace_files import (
    publish,
    remove_files,
    remove_workspace_folders,
    stored_path,
    sweep_orphan_files,
    workspace_folder,
    write_draft,
)
from tests.workspaces import new_workspace


def aged(path: Path, hours: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    moment = utc_now().timestamp() - hours * 3600
    os.utime(path, (moment, moment))
    return path


def test_a_draft_gets_its_name_only_when_it_is_published(tmp_path: Path) -> None:
    draft, size_bytes = write_draft(tmp_path / "new", "id", io.BytesIO(b"x" * 600_000))
    assert size_bytes == 600_000
    assert draft.name == ".id"
    final = tmp_path / "new" / "id.csv"
    publish(draft, final)
    assert final.stat().st_size == 600_000
    assert not draft.exists()
    assert draft.parent.stat().st_mode & 0o077 == 0


def test_sweep_removes_old_files_without_a_row_only(database: Database, tmp_path: Path) -> None:
    workspace_id = new_workspace(database, "known.csv")
    folder = workspace_folder(tmp_path, workspace_id)
    known = aged(stored_path(tmp_path, workspace_id, "known.csv"))
    orphan, draft = aged(folder / "orphan.csv"), aged(folder / ".draft")
    young = aged(folder / "young.csv", hours=0)
    assert sweep_orphan_files(database, tmp_path) == 2
    assert known.exists()
    assert young.exists()
    assert not orphan.exists()
    assert not draft.exists()
    assert sweep_orphan_files(database, tmp_path, older_than=timedelta(seconds=-5)) == 1
    assert known.exists()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_sweep_removes_folders_of_workspaces_that_are_gone(database: Database, tmp_path: Path) -> None:
    gone, living = workspace_folder(tmp_path, str(uuid4())), workspace_folder(tmp_path, new_workspace(database))
    aged(gone / "a.csv")
    living.mkdir()
    assert sweep_orphan_files(database, tmp_path) == 1
    assert not gone.exists()
    assert living.exists()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_sweep_without_any_workspace(database: Database, tmp_path: Path) -> None:
    assert sweep_orphan_files(database, tmp_path / "nothing") == 0


def test_removing_what_is_not_there_or_cannot_be_removed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = aged(tmp_path / "file")
    remove_files([tmp_path / "missing", folder, file])
    assert not file.exists()
    assert folder.exists()
    assert "could not be deleted" in caplog.text


def test_folders_of_expired_workspaces_go(tmp_path: Path) -> None:
    kept, gone = aged(workspace_folder(tmp_path, "a") / "x.csv"), aged(workspace_folder(tmp_path, "b") / "x.csv")
    remove_workspace_folders(tmp_path, ["b", "c"])
    assert kept.exists()
    assert not gone.parent.exists()
