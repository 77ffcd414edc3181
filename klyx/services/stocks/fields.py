"""The one table of stock fields: column, names clients use, type, unit and what stands for "unknown".

The union object, its schema in the specification and the screener's vocabulary are all made from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Double, Table, case, cast, func

from klyx.database.models import Stock, StockMetadata


class Kind(StrEnum):
    """What a field's value is in JSON. `json_array` is text that holds a JSON array; `moment` is ISO 8601 text."""

    TEXT = "text"
    JSON_ARRAY = "json_array"
    MOMENT = "moment"
    INTEGER = "integer"
    NUMBER = "number"


class Unit(StrEnum):
    NONE = ""
    RUPEES = "rupees"
    PERCENT = "percent points (12.3 means 12.3 %)"
    RATIO = "plain ratio (0.5 means 50 %)"
    TIMES = "times"
    POINTS = "points"
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockField:
    """One field. Its value goes out under `name` and every display name; an unknown one is null.

    `omitted_names` are display names that are left out instead when the value is unknown: the
    clients format those unless they are absent, and null takes their page down. `decimals` rounds
    what clients print as it is. `expression` is SQL over Stock, joined with StockMetadata.
    """

    name: str
    expression: ColumnElement[Any]
    kind: Kind
    unit: Unit = Unit.NONE
    display_names: tuple[str, ...] = ()
    omitted_names: tuple[str, ...] = ()
    decimals: int | None = None
    nullable: bool = True

    @property
    def labelled(self) -> ColumnElement[Any]:
        return self.expression.label(self.name)


def column_of(name: str) -> ColumnElement[Any]:
    """The column of `stocks`, else of `stock_metadata`, with this name."""
    for model in (Stock, StockMetadata):
        table = model.__table__
        if isinstance(table, Table) and name in table.columns:
            column: ColumnElement[Any] = table.columns[name]
            return column
    raise LookupError(f"no column {name}")


def _field(kind: Kind, unit: Unit = Unit.NONE) -> Callable[..., StockField]:
    def make(
        name: str, *display_names: str, expression: ColumnElement[Any] | None = None, **others: Any
    ) -> StockField:
        if expression is None:
            expression = column_of(name)
        return StockField(
            name=name, expression=expression, kind=kind, unit=unit, display_names=display_names, **others
        )

    return make


def _double(name: str) -> ColumnElement[float]:
    return cast(column_of(name), Double())


# Decimal and binary arithmetic differ in the last digits. Binary arithmetic on both engines, or rounding to the
# stored scale, lets a comparison end the same way on both.
UPSIDE_PERCENT = case(
    (
        column_of("current_price") > 0,
        (_double("target_price") - _double("current_price")) / _double("current_price") * 100.0,
    )
)
INSTITUTIONAL_HOLDING_PERCENT = func.coalesce(
    column_of("institutional_holding_pct"), func.round(column_of("fii_holding_pct") + column_of("dii_holding_pct"), 4)
)


# The figures of the technical report have definitions of their own; where nobody worked those out, the usual
# indicator stands in.
REPORTED_RSI = func.coalesce(column_of("tech_rsi"), column_of("rsi"))
REPORTED_MACD = func.coalesce(column_of("tech_macd"), column_of("macd"))


text = _field(Kind.TEXT)
json_array = _field(Kind.JSON_ARRAY)
moment = _field(Kind.MOMENT)
rupees = _field(Kind.NUMBER, Unit.RUPEES)
percent = _field(Kind.NUMBER, Unit.PERCENT)
ratio = _field(Kind.NUMBER, Unit.RATIO)
times = _field(Kind.NUMBER, Unit.TIMES)
number = _field(Kind.NUMBER)
points = _field(Kind.INTEGER, Unit.POINTS)
count = _field(Kind.INTEGER, Unit.COUNT)

