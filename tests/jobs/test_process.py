from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import update

from jobs import process
from jobs.handlers import HANDLERS
from jobs.runner import run_job
from klyx.config import Settings
from klyx.database.models import Job
from klyx.database.types import utc_now
from klyx.runtime import Runtime
from klyx.services import jobs, process_inputs
from klyx.services.jobs import Lease, LeaseLost, ProgressReporter
from tests.api import Api
from tests.fakes.yahoo import FakeYahoo
from tests.workspaces import GOOD_CSV, GOOD_XLSX, analyse, rows_of, send, start, stored_files


@pytest.fixture
def yahoo() -> Iterator[FakeYahoo]:
    with FakeYahoo() as fake:
        yield fake


def asking(api: Api, yahoo: FakeYahoo) -> Settings:
    """The application's settings, with Yahoo switched on and reached at the fake."""
    rewrites = tuple(f"{host}={url}" for host, url in yahoo.rewrites.items())
    return dataclasses.replace(
        api.runtime.settings, sources_enabled=("yahoo",), yahoo_enabled=True, source_rewrites=rewrites
    )


class Interrupted(Exception):
    """The worker dies here."""


class Stepwise(ProgressReporter):
    """Calls back when the handler reaches a step."""

    def __init__(self, runtime: Runtime, lease: Lease, step: int, reached: Callable[[], object]) -> None:
        super().__init__(runtime.database, lease)
        self._step = step
        self._reached = reached

    def report(self, current: int, total: int, message: str) -> None:
        if current == self._step:
            self._reached()
        super().report(current, total, message)


def run_until(api: Api, task_id: str, step: int, reached: Callable[[], object]) -> None:
    lease = jobs.claim(api.runtime.database, task_id, 60.0)
    assert lease is not None
    process.run(api.runtime, lease, Stepwise(api.runtime, lease, step, reached))


def test_missing_figures_come_from_the_source_and_known_ones_stay(api: Api, yahoo: FakeYahoo) -> None:
    api.starter()
    content = b"Stock Name,NSE Code,Current Price,Market Capitalization\nReliance,RELIANCE,50,\nUnlisted,ZZZZ,7,\n"
    send(api, ("a.csv", content))
    result = analyse(api, api, asking(api, yahoo))["result"]
    assert result["enriched"] == 1
    assert [left["stock"] for left in result["not_enriched"]] == ["Unlisted"]
    assert "NSE stocks we know" in result["not_enriched"][0]["reason"]
    known, unlisted = rows_of(api)
    assert known["Current Price"] == 50
    assert known["Market Capitalization"] > 1e12
    assert known["Operating Profit Margin Qtr %"] == 12.5
    assert known["Data Sources"] == "Workbook, Yahoo Finance"
    assert known["Last Updated"].endswith("Z")
    assert unlisted["Current Price"] == 7
    assert unlisted["Data Sources"] == "Workbook"
    assert yahoo.asked("ZZZZ") == 0


@pytest.mark.parametrize("failure", ["503", "429", "garbage"])
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_source_that_fails_does_not_fail_the_job(api: Api, yahoo: FakeYahoo, failure: str) -> None:
    yahoo.fail_with(failure)  # type: ignore[arg-type]
    api.starter()
    send(api, ("a.csv", GOOD_CSV), ("b.xlsx", GOOD_XLSX))
    status = analyse(api, api, asking(api, yahoo))
    assert status["status"] == "SUCCESS"
    assert status["result"]["enriched"] == 0
    assert all("Yahoo" in left["reason"] for left in status["result"]["not_enriched"])
    assert {row["NSE Code"] for row in rows_of(api)} == {"RELIANCE", "INFY"}


