from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from klyx.database import Database
from klyx.database.models import Stock, StockFieldProvenance
from klyx.database.types import utc_now
from klyx.services.enrich_run import select_stocks
from klyx.services.market_runs import items, runs
from klyx.services.market_runs.kinds import Fetched, Selection
from klyx.services.market_runs.runs import Options

NOW = utc_now()


@pytest.fixture(autouse=True)
def stocks(database: Database) -> None:
    """Good and fresh, good and stale, poor though fresh, with fresh samples, and nothing but a symbol."""
    rows: list[dict[str, Any]] = [
        {"nse_code": "FRESH", "data_quality_score": 90, "market_cap": 5e9},
        {"nse_code": "STALE", "data_quality_score": 90, "market_cap": 4e9},
        {"nse_code": "POOR", "data_quality_score": 79, "market_cap": 6e9},
        {"nse_code": "SAMPLE", "data_quality_score": 90, "market_cap": 3e9},
        {"nse_code": "NEW", "data_quality_score": None, "market_cap": None},
    ]
    ages = {"FRESH": 1, "STALE": 8, "POOR": 1, "SAMPLE": 1}
    with database.begin() as session:
        session.execute(insert(Stock), [{"stock_name": row["nse_code"], **row} for row in rows])
        ids = {code: key for code, key in session.execute(select(Stock.nse_code, Stock.id)) if code is not None}
        for code, days in ages.items():
            source = "Sample data" if code == "SAMPLE" else "Yahoo Finance"
            obtained_at = NOW - timedelta(days=days)
            values: dict[str, Any] = {"stock_id": ids[code], "source": source, "obtained_at": obtained_at}
            session.execute(insert(StockFieldProvenance).values(field="pe_ttm", **values))
            # Prices are fetched every day, and say nothing of the age of the rest.
            today = {**values, "obtained_at": NOW}
            session.execute(insert(StockFieldProvenance).values(field="current_price", **today))


def selected(database: Database, selection: Selection) -> list[str]:
    with database.read() as session:
        return [stock.nse_code for stock in select_stocks(session, selection)]


def test_poor_and_stale_stocks_are_selected_the_largest_first(database: Database) -> None:
    assert selected(database, Selection()) == ["POOR", "STALE", "SAMPLE", "NEW"]
    assert selected(database, Selection(limit=2)) == ["POOR", "STALE"]
    assert selected(database, Selection(everything=True)) == ["POOR", "FRESH", "STALE", "SAMPLE", "NEW"]


def test_an_offset_counts_all_stocks(database: Database) -> None:
    assert selected(database, Selection(offset=1, limit=2)) == ["STALE"]
    assert selected(database, Selection(offset=1)) == ["STALE", "SAMPLE", "NEW"]
    assert selected(database, Selection(offset=1, limit=2, everything=True)) == ["FRESH", "STALE"]


def test_small_runs_one_after_the_other_go_through_the_list(database: Database) -> None:
    with database.begin() as session:
        run, _ = runs.start(session, "enrich", Options("visitor", Selection(limit=2)), 3)
        items.plan(session, run, select_stocks(session, Selection(limit=2)), 50)
        items.end(session, run.id, [Fetched(item) for item in items.waiting(session, run.id, 0)])
    assert selected(database, Selection(limit=2)) == ["SAMPLE", "NEW"]
