from __future__ import annotations

import statistics

import pytest
from sqlalchemy import event

from klyx.database import Database
from klyx.errors import NotFound
from klyx.services.screener import SCREEN_FIELDS, FieldStatistics, field_distribution, field_summaries, screen_field
from tests.stock_rows import add_stock

VALUES = (10.1, 20.2, 30.3, -4.0, 0.0, 9e5)


def add_stocks(database: Database) -> None:
    with database.begin() as session:
        for number, value in enumerate((*VALUES, None)):
            add_stock(session, f"Stock {number}", f"S{number}", roe_annual_pct=value, momentum_score=number)
        add_stock(session, "Little known", "POOR", roe_annual_pct=-9e5, data_quality_score=29)
        add_stock(session, "Nothing known", "NOTHING", roe_annual_pct=-9e5, data_quality_score=None)


def test_summaries_are_one_statement_over_the_stocks_of_quality(database: Database) -> None:
    add_stocks(database)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _k, text, *_: statements.append(text))
    with database.read() as session:
        summaries = {summary.field.column: summary for summary in field_summaries(session)}
    assert sum("FROM stocks" in text for text in statements) == 1
    assert list(summaries) == [field.column for field in SCREEN_FIELDS]
    roe = summaries["roe_annual_pct"]
    mean = float(f"{statistics.fmean(VALUES):.12g}")
    assert roe.statistics == FieldStatistics("ROE Annual %", 6, -4.0, 9e5, mean)
    assert roe.null_count == 1
    momentum = summaries["momentum_score"]
    assert momentum.statistics == FieldStatistics("Trendlyne Momentum Score", 7, 0, 6, 3.0)
    assert momentum.statistics is not None
    assert (type(momentum.statistics.min), type(momentum.statistics.mean)) == (int, float)
    assert summaries["pe_ttm"].statistics == FieldStatistics("PE TTM Price to Earnings", 0, None, None, None)
    assert summaries["pe_ttm"].null_count == 7
    assert (summaries["stock_name"].statistics, summaries["stock_name"].null_count) == (None, 0)


def test_distribution_is_that_of_a_sample(database: Database) -> None:
    add_stocks(database)
    with database.read() as session:
        found = field_distribution(session, screen_field("roe_annual_pct"))
    assert (found.count, found.min, found.max) == (6, -4.0, 9e5)
    assert found.median == statistics.median(VALUES)
    assert found.mean == pytest.approx(statistics.fmean(VALUES), rel=1e-11)
    assert found.std == pytest.approx(statistics.stdev(VALUES), rel=1e-11)


def test_single_value_has_no_deviation(database: Database) -> None:
    with database.begin() as session:
        add_stock(session, "One", "ONE", fii_holding_pct=10.1, dii_holding_pct=20.2)
    with database.read() as session:
        found = field_distribution(session, screen_field("institutional_holding_pct"))
    assert (found.count, found.mean, found.median, found.std) == (1, 30.3, 30.3, None)


def test_texts_and_empty_fields_have_no_distribution(database: Database) -> None:
    add_stocks(database)
    with database.read() as session:
        with pytest.raises(NotFound, match="Sector holds no numbers"):
            field_distribution(session, screen_field("Sector"))
        with pytest.raises(NotFound, match="no figures for Day RSI"):
            field_distribution(session, screen_field("rsi"))
