"""The one table of the raw fields that sources answer with: what can be true of each, and where it is stored.

Names and units are those of klyx.sources.base.SourceRecord: rupees, and fractions that are stored as percent points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a figure is about, which says how fast it ages (see klyx.services.market_data.trust)."""

    PRICE = "price"
    VALUATION = "valuation"
    ANALYSTS = "analysts"
    STATEMENT = "statement"
    HOLDING = "holding"
    TECHNICAL = "technical"
    NEWS = "news"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class NumberField:
    """A figure that is plausible from `lowest` to `highest`, both included; a price of 0 is not, so `above` excludes.

    `zero_is_a_gap`: a 0 may be true, but more often stands for "unknown", so a source that says more is believed.
    """

    kind: Kind
    lowest: float
    highest: float
    column: str | None
    is_fraction: bool = False
    is_whole: bool = False
    zero_is_a_gap: bool = False
    never_zero: bool = False


@dataclass(frozen=True, slots=True)
class TextField:
    """Text on one line of at most `longest` characters; `pattern`, when given, is all that it may be."""

    kind: Kind
    longest: int
    column: str | None
    pattern: str | None = None


LARGEST_AMOUNT = 1e15
"""Rupees. A hundred times what the largest company of the exchange turns over, owns or is worth, ten times rounded."""


def _price(column: str | None, kind: Kind = Kind.PRICE) -> NumberField:
    return NumberField(kind, 0.0, 1e7, column, never_zero=True)


def _multiple(column: str, largest: float, *, lowest: float | None = None) -> NumberField:
    return NumberField(Kind.VALUATION, -largest if lowest is None else lowest, largest, column, never_zero=True)


def _amount(column: str | None, lowest: float = -LARGEST_AMOUNT) -> NumberField:
    return NumberField(Kind.STATEMENT, lowest, LARGEST_AMOUNT, column, zero_is_a_gap=True)


def _fraction(
    column: str | None, lowest: float, highest: float, kind: Kind = Kind.STATEMENT, *, zero_is_a_gap: bool = False
) -> NumberField:
    return NumberField(kind, lowest, highest, column, is_fraction=True, zero_is_a_gap=zero_is_a_gap)


def _share(column: str | None) -> NumberField:
    return _fraction(column, 0.0, 1.0, Kind.HOLDING)


def _share_change(column: str) -> NumberField:
    return _fraction(column, -1.0, 1.0, Kind.HOLDING)


