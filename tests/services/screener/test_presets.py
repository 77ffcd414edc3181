from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.stocks import fill
from klyx.database import Database
from klyx.errors import NotFound
from klyx.services.screener import PRESETS, find_preset, matching_ids, parse_screen, run_screen
from tests.services.screener.oracle import Row, stored_rows, value

STOCKS = 2_400
CRORE = 10_000_000


class Known:
    """A stock's values by column; an unknown one makes every comparison with it false."""

    def __init__(self, row: Row) -> None:
        self.row = row

    def __getattr__(self, column: str) -> float:
        known = value(self.row, column)
        return float("nan") if known is None else float(known)


EXPECTED: dict[str, tuple[str, str, Callable[[Known], bool]]] = {
    "value": (
        "pe_ttm",
        "asc",
        lambda stock: (
            0 < stock.pe_ttm < 20
            and stock.roe_annual_pct >= 15
            and stock.market_cap > 1000 * CRORE
            and stock.debt_to_equity < 1
            and stock.current_ratio > 1.5
        ),
    ),
    "growth": (
        "revenue_growth_yoy_pct",
        "desc",
        lambda stock: (
            stock.revenue_growth_yoy_pct >= 20
            and stock.profit_growth_yoy_pct >= 15
            and stock.roe_annual_pct >= 18
            and stock.market_cap > 500 * CRORE
        ),
    ),
    "momentum": (
        "month_change_pct",
        "desc",
        lambda stock: (
            stock.month_change_pct > 5
            and stock.qtr_change_pct > 10
            and 40 <= stock.rsi <= 70
            and stock.momentum_score >= 60
        ),
    ),
    "dividend": (
        "dividend_yield_pct",
        "desc",
        lambda stock: (
            stock.dividend_yield_pct >= 3
            and stock.roe_annual_pct >= 12
            and stock.debt_to_equity < 0.8
            and stock.current_ratio > 1.5
            and stock.market_cap > 1000 * CRORE
        ),
    ),
    "quality": (
        "roe_annual_pct",
        "desc",
        lambda stock: (
            stock.roe_annual_pct >= 20
            and stock.roa_annual_pct >= 10
            and stock.operating_margin_pct >= 15
            and stock.debt_to_equity < 0.5
            and stock.current_ratio > 2
            and stock.promoter_holding_pct >= 50
        ),
    ),
    "garp": (
        "peg_ratio",
        "asc",
        lambda stock: (
            stock.revenue_growth_yoy_pct >= 15
            and 0 < stock.pe_ttm < 25
            and stock.roe_annual_pct >= 15
            and stock.peg_ratio < 1.5
        ),
    ),
    "breakout": (
        "day_change_pct",
        "desc",
        lambda stock: (
            50 <= stock.rsi <= 75
            and stock.day_change_pct > 2
            and stock.month_change_pct > 8
            and stock.adx > 25
            and stock.market_cap > 500 * CRORE
        ),
    ),
    "low_volatility": (
        "beta_1yr",
        "asc",
        lambda stock: (
            stock.beta_1yr < 0.8
            and stock.roe_annual_pct >= 12
            and stock.debt_to_equity < 0.7
            and stock.market_cap > 1000 * CRORE
            and stock.dividend_yield_pct >= 1.5
        ),
    ),
    "minervini_trend": (
        "momentum_score",
        "desc",
        lambda stock: (
            stock.current_price > stock.sma_50 > stock.sma_200
            and stock.current_price > stock.sma_200
            and stock.current_price > stock.week_52_low * 1.3
            and stock.current_price > stock.week_52_high * 0.75
        ),
    ),
    "golden_crossover": (
        "day_change_pct",
        "desc",
        lambda stock: stock.current_price > stock.sma_50 > stock.sma_200 and stock.rsi > 50,
    ),
    "rsi_oversold": ("rsi", "asc", lambda stock: 0 < stock.rsi < 30 and stock.market_cap > 500 * CRORE),
    "momentum_master": (
        "momentum_score",
        "desc",
        lambda stock: stock.momentum_score >= 70 and stock.rsi > 55 and stock.current_price > stock.sma_50,
    ),
    "smart_money": (
        "institutional_holding_pct",
        "desc",
        lambda stock: stock.promoter_holding_pct > 40 and stock.institutional_holding_pct > 25,
    ),
    "magic_formula": (
        "earnings_yield_pct",
        "desc",
        lambda stock: stock.roce_annual_pct > 20 and stock.earnings_yield_pct > 5 and stock.market_cap > 500 * CRORE,
    ),
    "canslim_growth": (
        "rel_strength_score",
        "desc",
        lambda stock: stock.eps_growth_pct > 20 and stock.rel_strength_score > 80 and stock.current_price > 50,
    ),
}
NAMES_AND_COUNTS = [
    ("value", "Value Investing", 6),
    ("growth", "Growth Stocks", 4),
    ("momentum", "Momentum Trading", 4),
    ("dividend", "Dividend Aristocrats", 5),
    ("quality", "Quality Stocks", 6),
    ("garp", "Undervalued Growth (GARP)", 5),
    ("breakout", "Breakout Stocks", 5),
    ("low_volatility", "Low Volatility", 5),
    ("minervini_trend", "Minervini Trend Template", 5),
    ("golden_crossover", "Golden Crossover", 3),
    ("rsi_oversold", "RSI Oversold Bounce", 3),
    ("momentum_master", "Momentum Master", 3),
    ("smart_money", "Big Fish Accumulation", 2),
    ("magic_formula", "Magic Formula (Value)", 3),
    ("canslim_growth", "CANSLIM Growth", 3),
]


def expected_ids(rows: list[Row], sort_by: str, order: str, holds: Callable[[Known], bool]) -> list[int]:
    def key(row: Row) -> tuple[Any, ...]:
        known = value(row, sort_by)
        symbol = (row["nse_code"] is None, row["nse_code"] or "", row["id"])
        return known is None, 0 if known is None else known if order == "asc" else -known, *symbol

    found = [row for row in rows if (row["data_quality_score"] or 0) >= 30 and holds(Known(row))]
    return [row["id"] for row in sorted(found, key=key)]


def test_every_preset_finds_on_generated_stocks_what_its_description_in_python_finds(database: Database) -> None:
    fill(database, STOCKS)
    rows = stored_rows(database)
    assert [preset.id for preset in PRESETS] == list(EXPECTED)
    with database.read() as session:
        for preset in PRESETS:
            expected = expected_ids(rows, *EXPECTED[preset.id])
            result = run_screen(session, preset.screen, limit=500)
            assert expected, preset.id
            assert [row["id"] for row in result.rows] == expected[:500], preset.id
            assert result.total_matches == len(expected), preset.id
            assert result.filters_applied == preset.filter_count
            assert matching_ids(session, preset.screen) == sorted(expected), preset.id


def test_presets_have_their_names_and_counts() -> None:
    assert [(preset.id, preset.name, preset.filter_count) for preset in PRESETS] == NAMES_AND_COUNTS
    assert len({preset.description for preset in PRESETS}) == len(PRESETS)


def test_preset_screens_survive_their_definition() -> None:
    for preset in PRESETS:
        assert parse_screen(preset.screen.definition()) == preset.screen


def test_unknown_preset_is_named() -> None:
    with pytest.raises(NotFound, match=r'preset "nob"'):
        find_preset("no<b>")