def test_what_no_source_gives_comes_from_the_stock_table(api: Api, yahoo: FakeYahoo) -> None:
    yahoo.fail_with("503")
    api.starter()
    stored = api.get("/api/stock/TCS").json()["data"]
    send(api, ("a.csv", b"Stock Name,NSE Code,Current Price,ROE Annual %\nTata,TCS,,12.5\nUnlisted,ZZZZ,7,\n"))
    result = analyse(api, api, asking(api, yahoo))["result"]
    assert result["enriched"] == 0
    known, unlisted = rows_of(api)
    assert known["ROE Annual %"] == 12.5
    for column in ("Current Price", "Market Capitalization", "PE TTM Price to Earnings", "1Yr change %"):
        assert known[column] == stored[column]
    assert known["Data Sources"] == f"Workbook, {stored['Data Sources']}"
    assert known["_quality"]["score"] > unlisted["_quality"]["score"]
    assert (unlisted["Current Price"], unlisted["Market Capitalization"]) == (7, None)


def test_a_name_gives_a_missing_or_unknown_symbol(api: Api) -> None:
    api.starter()
    send(api, ("a.csv", b"Stock Name,NSE Code,Symbol\nInfosys,,\nReliance Industries,RELIANC,\nThat one,,TCS\n"))
    result = analyse(api, api)["result"]
    assert [row["NSE Code"] for row in rows_of(api)] == ["INFY", "RELIANCE", "TCS"]
    assert ["RELIANC" in problem["message"] for problem in result["problems"]] == [True]
    assert result["problems"][0]["stock"] == "Reliance Industries"


def test_relative_strength_is_a_place_among_all_stocks_of_the_table(api: Api) -> None:
    api.starter()
    best = max(stock["year_1_change_pct"] or 0 for stock in api.get("/api/database/stocks?limit=100").json()["data"])
    send(api, ("a.csv", f"Stock Name,1Yr change %\nBest,{best + 1}\nAs good,{best}\nWorst,-100\n".encode()))
    analyse(api, api)
    first, second, last = (row["Relative Strength"] for row in rows_of(api))
    assert (first, last) == (99, 0)
    assert 90 < second <= 99


@pytest.mark.parametrize("heading", ["Symbol", "NSE Code", "Ticker"])
def test_a_list_of_symbols_is_analysed_under_the_stocks_names(api: Api, heading: str) -> None:
    api.starter()
    user = api.register()
    content = f"{heading},Day MFI\nINFY.NS,60\nRELIANC,50\nZZZZ,40\n".encode()
    answer = send(user.client, ("a.csv", content), ("b.csv", b"Stock Name,Day RSI\nInfosys Ltd.,40\n"))
    assert answer.json()["stocks_added"] == 1
    verified = user.client.get("/api/verify_symbols").json()
    assert [unknown["symbol"] for unknown in verified["invalid"]] == ["RELIANC", "ZZZZ"]
    user.client.post("/api/submit_corrections", json={"RELIANC": "RELIANCE INDUSTRIES LTD."})
    held = user.client.get("/api/portfolio", headers=user.headers).json()["data"]["stock_names"]
    assert sorted(held) == ["Infosys Ltd.", "Reliance Industries Ltd."]
    assert analyse(api, user.client)["result"]["stocks"] == 3
    rows = {row["NSE Code"]: row for row in rows_of(user.client)}
    assert {code: row["Stock Name"].casefold() for code, row in rows.items()} == {
        "INFY": "infosys ltd.",
        "RELIANCE": "reliance industries ltd.",
        "ZZZZ": "zzzz",
    }
    assert (rows["INFY"]["Day RSI"], rows["INFY"]["Day MFI"]) == (40, 60)


def test_a_file_that_vanished_is_reported_and_the_rest_goes_on(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV), ("b.xlsx", GOOD_XLSX))
    next(path for path in stored_files(api) if path.suffix == ".csv").unlink()
    result = analyse(api, api)["result"]
    assert [skipped["file"] for skipped in result["files_skipped"]] == ["a.csv"]
    assert "a.csv" in result["message"]
    assert [row["NSE Code"] for row in rows_of(api)] == ["INFY"]


def test_a_file_that_was_damaged_meanwhile_is_reported(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV), ("b.xlsx", GOOD_XLSX))
    next(path for path in stored_files(api) if path.suffix == ".xlsx").write_bytes(b"PK damaged")
    assert [skipped["file"] for skipped in analyse(api, api)["result"]["files_skipped"]] == ["b.xlsx"]


