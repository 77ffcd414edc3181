from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobs.queue import MARKET_QUEUE_NAME
from klyx.config import Settings
from klyx.database.models import DataRefreshLog, Job
from klyx.database.types import utc_now
from klyx.services.market_runs import items
from klyx.services.market_runs.kinds import Chosen, Fetched
from klyx.sources.metrics import Tally
from tests.api import Api, serve

API_KEY = "a key for these tests"
HEADERS = {"X-API-Key": API_KEY}
KICKS = ("/worker/refresh", "/worker/enrich", "/worker/sync-fundamentals")
KEYED = (
    "/worker/populate",
    "/worker/migrate",
    "/worker/trigger/enrich",
    "/worker/trigger/nonsense",
    "/api/database/init",
    "/api/database/populate",
    "/api/database/enrich",
    "/api/database/refresh",
    "/api/migrate",
)


@pytest.fixture
def app_settings(app_settings: Settings) -> Settings:
    return dataclasses.replace(app_settings, worker_api_key=API_KEY)


@pytest.fixture
def strict(app_settings: Settings, fresh_app: Callable[[Settings], Flask]) -> Iterator[Api]:
    app = fresh_app(dataclasses.replace(app_settings, worker_key_required=True))
    with serve(app) as url, Api(url, app) as client:
        yield client


@pytest.fixture
def keyless(app_settings: Settings, fresh_app: Callable[[Settings], Flask]) -> Iterator[Api]:
    app = fresh_app(dataclasses.replace(app_settings, worker_api_key=""))
    with serve(app) as url, Api(url, app) as client:
        yield client


def runs_of(api: Api) -> list[DataRefreshLog]:
    with api.runtime.database.read() as session:
        return list(session.scalars(select(DataRefreshLog).order_by(DataRefreshLog.id)))


def end_runs(api: Api) -> None:
    with api.runtime.database.begin() as session:
        for run in session.scalars(select(DataRefreshLog).where(DataRefreshLog.status == "running")):
            run.status, run.completed_at = "success", run.started_at
            ended = update(Job).where(Job.id == run.job_id)
            session.execute(ended.values(state="succeeded", finished_at=run.started_at))


def options(run: DataRefreshLog) -> dict[str, Any]:
    assert run.details is not None
    found: dict[str, Any] = run.details["options"]
    return found


@pytest.mark.parametrize("path", KICKS)
def test_cron_callers_without_a_key_start_a_small_run(api: Api, path: str) -> None:
    body = None if path.endswith("refresh") else {"batch_size": 5000, "offset": 7, "max_stocks": 9999}
    answer = api.post(path, json=body)
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "success"
    assert "run_id" not in answer.json()["data"]
    (run,) = runs_of(api)
    selection = options(run)["selection"]
    assert selection == {"offset": 0, "limit": None if path.endswith("refresh") else 100, "everything": False}
    waiting = api.runtime.redis.lrange(f"rq:queue:{MARKET_QUEUE_NAME}", 0, -1)
    assert waiting == [str(run.job_id).encode()]


@pytest.mark.parametrize("path", ["/worker/enrich", "/worker/sync-fundamentals"])
def test_nobody_without_a_key_spoils_the_interval_with_a_run_over_next_to_nothing(api: Api, path: str) -> None:
    assert api.post(path, json={"batch_size": 1}).status_code == 202
    assert options(runs_of(api)[0])["selection"]["limit"] == 50
    end_runs(api)
    api.post(path, json={"batch_size": 1, "max_stocks": 1}, headers=HEADERS)
    assert options(runs_of(api)[1])["selection"]["limit"] == 1


def test_kicks_come_one_at_a_time_and_not_soon_again(api: Api) -> None:
    for _ in range(3):
        assert api.post("/worker/refresh").status_code == 202
    assert len(runs_of(api)) == 1
    end_runs(api)
    again = api.post("/worker/refresh").json()
    assert "the next may start in 10 min" in again["message"]
    assert again["data"]["state"] == "success"
    assert len(runs_of(api)) == 1
    assert api.post("/worker/refresh", headers=HEADERS).json()["data"]["run_id"] != runs_of(api)[0].id
    assert len(runs_of(api)) == 2


def test_whoever_asks_for_more_than_is_going_on_is_told_to_ask_again(api: Api) -> None:
    api.post("/worker/enrich", json={"batch_size": 100})
    (run,) = runs_of(api)
    for more in ({}, {"max_stocks": 101}, {"max_stocks": 50, "offset": 51}):
        answer = api.post("/worker/enrich", json=more, headers=HEADERS)
        assert (answer.status_code, answer.json()["data"]["run_id"]) == (202, run.id)
        assert f"run {run.id} is going on already, over fewer stocks" in answer.json()["message"]
        assert "ask again" in answer.json()["message"]
    for no_more in ({"max_stocks": 100}, {"max_stocks": 50, "offset": 50}):
        answer = api.post("/worker/enrich", json=no_more, headers=HEADERS)
        assert answer.json()["message"] == "Figures: a run is going on already."
    # The full run is still owed, and may start as soon as there is room.
    end_runs(api)
    assert api.post("/worker/enrich", headers=HEADERS).json()["message"] == "Figures: the run was started."
    assert api.post("/worker/enrich", headers=HEADERS).json()["message"] == "Figures: a run is going on already."


