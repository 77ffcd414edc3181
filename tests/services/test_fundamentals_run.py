from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import pytest

from bench.market.server import Simulator
from klyx.config import load_settings
from klyx.database import Database, DatabaseSettings
from klyx.database.models import FundamentalsCache
from klyx.database.types import utc_now
from klyx.database.versions import FUNDAMENTALS
from klyx.errors import NotFound
from klyx.services import fundamentals
from klyx.services.fundamentals_run import KINDS, NO_SOURCE, WORK
from klyx.services.market_runs.kinds import Item, Selection, WorkContext
from klyx.sources.base import SourceCircuitOpen, SourceRateLimited
from klyx.sources.build import Sources
from tests.sources.moneycontrol import GROUP, SINGLE, moneycontrol, source_of
from tests.stock_rows import add_stock


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(DatabaseSettings(url=database_url))
    with database.begin() as session:
        for company in (GROUP, SINGLE):
            add_stock(session, company.name, company.symbol, market_cap=company.market_cap)
    yield database
    database.dispose()


@contextmanager
def context_of(database: Database, simulator: Simulator | None) -> Iterator[WorkContext]:
    sources = Sources(() if simulator is None else (source_of(simulator),))
    yield WorkContext(load_settings({"FLASK_ENV": "testing"}), database, sources)


def items(database: Database) -> list[Item]:
    with database.read() as session:
        chosen = WORK.select(session, Selection())
    return [Item(number, stock.stock_id, stock.nse_code, stock.nse_code) for number, stock in enumerate(chosen)]


def test_both_kinds_of_every_stock_are_kept(database: Database) -> None:
    with moneycontrol() as (simulator, _), context_of(database, simulator) as context:
        fetched = [WORK.fetch(context, item) for item in items(database)]
    assert [(one.error, one.outcomes) for one in fetched] == [(None, {"moneycontrol": "ok"})] * 2
    with database.begin(*WORK.changing) as session:
        WORK.store(session, fetched)
    assert WORK.changing == (FUNDAMENTALS,)
    assert WORK.finish(database) == {"statements_kept": 4}
    assert items(database) == []
    with database.read() as session:
        assert fundamentals.find(session, GROUP.symbol, "consolidated").data["profit_loss"]
        assert fundamentals.find(session, SINGLE.symbol, "standalone").data["profit_loss"]
        with pytest.raises(NotFound):
            fundamentals.find(session, SINGLE.symbol, "consolidated")


def test_pages_one_after_the_other_leave_no_stock_out(database_url: str) -> None:
    database = Database(DatabaseSettings(url=database_url))
    with database.begin() as session:
        for number in range(9):
            add_stock(session, f"Company {number}", f"CO{number}", market_cap=1e12 - number)

    pages = []
    for offset in (0, 3, 6):
        with database.begin(FUNDAMENTALS) as session:
            page = [stock.nse_code for stock in WORK.select(session, Selection(offset=offset, limit=3))]
            for symbol, kind in product(page, KINDS):
                session.add(FundamentalsCache(symbol=symbol, type=kind, payload={}, fetched_at=utc_now()))
        pages.append(page)

    assert pages == [["CO0", "CO1", "CO2"], ["CO3", "CO4", "CO5"], ["CO6", "CO7", "CO8"]]
    database.dispose()


def test_a_stock_that_cannot_be_had_fails_and_keeps_what_it_has(database: Database) -> None:
    first = items(database)[0]
    with moneycontrol() as (simulator, _), context_of(database, simulator) as context:
        simulator.fail("html")
        fetched = WORK.fetch(context, first)
    assert fetched.error == "MoneyControl's search sent an answer that cannot be read."
    assert fetched.outcomes == {"moneycontrol": "SourceUnavailable"}
    with database.begin(*WORK.changing) as session:
        WORK.store(session, [fetched])
    assert first in items(database)


def test_a_source_that_wants_a_rest_is_asked_later(database: Database) -> None:
    with moneycontrol() as (simulator, _), context_of(database, simulator) as context:
        simulator.fail("429", retry_after="900")
        with pytest.raises((SourceRateLimited, SourceCircuitOpen)):
            WORK.fetch(context, items(database)[0])


def test_without_a_source_it_is_said_so(database: Database) -> None:
    with context_of(database, None) as context:
        assert WORK.fetch(context, items(database)[0]).error == NO_SOURCE
