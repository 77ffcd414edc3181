from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from klyx.bundled import read_starter_list
from klyx.database import Database
from klyx.database.models import Stock, StockFieldProvenance, StockMetadata
from klyx.database.starter import SAMPLE_SOURCE, load_starter_list
from klyx.services import stocks
from klyx.services.analysis.scores import durability_score, momentum_score, relative_strengths, valuation_score
from klyx.services.market_data.scores import recompute_scores
from tests.stock_rows import add_stock

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
INPUTS: dict[str, tuple[float, ...]] = {
    "current_price": (0.5, 10, 95, 96, 111, 500),
    "week_52_high": (100, 110, 600),
    "week_52_low": (10, 87, 100),
    "year_1_change_pct": (-60, 0, 0.5, 20, 20.0001, 50, 51, 300),
    "pe_ttm": (-5, 0.001, 14.9999, 15, 29, 30, 31, 900),
    "pb_ratio": (-1, 0, 2.9, 3, 9),
    "dividend_yield_pct": (0, 1, 1.2),
    "roa_annual_pct": (-3, 0, 9, 10, 12),
    "operating_margin_pct": (-4, 0, 18),
    "debt_to_equity": (-1, 0, 0.05, 0.1, 0.5, 1, 4),
    "current_ratio": (0.5, 1.5, 2),
    "net_profit_margin_pct": (-2, 10, 14),
    "eps_growth_pct": (-20, 0, 7, 30),
    "profit_growth_yoy_pct": (-10, 12),
    "promoter_holding_pct": (0, 30, 55),
    "roe_annual_pct": (-9, 15, 22),
    "revenue_annual": (1e9, 7e11),
    "total_assets": (1e9, 4e12),
    "current_liabilities": (5e8, 1e9),
}


def add_random_stocks(database: Database, count: int) -> None:
    chance = random.Random(20_260_131)
    with database.begin() as session:
        for index in range(count):
            # Half of the stocks lack much, so that every "too few" is met.
            known = chance.choice((0.4, 0.95))
            row = {name: chance.choice(values) for name, values in INPUTS.items() if chance.random() < known}
            add_stock(session, f"Company {index}", f"C{index}", **row)


def test_every_score_is_that_of_the_rules_on_one_stock(database: Database) -> None:
    add_random_stocks(database, 300)
    assert recompute_scores(database) > 200
    with database.read() as session:
        rows = session.execute(
            select(*Stock.__table__.columns, StockMetadata.week_52_high, StockMetadata.week_52_low)
            .outerjoin(StockMetadata, StockMetadata.stock_id == Stock.id)
            .order_by(Stock.id)
        ).all()
    strengths = relative_strengths([row.year_1_change_pct for row in rows])
    assert len({strength for strength in strengths if strength is not None}) > 5
    for row, strength in zip(rows, strengths, strict=True):
        assert row.rel_strength_score == strength
        assert row.momentum_score == momentum_score(
            relative_strength=strength,
            year_change_percent=row.year_1_change_pct,
            price=row.current_price,
            week_52_high=row.week_52_high,
            week_52_low=row.week_52_low,
        )
        assert row.durability_score == durability_score(
            roa_percent=row.roa_annual_pct,
            operating_margin_percent=row.operating_margin_pct,
            debt_to_equity=row.debt_to_equity,
            current_ratio=row.current_ratio,
            net_margin_percent=row.net_profit_margin_pct,
            eps_growth_percent=row.eps_growth_pct,
            promoter_holding_percent=row.promoter_holding_pct,
            roe_percent=row.roe_annual_pct,
        )
        assert row.valuation_score == valuation_score(
            pe_ratio=row.pe_ttm,
            peg_ratio=row.peg_ratio,
            pb_ratio=row.pb_ratio,
            dividend_yield_percent=row.dividend_yield_pct,
        )
        expected = round(100 / row.pe_ttm, 4) if row.pe_ttm and row.pe_ttm > 0 else None
        assert row.earnings_yield_pct == pytest.approx(expected, abs=1e-4)