def test_when_no_file_is_left_the_job_fails_and_earlier_results_stay(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV))
    analyse(api, api)
    stored_files(api)[0].unlink()
    status = analyse(api, api)
    assert status["status"] == "FAILURE"
    assert "a.csv" in status["error"]
    assert "upload it again" in status["error"]
    assert len(rows_of(api)) == 1


def test_clear_while_it_runs_leaves_nothing(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV))
    task_id = start(api)
    with pytest.raises(LeaseLost):
        run_until(api, task_id, process.SAVING, lambda: api.post("/api/clear").raise_for_status())
    assert api.get("/api/results").status_code == 404
    status = api.get(f"/api/process/status/{task_id}").json()
    assert status["status"] == "FAILURE"
    assert "cleared" in status["error"]


def test_a_new_analysis_after_clear_is_not_disturbed_by_the_old_one(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV))
    task_id = start(api)

    def clear_and_start_again() -> None:
        api.post("/api/clear").raise_for_status()
        send(api, ("b.xlsx", GOOD_XLSX))
        assert analyse(api, api)["status"] == "SUCCESS"

    with pytest.raises(LeaseLost):
        run_until(api, task_id, process.SAVING, clear_and_start_again)
    assert [row["NSE Code"] for row in rows_of(api)] == ["INFY"]


def test_an_interrupted_attempt_is_done_again_with_the_same_result(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV), ("b.xlsx", GOOD_XLSX), ("bad.txt", b"x"))
    task_id = start(api)

    def die() -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        run_until(api, task_id, process.SAVING, die)
    assert api.get("/api/results").status_code == 404
    progress = api.get(f"/api/process/status/{task_id}").json()["progress"]
    assert 10 <= progress["percent"] < 100
    expire_leases(api)
    run_job(task_id, api.runtime.settings, HANDLERS)
    status = api.get(f"/api/process/status/{task_id}").json()
    assert status["status"] == "SUCCESS"
    assert [skipped["file"] for skipped in status["result"]["files_skipped"]] == ["bad.txt"]
    assert len(rows_of(api)) == 2


def expire_leases(api: Api) -> None:
    with api.runtime.database.begin() as session:
        session.execute(update(Job).values(lease_expires_at=utc_now()))


def test_lists_in_the_result_are_bounded_and_counts_are_complete(api: Api) -> None:
    names = b"\n".join(b"Company %d" % number for number in range(150))
    send(api, ("a.csv", b"Stock Name\n" + names))
    result = analyse(api, api)["result"]
    assert result["stocks"] == 150
    assert len(result["not_enriched"]) == 100
    assert result["not_enriched_count"] == 150
    assert len(rows_of(api)) == 150


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_analysis_is_bounded_whatever_the_files_are_like(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_inputs, "MOST_CELLS", 6)
    send(api, ("a.csv", GOOD_CSV), ("b.xlsx", GOOD_XLSX))
    result = analyse(api, api)["result"]
    assert result["stocks"] == 1
    assert [skipped["file"] for skipped in result["files_skipped"]] == ["b.xlsx"]


def test_figures_of_one_stock_from_several_files_are_joined(api: Api) -> None:
    send(
        api,
        ("b.csv", b"Stock Name,NSE Code,Day RSI,Current Price\nInfosys Ltd.,INFY,40,1\n"),
        ("a.csv", b"Stock Name,NSE Code,Net Profit Annual,Current Price\n infosys  ltd.,,2.5,\nTCS,TCS,,3\n"),
    )
    assert analyse(api, api)["result"]["stocks"] == 2
    joined, other = rows_of(api)
    assert joined["NSE Code"] == "INFY"
    assert joined["Net Profit Annual"] == 25_000_000
    assert joined["Current Price"] == 1
    assert joined["Tech_RSI"] == 40
    assert other["Current Price"] == 3
    assert "Tech_RSI" not in other
