from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from klyx.config import Settings
from tests.api import Api, Client, serve
from tests.workbooks.bombs import far_corner, high_ratio
from tests.workbooks.files import xlsx_of
from tests.workspaces import GOOD_CSV, GOOD_XLSX, analyse, rows_of, send, start, stored_files

UNKNOWN_COMPANY = b"Stock Name\nSome Unlisted Pvt Ltd\n"


def portfolio_of(client: Client, headers: dict[str, str]) -> list[str]:
    names: list[str] = client.get("/api/portfolio", headers=headers).json()["data"]["stock_names"]
    return names


def test_each_file_is_judged_on_its_own(api: Api) -> None:
    answer = send(api, ("a.csv", GOOD_CSV), ("notes.txt", b"x"), ("empty.xlsx", b""), ("b.xlsx", GOOD_XLSX))
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "success"
    assert body["files"] == ["a.csv", "b.xlsx"]
    assert [refusal["file"] for refusal in body["refused"]] == ["notes.txt", "empty.xlsx"]
    assert "notes.txt" in body["message"]
    assert body["stocks_added"] == 0
    assert sorted(path.suffix for path in stored_files(api)) == [".csv", ".xlsx"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_bombs_are_refused_and_the_good_file_counts(api: Api) -> None:
    answer = send(api, ("bomb.xlsx", high_ratio()), ("corner.xlsx", far_corner()), ("good.csv", GOOD_CSV))
    assert answer.json()["files"] == ["good.csv"]
    assert len(answer.json()["refused"]) == 2
    assert analyse(api, api)["result"]["stocks"] == 1
    assert [row["NSE Code"] for row in rows_of(api)] == ["RELIANCE"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("..\\..\\evil.csv", "evil.csv"),
        ("<b>\U0001f4c8 stocks</b>.csv", "b.csv"),
        ("a\u202egpj.csv", "agpj.csv"),
        ("x" * 300 + ".csv", "x" * 116 + ".csv"),
        (".csv", "workbook.csv"),
    ],
)
def test_hostile_names_are_only_shown(api: Api, name: str, shown: str) -> None:
    answer = send(api, (name, GOOD_CSV))
    assert answer.json()["files"] == [shown]
    inside = (api.runtime.settings.instance_folder / "workspaces").resolve()
    stored = stored_files(api)
    assert len(stored) == 1
    assert inside in stored[0].resolve().parents
    assert stored[0].stem.count("-") == 4