def test_nothing_changes_the_second_time(database: Database) -> None:
    add_random_stocks(database, 60)
    recompute_scores(database)
    assert recompute_scores(database) == 0


def test_one_stock_with_a_change_over_a_year_gets_fifty(database: Database) -> None:
    with database.begin() as session:
        add_stock(session, "Alone", "ALONE", year_1_change_pct=-3)
        add_stock(session, "Unknown", "UNKNOWN", year_1_change_pct=None)
    recompute_scores(database)
    with database.read() as session:
        scores = session.scalars(select(Stock.rel_strength_score).order_by(Stock.id)).all()
    assert scores == [50, None]


def test_capital_earns_its_operating_profit_and_equity_stands_in(database: Database) -> None:
    with database.begin() as session:
        whole = {"revenue_annual": 1e9, "operating_margin_pct": 20, "total_assets": 9e8, "current_liabilities": 1e8}
        add_stock(session, "Whole", "WHOLE", roe_annual_pct=15, **whole)
        add_stock(session, "No liabilities", "PART", roe_annual_pct=15, **{**whole, "current_liabilities": None})
        add_stock(session, "In debt", "DEBT", roe_annual_pct=15, **{**whole, "current_liabilities": 9e9})
    recompute_scores(database)
    with database.read() as session:
        assert session.scalars(select(Stock.roce_annual_pct).order_by(Stock.id)).all() == [25, 15, 15]


@pytest.mark.parametrize(("source", "expected"), [("Yahoo Finance", 9.0), ("Klyx", 9.0), (SAMPLE_SOURCE, 2.0)])
def test_a_stated_figure_stays_and_a_sample_gives_way(database: Database, source: str, expected: float) -> None:
    with database.begin() as session:
        stock_id = add_stock(session, "Mahindra", "M&M", peg_ratio=9, pe_ttm=20, eps_growth_pct=10)
        stocks.record_provenance(session, {stock_id: ("peg_ratio",)}, source, NOON)
    recompute_scores(database)
    recompute_scores(database)
    with database.read() as session:
        assert session.scalar(select(Stock.peg_ratio)) == expected


def test_a_sample_stays_where_nothing_can_be_calculated(database: Database) -> None:
    with database.begin() as session:
        stock_id = add_stock(session, "Mahindra", "M&M", peg_ratio=9, pe_ttm=20)
        stocks.record_provenance(session, {stock_id: ("peg_ratio",)}, SAMPLE_SOURCE, NOON)
    recompute_scores(database)
    recompute_scores(database)
    with database.read() as session:
        assert session.scalar(select(Stock.peg_ratio)) == 9
        assert session.scalar(select(StockFieldProvenance.source)) == SAMPLE_SOURCE


def test_a_growth_that_ended_takes_its_ratio_along(database: Database) -> None:
    with database.begin() as session:
        add_stock(session, "Mahindra", "M&M", pe_ttm=20, eps_growth_pct=10)
    recompute_scores(database)
    with database.begin() as session:
        session.execute(update(Stock).values(eps_growth_pct=-1))
    recompute_scores(database)
    with database.read() as session:
        assert session.scalar(select(Stock.peg_ratio)) is None


def test_scores_tell_what_they_are_calculated_from(database: Database) -> None:
    with database.begin() as session:
        load_starter_list(session, read_starter_list())
    recompute_scores(database)
    with database.read() as session:
        found = stocks.provenance_of(session, stocks.find_stock(session, "RELIANCE"))
    origin = found["valuation_score"]
    assert (origin["source"], origin["obtained_at"]) == ("Klyx", found["pe_ttm"]["obtained_at"])
    assert "pe_ttm" in origin["derived_from"]
    assert found["pe_ttm"]["source"] == SAMPLE_SOURCE
