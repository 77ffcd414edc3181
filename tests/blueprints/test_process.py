from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from klyx.config import Settings
from tests.api import Api, serve
from tests.jobs.support import program, wait_for
from tests.workspaces import GOOD_CSV, GOOD_XLSX, analyse, rows_of, send, start

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_the_answer_has_the_shape_that_both_clients_read(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV), ("b.xlsx", GOOD_XLSX))
    answer = api.post("/api/process")
    assert answer.status_code == 202
    body = answer.json()
    task_id = body["task_id"]
    assert UUID.fullmatch(task_id)
    assert body == {
        "status": "success",
        "message": "Analysis started for 2 stocks",
        "data": {"task_id": task_id, "state": "PENDING", "stocks": 2},
        "task_id": task_id,
        "check_status_url": f"/api/process/status/{task_id}",
    }
    status = api.get(body["check_status_url"]).json()
    assert status["status"] == "PENDING"
    assert status["task_id"] == task_id
    assert status["message"]
    assert "error" not in status


def test_a_real_worker_runs_it(api: Api) -> None:
    settings = api.runtime.settings
    environment = {
        "FLASK_ENV": "testing",
        "INSTANCE_FOLDER": str(settings.instance_folder),
        "POSTGRES_URL": settings.postgres_url,
        "REDIS_URL": settings.redis_url,
        "YAHOO_ENABLED": "false",
    }
    api.starter()
    user = api.register()
    with program("jobs.worker", environment):
        send(user.client, ("a.csv", GOOD_CSV), ("b.xlsx", GOOD_XLSX), headers=user.headers)
        task_id = start(user.client, user.headers)

        def status() -> dict[str, Any]:
            found: dict[str, Any] = user.client.get(f"/api/process/status/{task_id}", headers=user.headers).json()
            return found

        wait_for(lambda: status()["status"] in ("SUCCESS", "FAILURE"), "the analysis")
    assert status()["status"] == "SUCCESS"
    assert status()["result"]["stocks"] == 2
    rows = {row["NSE Code"]: row for row in rows_of(user.client)}
    assert rows["RELIANCE"]["Market Capitalization"] == 1_000_000_000
    assert rows["INFY"]["Tech_RSI"] == 55.5
    held = user.client.get("/api/portfolio", headers=user.headers).json()["data"]["stock_names"]
    assert sorted(held) == ["Infosys Ltd.", "Reliance Industries Ltd."]


def test_a_second_click_gets_the_running_analysis(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV))
    task_id = start(api)
    send(api, ("b.xlsx", GOOD_XLSX))
    again = api.post("/api/process")
    assert again.status_code == 202
    assert again.json()["task_id"] == task_id
    assert again.json()["message"] == "An analysis of 1 stock is running already"


def test_clicks_at_the_same_time_start_one_analysis(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV))
    together = threading.Barrier(4)

    def click(_: int) -> tuple[str, str]:
        with api.new_client() as client:
            client.cookies.update(api.cookies)
            together.wait()
            body = client.post("/api/process").json()
            return body["task_id"], body["message"]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(click, range(4)))
    assert len({task_id for task_id, _ in answers}) == 1
    assert sum("started" in message for _, message in answers) == 1


def test_after_the_end_a_click_starts_a_new_analysis(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV))
    first = analyse(api, api)
    assert start(api) != first["task_id"]


def test_nobodys_request_is_told_why(api: Api) -> None:
    answer = api.post("/api/process")
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"
    assert "cookie" in answer.json()["message"]
    assert not api.cookies


def test_nothing_uploaded_and_an_empty_portfolio(api: Api) -> None:
    user = api.register()
    for headers in ({}, user.headers):
        answer = user.client.post("/api/process", headers=headers)
        assert answer.status_code == 400
        assert "Upload a workbook" in answer.json()["message"]


def test_without_files_the_portfolio_is_analysed(api: Api) -> None:
    api.starter()
    user = api.register()
    for name in ("Infosys Ltd.", "Nobody Knows This Pvt Ltd"):
        user.client.post("/api/portfolio/add", json={"stock_name": name}, headers=user.headers)
    stock = api.get("/api/stock/INFY").json()["data"]
    status = analyse(api, user.client)
    assert status["result"]["stocks"] == 2
    assert len(status["result"]["not_enriched"]) == 2
    known, unknown = rows_of(user.client)
    assert known["Stock Name"] == "Infosys Ltd."
    assert known["NSE Code"] == "INFY"
    assert known["Market Capitalization"] == stock["market_cap"]
    assert known["Data Sources"] == stock["data_sources"]
    capital = stock["total_assets"] - stock["current_liabilities"]
    profit = stock["revenue_annual"] * stock["operating_margin_pct"] / 100
    assert known["Operating Profit Annual"] == pytest.approx(profit)
    assert known["ROCE Annual %"] == pytest.approx(profit / capital * 100, abs=1e-4)
    technicals = {name: value for name, value in stock.items() if name.startswith("Tech_")}
    assert technicals["Tech_MACD_Signal"]
    assert {name: known.get(name) for name in technicals} == technicals
    assert unknown["Stock Name"] == "Nobody Knows This Pvt Ltd"
    assert unknown["NSE Code"] is None
    assert unknown["Current Price"] is None


def test_what_workbooks_say_never_reaches_the_stock_table(api: Api) -> None:
    api.starter()
    before = api.get("/api/stock/RELIANCE").json()
    send(api, ("a.csv", GOOD_CSV))
    analyse(api, api)
    assert api.get("/api/stock/RELIANCE").json() == before


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("request_kwargs", "code"),
    [
        ({}, 202),
        ({"headers": {"Content-Type": "application/json"}}, 202),
        ({"json": {"use_multi_source": True, "other": [1]}}, 202),
        ({"json": {"use_multi_source": "perhaps"}}, 400),
        ({"json": [1]}, 400),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400),
    ],
)
def test_bodies(api: Api, request_kwargs: dict[str, Any], code: int) -> None:
    send(api, ("a.csv", GOOD_CSV))
    answer = api.post("/api/process", **request_kwargs)
    assert answer.status_code == code
    assert answer.json()["status"] == ("success" if code == 202 else "error")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("task_id", ["x", "00000000-0000-4000-8000-000000000000", "a%27b", "%F0%9F%93%88"])
def test_unknown_tasks_end_polling(api: Api, task_id: str) -> None:
    answer = api.get(f"/api/process/status/{task_id}")
    assert answer.status_code == 404
    body = answer.json()
    assert body["status"] == "FAILURE"
    assert body["error"]
    assert body["message"]
    assert body["task_id"]


def test_a_users_task_is_found_by_token_and_by_cookie_and_by_nobody_else(api: Api) -> None:
    user, other = api.register(), api.register()
    send(user.client, ("a.csv", GOOD_CSV))
    task_id = start(user.client)
    path = f"/api/process/status/{task_id}"
    assert user.client.get(path).status_code == 200
    assert api.get(path, headers=user.headers).status_code == 200
    assert api.get(path, headers=other.headers).status_code == 404
    assert other.client.get(path).status_code == 404
    assert api.get(path).status_code == 404


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_without_redis_the_row_waits_for_the_scheduler(
    app_settings: Settings, fresh_app: Callable[[Settings], Flask]
) -> None:
    settings = dataclasses.replace(app_settings, redis_url="redis://127.0.0.1:1/0", rate_limit_storage_url="memory://")
    app = fresh_app(settings)
    with serve(app) as url, Api(url, app) as api:
        send(api, ("a.csv", GOOD_CSV))
        task_id = start(api)
        assert api.get(f"/api/process/status/{task_id}").json()["status"] == "PENDING"
