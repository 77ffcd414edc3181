from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from klyx.config import load_settings
from klyx.database import Database
from klyx.database.models import Job, Stock, StockFieldProvenance, StockMetadata
from klyx.services import jobs
from klyx.services.jobs import ProgressReporter
from klyx.services.market_runs.kinds import NothingFetched, Outcome, WorkContext
from klyx.services.refresh import run
from klyx.sources.base import DayQuote, Deadline, SourceUnavailable
from klyx.sources.build import Sources


@dataclass
class Pages:
    """A source of day quotes that gives these pages, and fails after them when it `breaks`."""

    pages: Sequence[Sequence[DayQuote]]
    breaks: bool = False
    name: str = "Yahoo Finance"
    slug: str = "yahoo"
    asked: list[Deadline] = field(default_factory=list)

    def day_quotes(self, deadline: Deadline) -> Iterator[Sequence[DayQuote]]:
        self.asked.append(deadline)
        yield from self.pages
        if self.breaks:
            raise SourceUnavailable("the source did not answer in time")


def quote(symbol: str, price: float | None = 110.0, previous: float | None = 100.0) -> DayQuote:
    return DayQuote(symbol, price, previous, 150.0, 90.0, 1e12, 1000.0)


def refresh(database: Database, tmp_path: Path, *sources: Pages) -> Outcome:
    settings = load_settings({"FLASK_ENV": "testing", "INSTANCE_FOLDER": str(tmp_path)})
    with database.begin() as session:
        session.add(Job(id=(job_id := str(uuid.uuid4())), kind="market_run", max_attempts=3))
    lease = jobs.claim(database, job_id, 60)
    assert lease is not None
    return run(WorkContext(settings, database, Sources(sources)), ProgressReporter(database, lease))


@pytest.fixture(autouse=True)
def stocks(database: Database) -> None:
    rows = [{"stock_name": f"{code} Limited", "nse_code": code} for code in ("INFY", "TCS", "M&M")]
    with database.begin() as session:
        session.execute(insert(Stock), rows)


def read(database: Database, symbol: str) -> Stock:
    with database.read() as session:
        return session.scalars(select(Stock).where(Stock.nse_code == symbol)).one()


def test_prices_day_changes_and_ranges_are_stored_with_their_origin(database: Database, tmp_path: Path) -> None:
    source = Pages([[quote("INFY"), quote("UNKNOWN")], [quote("M&M", 95.0)]])
    outcome = refresh(database, tmp_path, source)
    assert (outcome.updated, outcome.failed, outcome.total) == (2, 0, 3)
    assert outcome.details["without_price"] == 1
    stock = read(database, "INFY")
    assert (stock.current_price, stock.day_change_pct, stock.market_cap) == (110.0, 10.0, 1e12)
    assert read(database, "M&M").day_change_pct == -5.0
    assert read(database, "TCS").current_price is None
    with database.read() as session:
        facts = session.scalars(select(StockMetadata).where(StockMetadata.stock_id == stock.id)).one()
        origins = select(StockFieldProvenance.field, StockFieldProvenance.source)
        sources = dict(session.execute(origins.where(StockFieldProvenance.stock_id == stock.id)).all())
    assert (facts.week_52_high, facts.week_52_low) == (150.0, 90.0)
    assert sources["current_price"] == "Yahoo Finance"


def test_what_cannot_be_true_is_not_stored(database: Database, tmp_path: Path) -> None:
    refresh(database, tmp_path, Pages([[quote("INFY")]]))
    refresh(database, tmp_path, Pages([[quote("INFY", -5.0), quote("TCS", None, None)]]))
    assert read(database, "INFY").current_price == 110.0
    assert read(database, "TCS").current_price is None


def test_the_next_source_gives_what_the_first_could_not(database: Database, tmp_path: Path) -> None:
    broken = Pages([[quote("INFY", 120.0)]], breaks=True)
    other = Pages([[quote("INFY", 111.0), quote("TCS", 112.0)]], name="NSE", slug="nse")
    outcome = refresh(database, tmp_path, broken, other)
    assert (read(database, "INFY").current_price, read(database, "TCS").current_price) == (120.0, 112.0)
    assert outcome.failures == {"yahoo": {"SourceUnavailable": 1}}
    assert (outcome.updated, outcome.failed) == (2, 1)


def test_without_any_answer_earlier_prices_stay(database: Database, tmp_path: Path) -> None:
    refresh(database, tmp_path, Pages([[quote("INFY")]]))
    with pytest.raises(NothingFetched, match="earlier ones stay"):
        refresh(database, tmp_path, Pages([], breaks=True))
    assert read(database, "INFY").current_price == 110.0
