"""Statements over HTTP: kept ones, and ones that a real worker fetches from a MoneyControl on this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

import klyx.lookup_waiting
from bench.market.server import Simulator
from klyx.config import load_settings
from klyx.database.models import FundamentalsCache, Job
from klyx.database.types import utc_now
from klyx.services import lookups
from klyx.services.lookups import WaitingRoom
from tests.api import Api, serve
from tests.jobs.support import program, wait_for
from tests.servers import ThrowAwayRedis
from tests.sources.moneycontrol import GROUP, MARKET, SINGLE, moneycontrol
from tests.stock_rows import add_stock

PATH = f"/api/stock/{GROUP.symbol}/fundamentals"
LONG_AGO = utc_now().replace(year=2020)


@dataclass
class Site:
    """The application on its own servers, the simulated source, and what a worker needs to know of both."""

    api: Api
    simulator: Simulator
    environment: dict[str, str]

    def lookups(self) -> int:
        with self.api.runtime.database.read() as session:
            return session.scalar(select(func.count()).select_from(Job)) or 0

    def unfinished(self) -> int:
        with self.api.runtime.database.read() as session:
            return session.scalar(select(func.count()).select_from(Job).where(Job.finished_at.is_(None))) or 0


@pytest.fixture
def site(
    engine: str,
    database_url: str,
    own_redis: ThrowAwayRedis,
    tmp_path: Path,
    fresh_app: Callable[..., Flask],
) -> Iterator[Site]:
    with moneycontrol() as (simulator, _):
        environment = {
            "FLASK_ENV": "testing",
            "INSTANCE_FOLDER": str(tmp_path),
            "POSTGRES_URL": database_url if engine == "postgresql" else "",
            "REDIS_URL": own_redis.url,
            "SOURCES_ENABLED": "moneycontrol",
            "SOURCE_LIMIT_MONEYCONTROL": "500 per second",
            **simulator.environment,
        }
        app = fresh_app(load_settings(environment))
        with serve(app) as url, Api(url, app) as api:
            with api.runtime.database.begin() as session:
                for company in (GROUP, SINGLE):
                    add_stock(session, company.name, company.symbol)
            yield Site(api, simulator, environment)


def test_a_worker_fetches_what_is_missing_once(site: Site) -> None:
    callers = [{}, {}, site.api.register().headers]
    with program("jobs.worker", site.environment), ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda headers: site.api.new_client().get(PATH, headers=headers), callers))
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        data = answers[0].json()["data"]
        assert list(data) == ["balance_sheet", "profit_loss", "cash_flow", "ratios", "meta"]
        years = [f"Mar {year}" for year in range(2026, 2016, -1)]
        assert all(list(row) == ["headers", *years] for name in list(data)[:4] for row in data[name])
        assert data["meta"]["type"] == "standalone"
        assert site.lookups() == 1
        site.simulator.arrivals.clear()
        again = site.api.get(PATH, headers={"If-None-Match": answers[0].headers["ETag"]})
        assert again.status_code in (200, 304)
        assert site.api.get(PATH, params={"type": "consolidated"}).json()["data"]["meta"]["type"] == "consolidated"
        # Of a company without a group there are none, which is remembered.
        single = f"/api/stock/{SINGLE.symbol}/fundamentals"
        for _attempt in range(2):
            answer = site.api.get(single, params={"type": "consolidated"})
            assert answer.status_code == 404
            assert answer.json()["status"] == "error"
        assert site.lookups() == 3
        # Old statements are served at once while a worker looks for newer ones.
        with site.api.runtime.database.begin() as session:
            row = session.get_one(FundamentalsCache, (GROUP.symbol, "standalone"))
            row.payload = {**row.payload, "checked_at": LONG_AGO.isoformat()}
            row.fetched_at = LONG_AGO
        assert site.api.get(PATH).json()["data"]["meta"]["fetched_at"].startswith("2020-")
        wait_for(lambda: "2020-" not in site.api.get(PATH).text, "the newer statements")
        assert site.lookups() == 4


def test_another_sources_statements_are_served_until_the_one_that_failed_answers(site: Site) -> None:
    def source() -> str:
        return str(site.api.get(PATH).json()["data"]["meta"]["source"])

    with Simulator(MARKET) as simulator:
        simulator.fail("html", slug="moneycontrol", times=1)
        several = {"SOURCES_ENABLED": "moneycontrol,yahoo", "SOURCE_LIMIT_YAHOO": "500 per second"}
        with program("jobs.worker", site.environment | several | dict(simulator.environment)):
            assert source() == "Yahoo Finance"
            wait_for(lambda: source() == "MoneyControl", "the better statements")
    assert site.lookups() == 2


def test_a_source_that_is_down_is_told_and_not_asked_at_every_look(site: Site) -> None:
    site.simulator.fail("500")
    with program("jobs.worker", site.environment):
        for _attempt in range(2):
            answer = site.api.get(PATH)
            assert answer.status_code == 503
            assert answer.json()["status"] == "error"
            assert int(answer.headers["Retry-After"]) > 0
    assert site.lookups() == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_nobody_waits_for_ever(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(klyx.lookup_waiting, "LONGEST_WAIT_SECONDS", 0.2)
    for _attempt in range(2):
        answer = site.api.get(PATH)
        assert answer.status_code == 503
        assert answer.json()["message"] == klyx.lookup_waiting.TAKES_LONGER
        assert int(answer.headers["Retry-After"]) > 0
    assert site.lookups() == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_few_wait_at_a_time_and_nothing_is_looked_for_on_behalf_of_others(site: Site) -> None:
    room = WaitingRoom(1)
    site.api.app.extensions[klyx.lookup_waiting.ROOM_KEY] = room
    with room.place():
        answer = site.api.get(PATH)
    assert answer.status_code == 503
    assert answer.json()["message"] == lookups.BUSY
    assert site.lookups() == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_one_caller_does_not_keep_others_from_a_first_look(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(klyx.lookup_waiting, "LONGEST_WAIT_SECONDS", 2.0)
    user = site.api.register()
    kinds = ("standalone", "consolidated") * 4
    with ThreadPoolExecutor(8) as threads:
        many = threads.map(lambda kind: site.api.new_client().get(PATH, params={"type": kind}), kinds)
        wait_for(lambda: site.lookups() > 0, "the first lookup")
        other = user.client.get(PATH, headers=user.headers)
        messages = [answer.json()["message"] for answer in many]
    assert other.json()["message"] == klyx.lookup_waiting.TAKES_LONGER
    assert messages.count(klyx.lookup_waiting.TAKES_LONGER) == 2
    assert messages.count(lookups.BUSY) == 6


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_not_more_lookups_than_a_few_are_under_way(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(klyx.lookup_waiting, "LONGEST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(lookups, "MOST_UNDER_WAY", 1)
    site.api.get(PATH)
    assert site.api.get(PATH, params={"type": "consolidated"}).status_code == 503
    assert site.unfinished() == 1
    with site.api.runtime.database.begin() as session:
        session.execute(update(Job).values(state="succeeded", finished_at=utc_now()))
    site.api.get(PATH, params={"type": "consolidated"})
    assert site.unfinished() == 1


@pytest.mark.parametrize("symbol", ["undefined", "null", "NOSUCHCO", "a b", "%2e%2e", "x" * 200])
def test_symbols_we_do_not_list_are_answered_at_once_and_not_looked_for(api: Api, symbol: str) -> None:
    answer = api.get(f"/api/stock/{symbol}/fundamentals?type=standalone")
    assert answer.status_code == 404
    assert answer.json()["status"] == "error"
    with api.runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 0


@pytest.mark.parametrize("kind", ["both", "STANDALONE", "standalone'--"])
def test_other_kinds_are_refused(api: Api, kind: str) -> None:
    answer = api.get("/api/stock/INFY/fundamentals", params={"type": kind})
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"


def test_kept_statements_are_served_under_both_paths_and_for_any_spelling(api: Api) -> None:
    rows = [{"headers": label, "Mar 2025": 1.5, "Mar 2024": None} for label in ("Total Debt", "Total Assets")]
    sections = {"balance_sheet": rows, "profit_loss": [], "cash_flow": [], "ratios": []}
    with api.runtime.database.begin() as session:
        add_stock(session, "Mahindra & Mahindra", "M&M")
        session.add(
            FundamentalsCache(
                symbol="M&M",
                type="standalone",
                payload={"sections": sections, "source": "MoneyControl", "checked_at": utc_now().isoformat()},
                fetched_at=utc_now(),
            )
        )
    for path in ("/api/stock/M%26M/fundamentals", "/api/v1/stock/m&m.NS/fundamentals?type="):
        body = api.get(path).json()
        assert body["status"] == "success"
        assert body["data"]["balance_sheet"] == rows
        assert body["data"]["cash_flow"] == []
        assert body["data"]["meta"]["type"] == "standalone"


def test_a_web_process_loads_neither_pandas_nor_lxml() -> None:
    code = (
        "import sys, klyx, klyx.blueprints.fundamentals; print(sorted({'pandas', 'lxml', 'yfinance'} & {*sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
