from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from klyx.config import Settings
from klyx.database import Database
from klyx.database.models import Upload, Workspace
from klyx.errors import Conflict, KlyxError
from klyx.services import symbols, upload
from klyx.services.upload import IncomingFile, clear, receive, use_samples
from tests.workspaces import GOOD_CSV, new_workspace


@pytest.fixture
def settings(app_settings: Settings) -> Settings:
    return app_settings


def incoming(name: str, content: bytes = GOOD_CSV) -> IncomingFile:
    return IncomingFile(name, io.BytesIO(content))


def files_of(settings: Settings) -> list[Path]:
    return [path for path in (settings.instance_folder / "workspaces").rglob("*") if path.is_file()]


def count_uploads(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Upload)) or 0


def test_a_file_has_a_row_with_what_is_in_it(database: Database, settings: Settings) -> None:
    workspace_id = new_workspace(database)
    content = b"Stock Name,Symbol\nA,X1\nA,X1\n,\nB,\n" + b"C" * 300 + b",\n"
    received = receive(database, settings, workspace_id, [incoming("a.csv", content)])
    assert received.files == ["a.csv"]
    with database.read() as session:
        row = session.scalars(select(Upload)).one()
    assert row.size_bytes == len(content)
    assert row.column_count == 2
    assert row.stored_name == files_of(settings)[0].name
    assert row.holdings == [
        {"stock_name": "A", "nse_code": None, "symbol": "X1"},
        {"stock_name": "B", "nse_code": None, "symbol": None},
        {"stock_name": "C" * 255, "nse_code": None, "symbol": None},
    ]


def test_a_failed_commit_leaves_neither_row_nor_file(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace_id = new_workspace(database)

    def fail(*_: object) -> int:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(symbols, "add_to_portfolio", fail)
    with pytest.raises(RuntimeError):
        receive(database, settings, workspace_id, [incoming("a.csv"), incoming("b.csv")])
    assert files_of(settings) == []
    assert count_uploads(database) == 0


def test_a_workspace_that_ended_meanwhile_keeps_nothing(database: Database, settings: Settings) -> None:
    workspace_id = new_workspace(database)
    with database.begin() as session:
        session.execute(delete(Workspace))
    with pytest.raises(Conflict):
        receive(database, settings, workspace_id, [incoming("a.csv")])
    assert files_of(settings) == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_refused_files_leave_nothing_on_disk(database: Database, settings: Settings) -> None:
    workspace_id = new_workspace(database)
    bad = [incoming("a.txt"), incoming("b.csv", b"Price\n1\n"), incoming("c.xlsx"), incoming("d.csv", b"")]
    received = receive(database, settings, workspace_id, bad)
    assert received.files == []
    assert [refusal.file for refusal in received.refused] == ["a.txt", "b.csv", "c.xlsx", "d.csv"]
    assert files_of(settings) == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_reading_ends_before_the_clients_give_up(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "READING_SECONDS", 0.1)
    received = receive(database, settings, new_workspace(database), [incoming("a.csv")])
    assert [refusal.reason for refusal in received.refused] == [upload.TOO_LATE]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_more_files_than_are_kept_are_not_even_read(database: Database, settings: Settings) -> None:
    few = dataclasses.replace(settings, workspace_max_files=2)
    received = receive(database, few, new_workspace(database), [incoming(f"{n}.csv", b"") for n in range(5)])
    assert len(received.refused) == 5
    assert count_uploads(database) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"Stock Name,NSE Code\n,RELIANCE\n",
        b"Stock Name,NSE Code\nExport NA,RELIANCE\n",
        b"Stock Name\n",
        b"Person\nReliance\n",
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_workbook_without_names_is_refused_with_the_heading(
    database: Database, settings: Settings, content: bytes
) -> None:
    received = receive(database, settings, new_workspace(database), [incoming("a.csv", content)])
    assert received.files == []
    assert "Stock Name" in received.refused[0].reason or "no stocks" in received.refused[0].reason


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("paths", [lambda folder: [folder / "missing.xlsx"], lambda _: []])
def test_missing_samples_are_our_fault(
    database: Database, settings: Settings, tmp_path: Path, paths: Callable[[Path], list[Path]]
) -> None:
    with pytest.raises(KlyxError, match="sample workbooks are missing") as raised:
        use_samples(database, settings, new_workspace(database), paths(tmp_path))
    assert raised.value.status == 500


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_sample_does_not_replace_an_own_file_of_its_name(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    workspace_id = new_workspace(database)
    receive(database, settings, workspace_id, [incoming("list.csv")])
    sample = tmp_path / "list.csv"
    sample.write_bytes(b"Stock Name\nSample Ltd.\n")
    for _ in range(2):
        assert use_samples(database, settings, workspace_id, [sample]).files == ["list.csv"]
    assert count_uploads(database) == 2
    assert len(files_of(settings)) == 2


def test_clear_tells_how_many_files_went(database: Database, settings: Settings) -> None:
    workspace_id = new_workspace(database)
    receive(database, settings, workspace_id, [incoming("a.csv"), incoming("b.csv"), incoming("c.txt")])
    assert clear(database, settings, workspace_id) == 2
    assert clear(database, settings, workspace_id) == 0
    assert files_of(settings) == []
    assert count_uploads(database) == 0
