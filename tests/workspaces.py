"""What tests of uploads and analyses share: sending workbooks, and running jobs as a worker does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from jobs.handlers import HANDLERS
from jobs.runner import run_job
from klyx.config import Settings
from klyx.database import Database
from klyx.database.models import Upload, UploadState, Workspace
from klyx.database.types import utc_now
from tests.api import Api, Client
from tests.workbooks.files import xlsx_of

GOOD_CSV = b"Stock Name,NSE Code,Market Capitalization,Current Price\nReliance Industries Ltd.,RELIANCE,100,50\n"
GOOD_XLSX = xlsx_of([["Stock Name", "NSE Code", "Day RSI"], ["Infosys Ltd.", "INFY", 55.5]])
SAMPLES = Path(__file__).parent.parent.parent / "shared" / "samples"


def send(
    client: Client, *files: tuple[str, bytes], path: str = "/api/upload", headers: Mapping[str, str] | None = None
) -> requests.Response:
    """Uploads (name, content) pairs as the clients do."""
    return client.post(path, files=[("files[]", file) for file in files], headers=dict(headers or {}))


def start(client: Client, headers: Mapping[str, str] | None = None) -> str:
    """Starts the analysis; returns its task id."""
    answer = client.post("/api/process", headers=dict(headers or {}))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


def analyse(api: Api, client: Client, settings: Settings | None = None) -> dict[str, Any]:
    """Starts the analysis and runs it here; returns its final status."""
    task_id = start(client)
    run_job(task_id, settings or api.runtime.settings, HANDLERS)
    answer = client.get(f"/api/process/status/{task_id}")
    assert answer.status_code == 200, answer.text
    status: dict[str, Any] = answer.json()
    return status


def rows_of(client: Client) -> list[dict[str, Any]]:
    answer = client.get("/api/results")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


def stored_files(api: Api) -> list[Path]:
    """Every file of every workspace on disk."""
    folder = api.runtime.settings.instance_folder / "workspaces"
    return [path for path in folder.rglob("*") if path.is_file()]


def new_workspace(database: Database, stored_name: str | None = None) -> str:
    """An anonymous workspace, with the row of one upload when a name is given."""
    with database.begin() as session:
        workspace = Workspace(created_at=utc_now(), last_used_at=utc_now())
        session.add(workspace)
        session.flush()
        if stored_name:
            session.add(
                Upload(
                    workspace_id=workspace.id,
                    original_name="a.csv",
                    stored_name=stored_name,
                    extension=".csv",
                    size_bytes=1,
                    state=UploadState.ACCEPTED,
                )
            )
        return workspace.id