def test_with_the_key_the_caller_decides(api: Api) -> None:
    api.post("/worker/enrich", json={"batch_size": 20, "max_stocks": 300, "offset": 40}, headers=HEADERS)
    (run,) = runs_of(api)
    assert options(run)["selection"] == {"offset": 40, "limit": 300, "everything": False}
    assert (options(run)["batch_size"], options(run)["started_by"]) == (20, "key")


def test_with_the_key_a_batch_size_alone_bounds_jobs_and_not_the_run(api: Api) -> None:
    api.post("/worker/enrich", json={"batch_size": 20}, headers=HEADERS)
    (run,) = runs_of(api)
    assert options(run)["selection"] == {"offset": 0, "limit": None, "everything": False}
    assert options(run)["batch_size"] == 20


@pytest.mark.parametrize("path", KEYED)
def test_all_else_needs_the_key(api: Api, path: str) -> None:
    for headers in ({}, {"X-API-Key": "another key, a wrong one"}, {"X-API-Key": "ключ".encode().decode("latin-1")}):
        answer = api.post(path, headers=headers)
        assert answer.status_code == 401, answer.text
        assert answer.json()["status"] == "error"
    assert runs_of(api) == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_without_a_configured_key_it_is_refused(keyless: Api) -> None:
    for headers in ({}, {"X-API-Key": ""}, HEADERS):
        answer = keyless.post("/worker/populate", headers=headers)
        assert answer.status_code == 401
        assert "WORKER_API_KEY" in answer.json()["message"]
    assert keyless.get("/worker/runs").status_code == 401
    assert keyless.post("/worker/refresh").status_code == 202


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", KICKS)
def test_a_deployment_can_demand_the_key(strict: Api, path: str) -> None:
    assert strict.post(path).status_code == 401
    assert strict.post(path, headers={"X-API-Key": "wrong"}).status_code == 401
    assert strict.post(path, headers=HEADERS).status_code == 202


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_triggers(api: Api) -> None:
    assert api.post("/worker/trigger/nonsense", headers=HEADERS).status_code == 400
    for task in ("enrich", "populate", "refresh"):
        assert api.post(f"/worker/trigger/{task}", headers=HEADERS).status_code == 202
    assert [run.refresh_type for run in runs_of(api)] == ["enrich", "populate", "refresh"]
    assert api.get("/worker/nothing-here").json()["status"] == "error"


def test_maintenance(api: Api) -> None:
    assert api.post("/api/database/init", headers=HEADERS).json()["status"] == "success"
    results = api.post("/api/migrate", headers=HEADERS).json()["results"]
    assert results
    assert {result["status"] for result in results} == {"skipped"}
    assert api.post("/api/database/populate?exchange=BSE", headers=HEADERS).status_code == 400
    data = api.post("/api/database/refresh", headers=HEADERS).json()["data"]
    assert data["populate"] == {"state": "running", "inserted": 0, "updated": 0, "failed": 0, "total": 0, "run_id": 1}
    assert data["enrich"]["enriched"] == 0
    assert data["stats"]["total_stocks"] == 0
    populate, enrich = runs_of(api)
    assert (populate.refresh_type, options(enrich)["selection"]["limit"]) == ("populate", 50)


def test_the_runs_are_told_to_programs_and_to_people(api: Api) -> None:
    api.starter()
    api.post("/worker/sync-fundamentals", json={"batch_size": 2}, headers=HEADERS)
    with api.runtime.database.begin() as session:
        run = session.scalars(select(DataRefreshLog)).one()
        items.plan(session, run, [Chosen(1, "INFY"), Chosen(2, "<b>")], 50)
        results = [Fetched(item, error="It is <gone>.") for item in items.waiting(session, run.id, 0)[1:]]
        items.end(session, run.id, results)
        run.details = {**(run.details or {}), "failed_stocks": items.first_failed(session, run.id, 10)}
    (told,) = api.get("/worker/runs", headers=HEADERS).json()["data"]
    assert (told["kind"], told["state"], told["failed"], told["total"]) == ("fundamentals", "running", 1, 2)
    assert told["failed_stocks"] == [{"stock": "<b>", "error": "It is <gone>."}]
    summary = api.post("/worker/sync-fundamentals", headers=HEADERS).json()["data"]
    assert summary["details"] == [{"stock": "<b>", "status": "failed", "error": "It is <gone>."}]
    assert (summary["synced"], summary["batch_size"], summary["offset"]) == (0, 2, 0)

    page = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    refused = api.get("/worker/runs", headers=page)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    shown = api.get("/worker/runs", headers=page, auth=("", API_KEY))
    assert shown.status_code == 200
    assert "text/html" in shown.headers["Content-Type"]
    assert "Statements" in shown.text
    assert "It is &lt;gone&gt;." in shown.text
    assert api.get("/worker/runs", auth=("", "wrong")).status_code == 401


def test_what_asking_each_source_cost_is_told_by_day(api: Api) -> None:
    api.runtime.redis.delete(f"klyx:sources:{utc_now().date().isoformat()}")
    tally = Tally("nse", api.runtime.redis)
    tally.asked(None, 0.5)
    tally.asked("timeout", 1.5, 0.25)
    (used,) = api.get("/worker/sources", headers=HEADERS).json()["data"]
    assert used == {
        "source": "nse",
        "requests": 2,
        "failures": {"timeout": 1},
        "seconds_waited": 0.25,
        "seconds_asked": 2.0,
    }
    assert api.get("/worker/sources?day=2020-01-01", headers=HEADERS).json()["data"] == []
    assert api.get("/worker/sources?day=soon", headers=HEADERS).status_code == 400
    assert api.get("/worker/sources").status_code == 401
