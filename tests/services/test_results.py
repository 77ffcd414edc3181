from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from klyx.database import Database
from klyx.services import results
from tests.jobs.support import new_job
from tests.workspaces import new_workspace


def row(name: str) -> dict[str, Any]:
    return {"Stock Name": name, "NSE Code": None, "zeta": 1, "alpha": "\u0909", "_quality": {"score": 5}}


def test_rows_replace_earlier_ones_and_keep_their_order(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "ROWS_AT_ONCE", 2)
    workspace_id, other = new_workspace(database), new_workspace(database)
    job_id = new_job(database, workspace_id=workspace_id).id
    with database.begin() as session:
        results.replace(session, workspace_id, job_id, [row(name) for name in "EDCBA"])
        results.replace(session, other, job_id, [row("X")])
    with database.begin() as session:
        results.replace(session, workspace_id, job_id, [row(name) for name in "CBA"])
    with database.read() as session:
        found = results.of_workspace(session, workspace_id)
        assert [stock["Stock Name"] for stock in results.of_workspace(session, other)] == ["X"]
    assert [stock["Stock Name"] for stock in found] == ["C", "B", "A"]
    assert list(found[0]) == ["Stock Name", "NSE Code", "zeta", "alpha", "_quality"]
    assert found[0] == row("C")


def test_nan_is_refused_by_the_database_layer(database: Database) -> None:
    workspace_id = new_workspace(database)
    job_id = new_job(database, workspace_id=workspace_id).id
    broken = {**row("A"), "zeta": float("nan")}
    with pytest.raises(Exception, match=r"[Oo]ut of range float"), database.begin() as session:
        results.replace(session, workspace_id, job_id, [broken])


def test_download_names() -> None:
    assert results.download_name("csv", datetime(2026, 1, 31, tzinfo=UTC)) == "klyx-results-2026-01-31.csv"
