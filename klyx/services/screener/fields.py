"""The screener's vocabulary: which fields there are, by every name clients know them, with category, type and unit.

Made from the one table of stock fields. A name that is not here never comes near a statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sqlalchemy import ColumnElement, case

from klyx.errors import Invalid, NotFound
from klyx.services.screener.refusals import shown
from klyx.services.stocks import FIELDS, Kind, StockField, Unit
from klyx.services.stocks.fields import column_of

MONEY_HEADING = "Market Capitalization"
ALWAYS_SHOWN = ("Stock Name", "NSE Code")
ROW_HEADINGS = (
    *ALWAYS_SHOWN,
    "Sector",
    "Industry",
    "Current Price",
    "Day change %",
    "Month Change %",
    "Qtr Change %",
    "1Yr change %",
    MONEY_HEADING,
    "PE TTM Price to Earnings",
    "Price to Book Value Adjusted",
    "PS Price to Sales",
    "PEG TTM PE to Growth",
    "ROE Annual %",
    "RoA Annual %",
    "Operating Profit Margin Qtr %",
    "Net Profit Margin Annual %",
    "Revenue Growth Annual YoY %",
    "Net Profit Annual YoY Growth %",
    "EPS TTM Growth %",
    "Debt to Equity Ratio",
    "Current Ratio",
    "Operating Revenue Annual",
    "Operating Revenue Qtr",
    "Net Profit Annual",
    "Net Profit Qtr",
    "Day RSI",
    "Day MACD",
    "Day ADX",
    "Beta 1Year",
    "Day SMA50",
    "Day SMA200",
    "Day EMA20",
    "Trendlyne Momentum Score",
    "Dividend Yield Annual %",
    "Promoter holding latest %",
    "FII holding current Qtr %",
    "MF holding current Qtr %",
    "Data Quality Score",
    "DII holding current Qtr %",
    "52 Week High",
    "52 Week Low",
    "Durability Score",
    "Valuation Score",
    "ROCE Annual %",
    "Earnings Yield %",
    "Relative Strength",
    "Data Sources",
    "Last Updated",
)
"""The keys of a result row after `id`, in order; each is the heading of one field."""

_CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "Valuation": ("pe_ttm", "peg_ratio", "pb_ratio", "ps_ratio", "market_cap", "sector_pe_ttm"),
    "Profitability": ("roe_annual_pct", "roa_annual_pct", "operating_margin_pct", "net_profit_margin_pct"),
    "Growth": (
        "revenue_growth_yoy_pct",
        "profit_growth_yoy_pct",
        "eps_growth_pct",
        "revenue_growth_qtr_yoy_pct",
        "profit_growth_qtr_yoy_pct",
    ),
    "Liquidity": ("current_ratio", "debt_to_equity"),
    "Technical": (
        *("rsi", "macd", "adx", "beta_1yr", "sma_50", "sma_200", "ema_20", "atr", "tech_mfi", "tech_volume_pct"),
        *("tech_rsi", "tech_macd"),
        *("tech_trend", "tech_rsi_state", "tech_macd_signal", "tech_volume_signal"),
    ),
    "Performance": (
        *("day_change_pct", "month_change_pct", "qtr_change_pct", "year_1_change_pct"),
        *("week_change_pct", "year_3_change_pct", "current_price", "week_52_high", "week_52_low"),
    ),
    "Dividend": ("dividend_yield_pct", "forward_dividend_yield_pct"),
    "Momentum": ("momentum_score",),
    "Holdings": (
        *("promoter_holding_pct", "fii_holding_pct", "mf_holding_pct", "institutional_holding_pct", "dii_holding_pct"),
        *("promoter_holding_change_qoq_pct", "fii_holding_change_qoq_pct", "mf_holding_change_qoq_pct"),
    ),
    "Scores": (
        *("durability_score", "valuation_score", "rel_strength_score", "roce_annual_pct", "earnings_yield_pct"),
        *("piotroski_score", "data_quality_score"),
    ),
    "Financials": (
        *("revenue_annual", "revenue_qtr", "net_profit_annual", "net_profit_qtr", "basic_eps_ttm"),
        *("total_debt", "stockholders_equity", "total_assets", "current_assets", "current_liabilities"),
    ),
    "Analysts": (
        *("target_price", "upside_12m_pct", "analyst_count", "recommendation_key", "recommendation_text"),
        *("news_sentiment", "news_score"),
    ),
    "Company": (
        *("stock_name", "nse_code", "sector_name", "industry_name", "bse_code", "isin", "stock_code"),
        *("data_sources", "last_updated"),
    ),
}
_RECOMMENDATIONS = {
    "strong_buy": "Strong Buy",
    "buy": "Buy",
    "hold": "Hold",
    "underperform": "Underperform",
    "sell": "Sell",
}


# The stock object spells keys that it does not know, too; a screen needs the same in SQL.
_DERIVED: Mapping[str, ColumnElement[Any]] = {
    "recommendation_text": case(
        _RECOMMENDATIONS, value=column_of("recommendation_key"), else_=column_of("recommendation_text")
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class ScreenField:
    """A field that screens know. `name` heads its column in results; `expression` is SQL over stocks and metadata."""

    name: str
    column: str
    aliases: tuple[str, ...]
    category: str
    kind: Kind
    unit: Unit
    expression: ColumnElement[Any]

    @property
    def is_number(self) -> bool:
        return self.kind in (Kind.INTEGER, Kind.NUMBER)

    @property
    def is_text(self) -> bool:
        return self.kind is Kind.TEXT


def _screen_field(field: StockField, category: str) -> ScreenField:
    display_names = (*field.display_names, *field.omitted_names)
    in_row = [name for name in display_names if name in ROW_HEADINGS]
    name = (in_row or display_names or (field.name,))[0]
    aliases = tuple(other for other in (field.name, *display_names) if other != name)
    expression = _DERIVED.get(field.name, field.expression)
    return ScreenField(name, field.name, aliases, category, field.kind, field.unit, expression)


_STOCK_FIELDS = {field.name: field for field in FIELDS}

SCREEN_FIELDS: tuple[ScreenField, ...] = tuple(
    _screen_field(_STOCK_FIELDS[column], category) for category, columns in _CATEGORIES.items() for column in columns
)
"""Every field, by category."""

_BY_NAME: Mapping[str, ScreenField] = {name: field for field in SCREEN_FIELDS for name in (field.name, *field.aliases)}
ROW_FIELDS = tuple(_BY_NAME[heading] for heading in ROW_HEADINGS)
MARKET_CAP = _BY_NAME["market_cap"]


def screen_field(name: object, purpose: str = "field") -> ScreenField:
    """The field with this heading, other display name or column name. Raises Invalid naming what was asked for."""
    field = _BY_NAME.get(name) if isinstance(name, str) else None
    if field is None:
        raise Invalid(f"There is no {purpose} {shown(name)}. GET /api/screener/fields?types=all lists those there are.")
    return field


def field_in_address(name: str) -> ScreenField:
    """As screen_field, for a part of a URL, which proxies may have encoded twice. Raises NotFound."""
    field = _BY_NAME.get(name) or _BY_NAME.get(unquote(name))
    if field is None:
        raise NotFound(f"There is no field {shown(name)}. GET /api/screener/fields?types=all lists those there are.")
    return field


def result_fields(columns: object) -> tuple[ScreenField, ...]:
    """The fields of a result's columns: all of a row's for None, else name and symbol, then those asked for, once each.

    Raises Invalid for what is not a list of known names.
    """
    if columns is None:
        return ROW_FIELDS
    if not isinstance(columns, list | tuple) or not columns:
        raise Invalid("columns: please give a list of field names.")
    if len(columns) > len(_BY_NAME):
        raise Invalid(f"columns: please ask for at most {len(_BY_NAME)}.")
    asked = (screen_field(name, "column") for name in (*ALWAYS_SHOWN, *columns))
    return tuple(dict.fromkeys(asked))
