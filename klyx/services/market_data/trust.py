"""Which of two values of a field is the better one. docs/decisions/0013 explains it.

The first of these rules that decides counts:

1. A known value is better than an unknown one.
2. Sample data is worse than anything else, whatever their age; so is a value nobody recorded the source of,
   except that it is better than sample data.
3. Of two values of one source, or of sources trusted alike, the younger is better.
4. Of a more trusted and a less trusted value, the more trusted is better, unless it is older by more than
   values of its kind stay fresh (FRESH_FOR). Names and sectors stay fresh for ever.

What we calculate from several figures of one source goes with them: it is stored when each of them is the one that
is stored (CALCULATED_FROM), and never otherwise, so that a ratio and its parts agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from klyx.database.starter import SAMPLE_SOURCE
from klyx.services.market_data.vocabulary import Kind
from klyx.services.stocks.provenance import CALCULATED

NSE, YAHOO, MONEYCONTROL, ALPHA_VANTAGE = "NSE", "Yahoo Finance", "MoneyControl", "Alpha Vantage"

TRUST_ORDER = (NSE, YAHOO, MONEYCONTROL, ALPHA_VANTAGE)
"""Sources by name, the most trusted first. One that is not named here comes after these."""

FROM_DAILY_PRICES = ("beta_1yr", "year_1_change_pct")
"""Columns that sources state by definitions of their own, and that we calculate from the prices we keep."""

_HOLDINGS = (NSE, MONEYCONTROL, YAHOO, ALPHA_VANTAGE)
SPECIAL_ORDERS = {
    # Yahoo counts insiders and funds; the shareholding pattern that companies file says who is a promoter.
    "promoter_holding": _HOLDINGS,
    "institutional_holding": _HOLDINGS,
    "promoter_holding_pct": _HOLDINGS,
    # Of one filing or one balance sheet, where a source's own figure may be of another.
    "institutional_holding_pct": (CALCULATED, *_HOLDINGS),
    "current_ratio": (CALCULATED, *TRUST_ORDER),
    # As the definition of the column says, and as the chart and the other changes do.
    **dict.fromkeys(FROM_DAILY_PRICES, (CALCULATED, *TRUST_ORDER)),
}
"""Raw fields and columns for which another order holds."""

FRESH_FOR: dict[Kind, timedelta] = {
    Kind.PRICE: timedelta(hours=1),
    Kind.VALUATION: timedelta(days=1),
    Kind.TECHNICAL: timedelta(days=1),
    Kind.NEWS: timedelta(days=1),
    Kind.ANALYSTS: timedelta(days=7),
    Kind.STATEMENT: timedelta(days=45),
    Kind.HOLDING: timedelta(days=100),
    Kind.IDENTITY: timedelta.max,
}
"""How much younger a less trusted value has to be before it replaces a more trusted one."""

# From before a weekend with a holiday until the session after it has ended.
SPECIAL_FRESHNESS = dict.fromkeys(FROM_DAILY_PRICES, timedelta(days=4))
"""Columns whose values stay fresh for another time than those of their kind."""

CALCULATED_FROM: Mapping[str, tuple[str, ...]] = {
    "day_change_pct": ("current_price",),
    "debt_to_equity": ("total_debt", "stockholders_equity"),
    "current_ratio": ("current_assets", "current_liabilities"),
    "institutional_holding_pct": ("fii_holding_pct", "dii_holding_pct"),
    "net_profit_margin_pct": ("net_profit_annual", "revenue_annual"),
    "operating_margin_pct": ("revenue_annual",),
    "roe_annual_pct": ("net_profit_annual", "stockholders_equity"),
    "roa_annual_pct": ("net_profit_annual", "total_assets"),
    "roce_annual_pct": ("total_assets", "current_liabilities"),
}
"""Columns that klyx.services.market_data.columns calculates, and the columns they are calculated from."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a known value comes from; both None when nobody recorded it."""

    source: str | None
    obtained_at: datetime | None


def is_better(new: Origin, present: Origin, field: str, kind: Kind) -> bool:
    """Whether the known value `new` takes the place of the known value `present` of a raw field or column.

    Two values that are alike in trust and age: the new one, so that a correction counts.
    """
    if _is_sample(new) is not _is_sample(present):
        return _is_sample(present)
    if new.obtained_at is None or present.obtained_at is None:
        return new.obtained_at is not None or present.obtained_at is None
    younger_by = new.obtained_at - present.obtained_at
    new_rank, present_rank = rank(new.source, field), rank(present.source, field)
    if new_rank == present_rank:
        return younger_by >= timedelta(0)
    fresh_for = SPECIAL_FRESHNESS.get(field, FRESH_FOR[kind])
    return -younger_by <= fresh_for if new_rank < present_rank else younger_by > fresh_for


def rank(source: str | None, field: str) -> int:
    """The place of a source in the order of trust for this field, 0 the best."""
    order = SPECIAL_ORDERS.get(field, TRUST_ORDER)
    if source in order:
        return order.index(source)
    # What we calculate rests on what the others say, and a source may state the same thing itself.
    return len(order) + (source == CALCULATED)


def _is_sample(origin: Origin) -> bool:
    return origin.source == SAMPLE_SOURCE