def test_reasons_of_refused_files_are_remembered(api: Api) -> None:
    answer = send(api, ("prices.csv", b"Price\n1\n"), ("locked.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600)))
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"
    assert '"Stock Name"' in answer.json()["message"]
    told = api.post("/api/process")
    assert told.status_code == 400
    assert "prices.csv" in told.json()["message"]
    assert "locked.xlsx" in told.json()["message"]


def test_process_tells_of_refused_files_until_an_analysis_has_reported_them(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV), ("bad.txt", b"x"))
    answer = api.post("/api/process").json()
    assert answer["message"].startswith("Analysis started for 1 stock. ")
    assert "bad.txt" in answer["message"]
    status = analyse(api, api)
    assert status["result"]["files_skipped"][0]["file"] == "bad.txt"
    assert "bad.txt" not in api.post("/api/process").json()["message"]


def test_a_corrected_file_of_the_same_name_replaces_the_earlier(api: Api) -> None:
    send(api, ("list.csv", GOOD_CSV))
    send(api, ("list.csv", b"Stock Name,NSE Code\nInfosys Ltd.,INFY\n"))
    assert len(stored_files(api)) == 1
    assert analyse(api, api)["result"]["stocks"] == 1
    assert [row["NSE Code"] for row in rows_of(api)] == ["INFY"]


def test_a_refused_file_leaves_the_earlier_one_of_its_name(api: Api) -> None:
    send(api, ("list.csv", GOOD_CSV))
    assert send(api, ("list.csv", b"nothing,useful\n1,2\n")).status_code == 400
    assert analyse(api, api)["result"]["stocks"] == 1


def test_an_accepted_file_ends_the_refusal_of_its_name(api: Api) -> None:
    send(api, ("list.csv", b"nothing\n1\n"))
    send(api, ("list.csv", GOOD_CSV))
    assert "list.csv" not in api.post("/api/process").json()["message"]


def test_files_of_one_request_with_the_same_name_both_count(api: Api) -> None:
    answer = send(api, ("one/list.csv", GOOD_CSV), ("two/list.csv", b"Stock Name\nInfosys Ltd.\n"))
    assert answer.json()["files"] == ["list.csv", "list (2).csv"]
    assert analyse(api, api)["result"]["stocks"] == 2


def test_nothing_sent_is_a_400_and_leaves_no_workspace(api: Api) -> None:
    for answer in (
        api.post("/api/upload"),
        api.post("/api/upload", files=[("other", ("a.csv", GOOD_CSV))]),
        api.post("/api/upload", data={"files[]": "a.csv"}),
        api.post("/api/upload", json={"files[]": ["a.csv"]}),
        api.post("/api/upload", files=[("files[]", ("", b""))]),
    ):
        assert answer.status_code == 400
        assert answer.json()["status"] == "error"
        assert "files[]" in answer.json()["message"]
    assert not api.cookies


def test_too_large_a_request_is_413(api: Api) -> None:
    answer = send(api, ("big.csv", b"x" * (api.runtime.settings.max_request_bytes + 1)))
    assert answer.status_code == 413
    assert "10 MB" in answer.json()["message"]


def test_a_users_holdings_go_into_the_portfolio_under_the_stocks_names(api: Api) -> None:
    api.starter()
    user = api.register()
    content = b"Stock Name,NSE Code\nReliance,reliance.ns\nINFOSYS LTD,\nUnlisted Pvt Ltd,\n"
    answer = send(user.client, ("a.csv", content))
    assert answer.json()["stocks_added"] == 2
    names = portfolio_of(user.client, user.headers)
    stocks = api.post("/api/database/stocks/batch", json={"stock_names": names}).json()["data"]
    assert [stock["nse_code"] for stock in stocks] == ["RELIANCE", "INFY"]
    assert [stock["stock_name"] for stock in stocks] == names
    assert send(user.client, ("a.csv", content)).json()["stocks_added"] == 0


def test_the_token_wins_over_the_cookie(api: Api) -> None:
    first, second = api.register(), api.register()
    send(first.client, ("a.csv", GOOD_CSV), headers=second.headers)
    assert first.client.get("/api/verify_symbols").json()["status"] == "no_files"
    assert second.client.get("/api/verify_symbols").json()["status"] == "success"


def test_an_invalid_token_is_401(api: Api) -> None:
    assert send(api, ("a.csv", GOOD_CSV), headers={"Authorization": "Bearer nonsense"}).status_code == 401
    for method, path in (
        ("GET", "/api/verify_symbols"),
        ("POST", "/api/submit_corrections"),
        ("POST", "/api/process"),
        ("GET", "/api/process/status/x"),
        ("GET", "/api/results"),
        ("POST", "/api/clear"),
        ("POST", "/api/use_sample"),
    ):
        json = {"a": "B"} if "corrections" in path else None
        answer = api.request(method, path, json=json, headers={"Authorization": "Bearer nonsense"})
        assert answer.status_code == 401, path
        assert answer.json()["status"] == "error"
    assert stored_files(api) == []


def test_null_tokens_are_nobody(api: Api) -> None:
    assert send(api, ("a.csv", GOOD_CSV), headers={"Authorization": "Bearer null"}).status_code == 200


def test_two_browsers_never_see_each_others_files(api: Api) -> None:
    one, two = api.new_client(), api.new_client()
    send(one, ("a.csv", GOOD_CSV))
    send(two, ("a.csv", b"Stock Name,NSE Code\nInfosys Ltd.,INFY\n"))
    analyse(api, one)
    assert two.get("/api/results").status_code == 404
    task = start(two)
    assert one.get(f"/api/process/status/{task}").status_code == 404
    assert [row["NSE Code"] for row in rows_of(one)] == ["RELIANCE"]
    assert one.post("/api/clear").status_code == 200
    assert two.get("/api/verify_symbols").json()["valid"] + two.get("/api/verify_symbols").json()["invalid"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_quotas_on_files_and_bytes(app_settings: Settings, fresh_app: Callable[[Settings], Flask]) -> None:
    app = fresh_app(dataclasses.replace(app_settings, workspace_max_files=2, workspace_max_bytes=40_000))
    with serve(app) as url, Api(url, app) as api:
        answer = send(api, *((f"{number}.csv", GOOD_CSV) for number in range(3)))
        assert answer.json()["files"] == ["0.csv", "1.csv"]
        assert "At most 2 files" in answer.json()["refused"][0]["reason"]
        large = b"Stock Name\n" + b"\n".join(b"Company %d" % number for number in range(3_000))
        assert send(api, ("1.csv", large)).status_code == 200
        too_much = send(api, ("0.csv", large))
        assert too_much.status_code == 400
        assert "MB of files" in too_much.json()["message"]
        assert len(stored_files(api)) == 2
        assert send(api, ("0.csv", GOOD_CSV)).status_code == 200


def test_uploads_at_the_same_time_stay_within_the_quota(
    app_settings: Settings, fresh_app: Callable[[Settings], Flask]
) -> None:
    app = fresh_app(dataclasses.replace(app_settings, workspace_max_files=3))
    with serve(app) as url, Api(url, app) as api:
        send(api, ("0.csv", GOOD_CSV))
        together = threading.Barrier(4)

        def upload(number: int) -> int:
            with api.new_client() as client:
                client.cookies.update(api.cookies)
                together.wait()
                return send(client, (f"{number}.csv", GOOD_CSV)).status_code

        with ThreadPoolExecutor(4) as pool:
            codes = sorted(pool.map(upload, range(1, 5)))
        assert codes == [200, 200, 400, 400]
        assert len(stored_files(api)) == 3


def test_use_sample_loads_four_workbooks_that_give_way_to_own_ones(api: Api) -> None:
    api.starter()
    user = api.register()
    answer = user.client.post("/api/use_sample")
    assert answer.status_code == 200
    assert len(answer.json()["files"]) == 4
    assert analyse(api, user.client)["result"]["stocks"] == 50
    assert portfolio_of(user.client, user.headers) == []
    send(user.client, ("a.csv", GOOD_CSV))
    assert analyse(api, user.client)["result"]["stocks"] == 1


def test_clear_deletes_files_corrections_and_results_but_not_the_portfolio(api: Api) -> None:
    api.starter()
    user = api.register()
    send(user.client, ("a.csv", GOOD_CSV), ("bad.txt", b"x"))
    user.client.post("/api/submit_corrections", json={"RELIANCE": "INFY"})
    analyse(api, user.client)
    held = portfolio_of(user.client, user.headers)
    answer = user.client.post("/api/clear")
    assert answer.status_code == 200
    assert answer.json()["message"]
    assert user.client.get("/api/results").status_code == 404
    assert user.client.get("/api/verify_symbols").json()["status"] == "no_files"
    assert stored_files(api) == []
    assert portfolio_of(user.client, user.headers) == held
    send(user.client, ("a.csv", GOOD_CSV))
    assert user.client.get("/api/verify_symbols").json()["valid"] == ["RELIANCE"]


def test_clear_of_nothing_is_fine(api: Api) -> None:
    assert api.post("/api/clear").status_code == 200
    assert not api.cookies


def test_clear_ends_a_waiting_analysis(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV))
    task = start(api)
    api.post("/api/clear")
    status = api.get(f"/api/process/status/{task}").json()
    assert status["status"] == "FAILURE"
    assert "cleared" in status["error"]
    assert api.post("/api/process").status_code == 400


def test_xlsx_with_merged_headings_and_duplicates(api: Api) -> None:
    content = xlsx_of(
        [
            ["My portfolio", None, None],
            ["Stock Name", "NSE Code", "Current Price"],
            ["Infosys Ltd.", "INFY", "Export NA"],
            ["Infosys Ltd.", "INFY", 1500.0],
            ["=SUM(A1)", None, "twelve"],
        ]
    )
    assert send(api, ("merged.xlsx", content)).status_code == 200
    result = analyse(api, api)["result"]
    assert result["stocks"] == 2
    assert result["problems"]
    assert rows_of(api)[0]["Current Price"] == 1500