NUMBERS: Mapping[str, NumberField] = {
    "currentPrice": _price("current_price"),
    "_previous_close": _price(None),
    "volume": NumberField(Kind.PRICE, 0.0, 1e12, None),
    # As young as the price: it never stands above its own year's high, nor beside another day's market cap.
    "week52High": _price("week_52_high"),
    "week52Low": _price("week_52_low"),
    "marketCap": NumberField(Kind.PRICE, 0.0, LARGEST_AMOUNT, "market_cap", never_zero=True),
    "year1Change": _fraction("year_1_change_pct", -1.0, 1000.0, Kind.VALUATION),
    "pe_ratio": _multiple("pe_ttm", 10_000.0),
    "sector_pe": _multiple("sector_pe_ttm", 1000.0, lowest=0.0),
    "pb_ratio": _multiple("pb_ratio", 10_000.0),
    "ps_ratio": _multiple("ps_ratio", 100_000.0, lowest=0.0),
    "peg_ratio": _multiple("peg_ratio", 1000.0),
    "dividend_yield": _fraction("dividend_yield_pct", 0.0, 1.0, Kind.VALUATION),
    "forward_dividend_yield": _fraction("forward_dividend_yield_pct", 0.0, 1.0, Kind.ANALYSTS),
    "beta": NumberField(Kind.TECHNICAL, -10.0, 10.0, "beta_1yr", zero_is_a_gap=True),
    "target_mean_price": _price("target_price", Kind.ANALYSTS),
    "number_of_analyst_opinions": NumberField(Kind.ANALYSTS, 0.0, 500.0, "analyst_count", is_whole=True),
    "roe": _fraction("roe_annual_pct", -50.0, 50.0, zero_is_a_gap=True),
    "roa": _fraction("roa_annual_pct", -10.0, 10.0, zero_is_a_gap=True),
    # A company that sells next to nothing loses many times its sales, or earns them elsewhere.
    "profit_margin": _fraction("net_profit_margin_pct", -1000.0, 1000.0, zero_is_a_gap=True),
    "operating_margin": _fraction("operating_margin_pct", -1000.0, 1000.0, zero_is_a_gap=True),
    "quarterly_operating_margin": _fraction(None, -1000.0, 1000.0, zero_is_a_gap=True),
    "revenue_growth": _fraction("revenue_growth_yoy_pct", -1.0, 5000.0),
    "quarterly_revenue_growth": _fraction("revenue_growth_qtr_yoy_pct", -1.0, 5000.0),
    "profit_growth": _fraction("profit_growth_yoy_pct", -5000.0, 5000.0),
    "quarterly_profit_growth": _fraction("profit_growth_qtr_yoy_pct", -5000.0, 5000.0),
    "eps_growth": _fraction("eps_growth_pct", -5000.0, 5000.0),
    "basic_eps": NumberField(Kind.STATEMENT, -1e6, 1e6, "basic_eps_ttm", zero_is_a_gap=True),
    "revenue": _amount("revenue_annual"),
    "net_income": _amount("net_profit_annual"),
    "operating_income": _amount(None),
    "quarterly_revenue": _amount("revenue_qtr"),
    "quarterly_net_income": _amount("net_profit_qtr"),
    "total_assets": _amount("total_assets", 0.0),
    "current_assets": _amount("current_assets", 0.0),
    "total_debt": NumberField(Kind.STATEMENT, 0.0, LARGEST_AMOUNT, "total_debt"),
    "current_liabilities": _amount("current_liabilities", 0.0),
    "stockholders_equity": _amount("stockholders_equity"),
    "current_ratio": NumberField(Kind.STATEMENT, 0.0, 100_000.0, "current_ratio", zero_is_a_gap=True),
    "piotroski": NumberField(Kind.STATEMENT, 0.0, 9.0, "piotroski_score", is_whole=True),
    "promoter_holding": _share("promoter_holding_pct"),
    "institutional_holding": _share("institutional_holding_pct"),
    "fii_holding": _share("fii_holding_pct"),
    "dii_holding": _share("dii_holding_pct"),
    "mf_holding": _share("mf_holding_pct"),
    "public_holding": _share(None),
    "promoter_holding_change": _share_change("promoter_holding_change_qoq_pct"),
    "fii_holding_change": _share_change("fii_holding_change_qoq_pct"),
    "mf_holding_change": _share_change("mf_holding_change_qoq_pct"),
}

TEXTS: Mapping[str, TextField] = {
    "recommendation_key": TextField(
        Kind.ANALYSTS, 50, "recommendation_key", r"strong_buy|buy|hold|underperform|sell|strong_sell"
    ),
    "quarterly_date": TextField(Kind.STATEMENT, 10, None, r"\d{4}-\d{2}-\d{2}"),
    "_sector": TextField(Kind.IDENTITY, 255, "sector_name"),
    "_industry": TextField(Kind.IDENTITY, 255, "industry_name"),
    "_isin": TextField(Kind.IDENTITY, 12, "isin", r"IN[A-Z0-9]{9}\d"),
    "_bse_code": TextField(Kind.IDENTITY, 6, "bse_code", r"\d{6}"),
    "_website": TextField(Kind.IDENTITY, 255, "website", r"https?://[^\s\"'<>]+"),
    "_description": TextField(Kind.IDENTITY, 20_000, "company_description"),
    # Not stored: people's portfolios and the exchange's list go by the stock's name as it is.
    "_company_name": TextField(Kind.IDENTITY, 255, None),
    "_statement_currency": TextField(Kind.STATEMENT, 3, None, r"[A-Z]{3}"),
}

_FIELDS: tuple[NumberField | TextField, ...] = (*NUMBERS.values(), *TEXTS.values())
COLUMN_KINDS: Mapping[str, Kind] = {field.column: field.kind for field in _FIELDS if field.column is not None} | {
    "stock_name": Kind.IDENTITY,
    "nse_code": Kind.IDENTITY,
    "stock_code": Kind.IDENTITY,
    "listing_date": Kind.IDENTITY,
    "day_change_pct": Kind.PRICE,
    "debt_to_equity": Kind.STATEMENT,
    "roce_annual_pct": Kind.STATEMENT,
    "news_headlines": Kind.NEWS,
    "news_sentiment": Kind.NEWS,
    "news_score": Kind.NEWS,
}


def kind_of(column: str) -> Kind:
    """What a column of `stocks` or `stock_metadata` is about; those of no source come from prices."""
    return COLUMN_KINDS.get(column, Kind.TECHNICAL)
