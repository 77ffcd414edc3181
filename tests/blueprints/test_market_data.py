"""What the sources say over HTTP, asked by a real worker from a MoneyControl on this machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from bench.market.server import Simulator
from klyx.config import load_settings
from klyx.database.models import Job
from klyx.database.types import utc_now
from tests.api import Api, serve
from tests.jobs.support import program
from tests.servers import ThrowAwayRedis
from tests.sources.moneycontrol import GROUP, moneycontrol
from tests.stock_rows import add_stock

PATH = f"/api/stock/{GROUP.symbol}/multi_source_data"


@dataclass
class Site:
    """The application, the simulated source, and what a worker needs to know of both."""

    api: Api
    simulator: Simulator
    environment: dict[str, str]

    def lookups(self) -> int:
        with self.api.runtime.database.read() as session:
            return session.scalar(select(func.count()).select_from(Job)) or 0


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
                add_stock(session, GROUP.name, GROUP.symbol)
            yield Site(api, simulator, environment)


def test_the_sources_are_asked_once_in_a_quarter_of_an_hour(site: Site) -> None:
    with program("jobs.worker", site.environment):
        answer = site.api.get(PATH)
        assert answer.status_code == 200, answer.text
        assert site.api.get(PATH.lower().replace("/api", "/api/v1").replace("_data", "_data")).json() == answer.json()
        assert site.lookups() == 1
        with site.api.runtime.database.begin() as session:
            session.execute(update(Job).values(created_at=utc_now() - timedelta(minutes=16)))
        assert site.api.get(PATH).status_code == 200
        assert site.lookups() == 2
    data, quality = answer.json()["data"], answer.json()["quality"]
    assert data["_sources"] == quality["sources_used"] == ["MoneyControl"]
    assert data["revenue"] > 1e7
    assert 0 < data["promoter_holding"] < 1
    assert data["_quality_score"] == quality["score"] < 100
    assert data["_last_updated"].endswith("Z")
    assert quality["symbol"] == GROUP.symbol
    assert "currentPrice" in quality["missing_fields"]
    (attempt,) = quality["fetch_attempts"]
    assert attempt == {"source": "MoneyControl", "quality": quality["score"], "missing": quality["missing_fields"]}


def test_sources_that_are_down_are_told_and_left_alone_for_a_while(site: Site) -> None:
    site.simulator.fail("500")
    with program("jobs.worker", site.environment):
        answer = site.api.get(PATH)
        assert answer.status_code == 503
        assert "No market-data source answered" in answer.json()["message"]
        assert int(answer.headers["Retry-After"]) > 0
        assert site.api.get(PATH).status_code == 503
    assert site.lookups() == 1


def test_only_stocks_we_list_are_asked_for(site: Site) -> None:
    for symbol in ("NOSUCHSTOCK", "undefined", "a%2Fb", "%3Cscript%3E"):
        assert site.api.get(f"/api/stock/{symbol}/multi_source_data").status_code == 404
    assert site.lookups() == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_one_caller_cannot_keep_the_sources_busy(site: Site, fresh_app: Callable[..., Flask]) -> None:
    settings = dataclasses.replace(site.api.runtime.settings, rate_limit_multi_source="2 per minute")
    app = fresh_app(settings)
    with serve(app) as url, Api(url, app) as api:
        codes = [api.get("/api/stock/NOSUCHSTOCK/multi_source_data").status_code for _ in range(3)]
    assert codes == [404, 404, 429]