FIELDS: tuple[StockField, ...] = (
    _field(Kind.INTEGER)("id", nullable=False),
    text("stock_name", "Stock Name", nullable=False),
    text("nse_code", "NSE Code"),
    text("sector_name", "Sector"),
    text("industry_name", "Industry Name", "Industry"),
    text("bse_code"),
    text("isin"),
    text("stock_code"),
    rupees("current_price", "Current Price"),
    percent("day_change_pct", "Day change %"),
    percent("week_change_pct"),
    percent("month_change_pct", "Month Change %"),
    percent("qtr_change_pct", "Qtr Change %"),
    percent("year_1_change_pct", "1Yr change %"),
    percent("year_3_change_pct", "3Yr price change %"),
    rupees("market_cap", "Market Capitalization"),
    times("pe_ttm", "PE TTM Price to Earnings", decimals=2),
    times("sector_pe_ttm", "Sector PE TTM", decimals=2),
    times("pb_ratio", "Price to Book Value Adjusted"),
    times("ps_ratio", "PS Price to Sales"),
    times("peg_ratio", "PEG TTM PE to Growth"),
    percent("roe_annual_pct", "ROE Annual %"),
    percent("roa_annual_pct", "RoA Annual %"),
    percent("operating_margin_pct", "Operating Profit Margin Qtr %"),
    percent("net_profit_margin_pct", "Net Profit Margin Annual %"),
    percent("revenue_growth_yoy_pct", "Revenue Growth Annual YoY %"),
    percent("revenue_growth_qtr_yoy_pct", "Revenue Growth Qtr YoY %"),
    percent("profit_growth_yoy_pct", "Net Profit Annual YoY Growth %"),
    percent("profit_growth_qtr_yoy_pct", "Net Profit Qtr Growth YoY %"),
    percent("eps_growth_pct", "EPS TTM Growth %"),
    rupees("basic_eps_ttm", "Basic EPS TTM"),
    ratio("debt_to_equity", "Debt to Equity Ratio"),
    times("current_ratio", "Current Ratio"),
    rupees("revenue_annual", "Operating Revenue Annual"),
    rupees("revenue_qtr", "Operating Revenue Qtr"),
    rupees("net_profit_annual", "Net Profit Annual"),
    rupees("net_profit_qtr", "Net Profit Qtr"),
    points("piotroski_score", "Piotroski Score"),
    rupees("total_debt", "YF_TotalDebt"),
    rupees("stockholders_equity", "YF_StockholdersEquity"),
    rupees("total_assets", "YF_TotalAssets"),
    rupees("current_assets", "YF_CurrentAssets"),
    rupees("current_liabilities", "YF_CurrentLiabilities"),
    percent("dividend_yield_pct", "Dividend Yield Annual %"),
    percent("forward_dividend_yield_pct", "Forecaster Estimates 1Y forward Dividend Yield %"),
    rupees("target_price", "Forecaster Estimates Target Price"),
    percent(
        "upside_12m_pct",
        "Forecaster Estimates 12Mth Upside %",
        expression=UPSIDE_PERCENT,
        decimals=2,
    ),
    text("recommendation_key"),
    text("recommendation_text", "Forecaster Estimates Reco"),
    count("analyst_count"),
    points("durability_score", "Trendlyne Durability Score", "Durability Score"),
    points("valuation_score", "Trendlyne Valuation Score", "Valuation Score"),
    points("momentum_score", "Trendlyne Momentum Score"),
    points("rel_strength_score", "Relative Strength"),
    percent("roce_annual_pct", "ROCE Annual %"),
    percent("earnings_yield_pct", "Earnings Yield %"),
    number("rsi", "Day RSI"),
    rupees("macd", "Day MACD"),
    number("adx", "Day ADX"),
    rupees("atr", "Day ATR"),
    number("beta_1yr", "Beta 1Year"),
    rupees("sma_50", "Day SMA50"),
    rupees("sma_200", "Day SMA200"),
    rupees("ema_20", "Day EMA20"),
    text("tech_trend", "Tech_Trend"),
    number("tech_rsi", omitted_names=("Tech_RSI",), expression=REPORTED_RSI),
    text("tech_rsi_state", "Tech_RSI_State"),
    rupees("tech_macd", omitted_names=("Tech_MACD",), expression=REPORTED_MACD),
    text("tech_macd_signal", "Tech_MACD_Signal"),
    number("tech_mfi", omitted_names=("Tech_MFI",)),
    text("tech_volume_signal", "Tech_Vol_Signal"),
    percent("tech_volume_pct", "Tech_Vol_Pct"),
    json_array("news_headlines", "News_Headlines"),
    text("news_sentiment", "News_Sentiment"),
    points("news_score", "News_Score"),
    text("financial_insights", "Financial Insights"),
    percent("promoter_holding_pct", "Promoter holding latest %"),
    percent("promoter_holding_change_qoq_pct", "Promoter holding change QoQ %"),
    percent("fii_holding_pct", "FII holding current Qtr %"),
    percent("fii_holding_change_qoq_pct", "FII holding change QoQ %"),
    percent("mf_holding_pct", "MF holding current Qtr %"),
    percent("mf_holding_change_qoq_pct", "MF holding change QoQ %"),
    percent("dii_holding_pct", "DII holding current Qtr %"),
    percent(
        "institutional_holding_pct",
        "Institutional holding current Qtr %",
        expression=INSTITUTIONAL_HOLDING_PERCENT,
    ),
    rupees("week_52_high", "52 Week High", "1Yr High"),
    rupees("week_52_low", "52 Week Low", "1Yr Low"),
    points("data_quality_score", "Data Quality Score"),
    text("data_sources", "Data Sources"),
    moment("last_updated", "Last Updated"),
    moment("created_at", nullable=False),
)
