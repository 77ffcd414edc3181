"""A price that is not stored: a real worker asks an exchange on this machine, within the limits of all lookups."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from bench.market import Market
from bench.market.server import Simulator
from klyx.config import load_settings
from tests.api import Api, serve
from tests.blueprints.test_ai import ask
from tests.jobs.support import program
from tests.servers import ThrowAwayRedis
from tests.sse import events_of, text_of
from tests.stock_rows import add_stock

MARKET = Market.generated(5)
COMPANY = next(iter(MARKET))


@pytest.fixture
def environment(
    engine: str, database_url: str, own_redis: ThrowAwayRedis, tmp_path: Path, simulator: Simulator
) -> dict[str, str]:
    return {
        "FLASK_ENV": "testing",
        "INSTANCE_FOLDER": str(tmp_path),
        "POSTGRES_URL": database_url if engine == "postgresql" else "",
        "REDIS_URL": own_redis.url,
        "SOURCES_ENABLED": "nse",
        **simulator.environment,
    }


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(MARKET) as running:
        yield running


@pytest.fixture
def api(environment: dict[str, str], fresh_app: Callable[..., Flask]) -> Iterator[Api]:
    app = fresh_app(load_settings(environment))
    with serve(app) as url, Api(url, app) as client:
        with client.runtime.database.begin() as session:
            add_stock(session, COMPANY.name, COMPANY.symbol)
        yield client


def price_told(api: Api) -> str:
    return text_of(events_of(ask(api.register(), f"What is the price of {COMPANY.symbol}?", str(uuid.uuid4()))))


def test_a_price_that_is_not_stored_is_asked_for(
    api: Api, environment: dict[str, str], simulator: Simulator
) -> None:
    with program("jobs.worker", environment):
        text = price_told(api)
        asked = len(simulator.arrivals.of("nse"))
        assert price_told(api) == text
    assert f"{COMPANY.price:,.2f}" in text
    assert "NSE" in text
    assert asked == len(simulator.arrivals.of("nse")) > 0


def test_an_exchange_that_is_down_is_told(api: Api, environment: dict[str, str], simulator: Simulator) -> None:
    simulator.fail("500")
    with program("jobs.worker", environment):
        assert "is not known yet" in price_told(api)
