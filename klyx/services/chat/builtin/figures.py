"""The figures of companies: what they are called, how each is written, and those that a question names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from klyx.services.chat.builtin.writing import count, crores, percent, price, ratio
from klyx.services.chat.conditions import fields_in
from klyx.services.chat.explaining import field_name
from klyx.services.stocks import StockReference

Result: TypeAlias = Mapping[str, Any]
Results: TypeAlias = list[Mapping[str, Any]]

METRICS: Sequence[tuple[str, str, Any]] = (
    ("P/E (TTM)", "pe_ttm", ratio),
    ("Price to book", "pb_ratio", ratio),
    ("ROE", "roe_annual_pct", percent),
    ("Net margin", "net_profit_margin_pct", percent),
    ("Debt to equity", "debt_to_equity", ratio),
    ("Dividend yield", "dividend_yield_pct", percent),
)
FIGURES: Sequence[tuple[str, str, Any]] = (
    ("Market cap", "market_cap", crores),
    ("P/E (TTM)", "pe_ttm", ratio),
    ("Sector P/E", "sector_pe_ttm", ratio),
    ("Price to book", "pb_ratio", ratio),
    ("PEG", "peg_ratio", ratio),
    ("ROE", "roe_annual_pct", percent),
    ("ROCE", "roce_annual_pct", percent),
    ("Operating margin", "operating_margin_pct", percent),
    ("Net margin", "net_profit_margin_pct", percent),
    ("Revenue growth (year)", "revenue_growth_yoy_pct", percent),
    ("Profit growth (year)", "profit_growth_yoy_pct", percent),
    ("Debt to equity", "debt_to_equity", ratio),
    ("Current ratio", "current_ratio", ratio),
    ("Dividend yield", "dividend_yield_pct", percent),
    ("Promoter holding", "promoter_holding_pct", percent),
    ("Piotroski score (of 9)", "piotroski_score", count),
)
_MORE: Sequence[tuple[str, str, Any]] = (
    ("Target price of analysts", "target_price", price),
    ("Earnings per share (TTM)", "basic_eps_ttm", price),
    ("Beta (1 year)", "beta_1yr", ratio),
    ("Price to sales", "ps_ratio", ratio),
    ("ROA", "roa_annual_pct", percent),
    ("FII holding", "fii_holding_pct", percent),
    ("DII holding", "dii_holding_pct", percent),
    ("Revenue of the year", "revenue_annual", crores),
    ("Net profit of the year", "net_profit_annual", crores),
    ("Durability score", "durability_score", count),
    ("Valuation score", "valuation_score", count),
)
_WRITERS = {name: (label, write) for label, name, write in (*FIGURES, *_MORE)}
# The answers about the price and the trend show these.
_TOLD_ELSEWHERE = frozenset({"current_price", "day_change_pct", "rsi", "adx"})


def asked_for(company: StockReference, text: str, figures: Result) -> str:
    """The figures that the question names, first and in words; also that one of them is not known."""
    names = [name for name in fields_in(text) if name not in _TOLD_ELSEWHERE]
    small = text.lower()
    if "profitab" in small:
        names.append("net_profit_annual")
    if "debt" in small and "debt_to_equity" not in names:
        names.append("debt_to_equity")
    return "".join(f"**{_told(company, name, figure(figures, name))}**\n\n" for name in names)


def _told(company: StockReference, name: str, value: Any) -> str:
    label, write = _WRITERS.get(name) or (field_name(name).capitalize(), percent if name.endswith("_pct") else ratio)
    if value is None:
        return f"{label} of {company.stock_name} is not known to us."
    return f"{label} of {company.stock_name}: {write(value)}"


def figure(result: Result, name: str) -> Any:
    return (result.get("figures") or {}).get(name)
