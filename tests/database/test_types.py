"""Column types: the same values on both engines."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from klyx.database import Database
from klyx.database.models import Stock
from klyx.database.types import Figure


def stored(database: Database, value: float) -> float | None:
    with database.begin() as session:
        session.add(Stock(stock_name="A", pe_ttm=value, market_cap=value))
    with database.read() as session:
        return session.scalars(select(Stock.pe_ttm).order_by(Stock.id.desc())).first()


@pytest.mark.parametrize(
    ("value", "expected"), [(100, 100.0), (1.23456, 1.2346), (-0.00004, 0.0), (999_999.9999, 999_999.9999)]
)
def test_figures_are_floats_rounded_to_their_scale(database: Database, value: float, expected: float) -> None:
    found = stored(database, value)
    assert (found, type(found)) == (expected, float)


def test_large_totals_keep_their_rupees(database: Database) -> None:
    with database.begin() as session:
        session.add(Stock(stock_name="A", market_cap=2_769_237_400_000))
    with database.read() as session:
        assert session.scalar(select(Stock.market_cap)) == 2_769_237_400_000.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e6, -1e6, 999_999.99996])
def test_figures_that_do_not_fit_are_refused(database: Database, value: float) -> None:
    with pytest.raises(StatementError, match="does not fit NUMERIC"):
        stored(database, value)
    assert not Figure(10, 4).accepts(value)


def test_a_figure_is_compared_with_the_number_as_it_is(database: Database) -> None:
    stored(database, 0.3333)
    with database.read() as session:
        for number, smaller in ((0.33331, True), (0.33329, False), (1e12, True)):
            found = session.scalars(select(Stock.id).where(Stock.pe_ttm < number)).all()
            assert bool(found) is smaller
        assert session.scalar(select(Stock.pe_ttm * 2)) == pytest.approx(0.6666)


def test_a_moment_without_a_time_zone_is_refused(database: Database) -> None:
    naive = datetime.fromisoformat("2026-01-31T09:30:00")
    with pytest.raises(StatementError, match="without a time zone"), database.begin() as session:
        session.add(Stock(stock_name="A", last_updated=naive))
