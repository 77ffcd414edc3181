"""The ready-made screens. Money is in rupees: 1,000 crore are 10,000,000,000."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from klyx.errors import NotFound
from klyx.services.screener.conditions import Screen, parse_screen
from klyx.services.screener.refusals import shown

CRORE_RUPEES = 10_000_000


@dataclass(frozen=True, slots=True)
class Preset:
    """A screen with a name and a sentence that tells people what it finds."""

    id: str
    name: str
    description: str
    screen: Screen

    @property
    def filter_count(self) -> int:
        return self.screen.condition.condition_count


def _preset(
    preset_id: str, name: str, description: str, sort: tuple[str, str], *conditions: tuple[str, str, Any]
) -> Preset:
    filters = [{"field": field, "operator": operator, "value": value} for field, operator, value in conditions]
    sort_by, sort_order = sort
    screen = parse_screen({"filters": filters, "sort_by": sort_by, "sort_order": sort_order})
    return Preset(preset_id, name, description, screen)


PRESETS: tuple[Preset, ...] = (
    _preset(
        "value",
        "Value Investing",
        "Companies of some size that earn well on little debt and still sell at a modest multiple of their earnings.",
        ("pe_ttm", "asc"),
        ("pe_ttm", "lt", 20),
        ("pe_ttm", "gt", 0),
        ("roe_annual_pct", "gte", 15),
        ("market_cap", "gt", 1000 * CRORE_RUPEES),
        ("debt_to_equity", "lt", 1),
        ("current_ratio", "gt", 1.5),
    ),
    _preset(
        "growth",
        "Growth Stocks",
        "Sales and profit both rising fast, with a high return on what the owners have put in.",
        ("revenue_growth_yoy_pct", "desc"),
        ("revenue_growth_yoy_pct", "gte", 20),
        ("profit_growth_yoy_pct", "gte", 15),
        ("roe_annual_pct", "gte", 18),
        ("market_cap", "gt", 500 * CRORE_RUPEES),
    ),
    _preset(
        "momentum",
        "Momentum Trading",
        "Prices that climbed over the month and the quarter and are not overheated yet.",
        ("month_change_pct", "desc"),
        ("month_change_pct", "gt", 5),
        ("qtr_change_pct", "gt", 10),
        ("rsi", "between", [40, 70]),
        ("momentum_score", "gte", 60),
    ),
    _preset(
        "dividend",
        "Dividend Aristocrats",
        "A good dividend from larger companies that can afford it: profitable, liquid and with little debt.",
        ("dividend_yield_pct", "desc"),
        ("dividend_yield_pct", "gte", 3),
        ("roe_annual_pct", "gte", 12),
        ("debt_to_equity", "lt", 0.8),
        ("current_ratio", "gt", 1.5),
        ("market_cap", "gt", 1000 * CRORE_RUPEES),
    ),
    _preset(
        "quality",
        "Quality Stocks",
        "Strong in every fundamental: returns, margin, hardly any debt, and promoters who hold the majority.",
        ("roe_annual_pct", "desc"),
        ("roe_annual_pct", "gte", 20),
        ("roa_annual_pct", "gte", 10),
        ("operating_margin_pct", "gte", 15),
        ("debt_to_equity", "lt", 0.5),
        ("current_ratio", "gt", 2),
        ("promoter_holding_pct", "gte", 50),
    ),
    _preset(
        "garp",
        "Undervalued Growth (GARP)",
        "Growth at a reasonable price: sales rise quickly while price and earnings are still in proportion.",
        ("peg_ratio", "asc"),
        ("revenue_growth_yoy_pct", "gte", 15),
        ("pe_ttm", "lt", 25),
        ("pe_ttm", "gt", 0),
        ("roe_annual_pct", "gte", 15),
        ("peg_ratio", "lt", 1.5),
    ),
    _preset(
        "breakout",
        "Breakout Stocks",
        "A strong move today on top of a good month, with the strength of a real trend behind it.",
        ("day_change_pct", "desc"),
        ("rsi", "between", [50, 75]),
        ("day_change_pct", "gt", 2),
        ("month_change_pct", "gt", 8),
        ("adx", "gt", 25),
        ("market_cap", "gt", 500 * CRORE_RUPEES),
    ),
    _preset(
        "low_volatility",
        "Low Volatility",
        "Calm shares of sound, larger companies that move less than the market and pay a dividend.",
        ("beta_1yr", "asc"),
        ("beta_1yr", "lt", 0.8),
        ("roe_annual_pct", "gte", 12),
        ("debt_to_equity", "lt", 0.7),
        ("market_cap", "gt", 1000 * CRORE_RUPEES),
        ("dividend_yield_pct", "gte", 1.5),
    ),
    _preset(
        "minervini_trend",
        "Minervini Trend Template",
        "An established rise: above both averages, well off the year's low and not far from its high.",
        ("momentum_score", "desc"),
        ("current_price", "gt_field", "sma_200"),
        ("current_price", "gt_field", "sma_50"),
        ("sma_50", "gt_field", "sma_200"),
        ("current_price", "gt_field_factor", ["week_52_low", 1.3]),
        ("current_price", "gt_field_factor", ["week_52_high", 0.75]),
    ),
    _preset(
        "golden_crossover",
        "Golden Crossover",
        "The average of 50 days is above that of 200 days, the price above both, and buyers have the upper hand.",
        ("day_change_pct", "desc"),
        ("sma_50", "gt_field", "sma_200"),
        ("current_price", "gt_field", "sma_50"),
        ("rsi", "gt", 50),
    ),
    _preset(
        "rsi_oversold",
        "RSI Oversold Bounce",
        "Companies of some size whose shares have been sold so hard that a recovery would not surprise.",
        ("rsi", "asc"),
        ("rsi", "lt", 30),
        ("rsi", "gt", 0),
        ("market_cap", "gt", 500 * CRORE_RUPEES),
    ),
    _preset(
        "momentum_master",
        "Momentum Master",
        "The highest momentum scores, confirmed by a price above its average of 50 days.",
        ("momentum_score", "desc"),
        ("momentum_score", "gte", 70),
        ("rsi", "gt", 55),
        ("current_price", "gt_field", "sma_50"),
    ),
    _preset(
        "smart_money",
        "Big Fish Accumulation",
        "Promoters with a large stake of their own, and institutions that have bought in beside them.",
        ("institutional_holding_pct", "desc"),
        ("promoter_holding_pct", "gt", 40),
        ("institutional_holding_pct", "gt", 25),
    ),
    _preset(
        "magic_formula",
        "Magic Formula (Value)",
        "Good businesses at a low price: a high return on capital and a high earnings yield.",
        ("earnings_yield_pct", "desc"),
        ("roce_annual_pct", "gt", 20),
        ("earnings_yield_pct", "gt", 5),
        ("market_cap", "gt", 500 * CRORE_RUPEES),
    ),
    _preset(
        "canslim_growth",
        "CANSLIM Growth",
        "Earnings per share that grow strongly, in shares that lead the market.",
        ("rel_strength_score", "desc"),
        ("eps_growth_pct", "gt", 20),
        ("rel_strength_score", "gt", 80),
        ("current_price", "gt", 50),
    ),
)
_BY_ID = {preset.id: preset for preset in PRESETS}


def find_preset(preset_id: str) -> Preset:
    """Raises NotFound naming what was asked for."""
    preset = _BY_ID.get(preset_id)
    if preset is None:
        raise NotFound(f"There is no preset {shown(preset_id)}. GET /api/screener/presets lists those there are.")
    return preset
