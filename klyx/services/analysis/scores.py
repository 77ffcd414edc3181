"""Durability, valuation, momentum and relative strength.

A missing input never earns points; with fewer than half of its inputs known a score is None.
"""

from collections.abc import Mapping, Sequence

from klyx.services.analysis import columns as c
from klyx.services.analysis.table import Cell, number

Number = float | None


def durability_score(
    *,
    roa_percent: Number,
    operating_margin_percent: Number,
    debt_to_equity: Number,
    current_ratio: Number,
    net_margin_percent: Number,
    eps_growth_percent: Number,
    promoter_holding_percent: Number,
    roe_percent: Number,
) -> int | None:
    """0 to 100: ten points for each of ten signs of a sound business.

    Negative debt to equity means negative equity, and earns nothing.
    """
    debt = debt_to_equity if debt_to_equity is not None and debt_to_equity >= 0 else None
    inputs = (
        roa_percent,
        operating_margin_percent,
        debt,
        current_ratio,
        net_margin_percent,
        eps_growth_percent,
        promoter_holding_percent,
        roe_percent,
    )
    if _too_few(inputs):
        return None
    signs = (
        _above(roa_percent, 0),
        _above(operating_margin_percent, 0),
        _above(roa_percent, 10),
        _below(debt, 1),
        _below(debt, 0.1),
        _above(current_ratio, 1.5),
        _above(net_margin_percent, 10),
        _above(eps_growth_percent, 0),
        _above(promoter_holding_percent, 30),
        _above(roe_percent, 15),
    )
    return 10 * sum(signs)


def valuation_score(
    *, pe_ratio: Number, peg_ratio: Number, pb_ratio: Number, dividend_yield_percent: Number
) -> int | None:
    """0 to 100: twenty points for each of five signs of a low price; 0 without a positive PE."""
    if _too_few((pe_ratio, peg_ratio, pb_ratio, dividend_yield_percent)):
        return None
    if not _above(pe_ratio, 0):
        return 0
    signs = (
        _below(pe_ratio, 15),
        _below(pe_ratio, 30),
        _above(peg_ratio, 0) and _below(peg_ratio, 1.5),
        _above(pb_ratio, 0) and _below(pb_ratio, 3),
        _above(dividend_yield_percent, 1),
    )
    return 20 * sum(signs)


def momentum_score(
    *,
    relative_strength: Number,
    year_change_percent: Number,
    price: Number,
    week_52_high: Number,
    week_52_low: Number,
) -> int | None:
    """0 to 100, in practice at most 80: strength 40, nearness to the high 30, off the low 10.

    Strength is the relative-strength score, or without one the change over a year.
    """
    strength = relative_strength if relative_strength is not None else year_change_percent
    against_high = _quotient(price, week_52_high)
    against_low = _quotient(price, week_52_low)
    if _too_few((strength, against_high, against_low)):
        return None
    if relative_strength is not None:
        points = relative_strength / 100 * 40
    else:
        points = _step(year_change_percent, ((50, 40), (20, 30), (0, 15)))
    points += _step(against_high, ((0.95, 30), (0.85, 20), (0.75, 10)))
    points += _step(against_low, ((1.1, 10),))
    return max(0, min(100, int(points)))


def relative_strengths(year_changes: Sequence[Number]) -> list[int | None]:
    """0 to 99 for each stock: the share of the others that did no better over a year.

    The best gets 99, the worst 0, a single stock 50; equal changes get equal scores; an unknown
    change gets None and does not count.
    """
    known = sorted((change for change in year_changes if change is not None), reverse=True)
    if len(known) == 1:
        return [None if change is None else 50 for change in year_changes]
    rank_of = {change: rank for rank, change in reversed(list(enumerate(known)))}
    last = len(known) - 1
    return [None if change is None else (last - rank_of[change]) * 99 // last for change in year_changes]


def durability_of(row: Mapping[str, Cell]) -> int | None:
    """The durability score of a row of the analysis."""
    return durability_score(
        roa_percent=number(row, c.ROA),
        operating_margin_percent=number(row, c.OPERATING_MARGIN_ANNUAL, c.OPERATING_MARGIN_QUARTER),
        debt_to_equity=number(row, c.DEBT_TO_EQUITY),
        current_ratio=number(row, c.CURRENT_RATIO),
        net_margin_percent=number(row, c.NET_MARGIN),
        eps_growth_percent=number(row, c.EPS_GROWTH),
        promoter_holding_percent=number(row, c.PROMOTER_HOLDING),
        roe_percent=number(row, c.ROE),
    )


def valuation_of(row: Mapping[str, Cell]) -> int | None:
    """The valuation score of a row of the analysis."""
    return valuation_score(
        pe_ratio=number(row, c.PE),
        peg_ratio=number(row, c.PEG),
        pb_ratio=number(row, c.PB),
        dividend_yield_percent=number(row, c.DIVIDEND_YIELD),
    )


def momentum_of(row: Mapping[str, Cell]) -> int | None:
    """The momentum score of a row whose `Relative Strength` has been set."""
    return momentum_score(
        relative_strength=number(row, c.RELATIVE_STRENGTH),
        year_change_percent=number(row, c.YEAR_CHANGE),
        price=number(row, c.PRICE),
        week_52_high=number(row, c.YEAR_HIGH, "52 Week High"),
        week_52_low=number(row, c.YEAR_LOW, "52 Week Low"),
    )


def _too_few(inputs: Sequence[Number]) -> bool:
    return 2 * sum(value is not None for value in inputs) < len(inputs)


def _above(value: Number, limit: float) -> bool:
    return value is not None and value > limit


def _below(value: Number, limit: float) -> bool:
    return value is not None and value < limit


def _quotient(price: Number, extreme: Number) -> Number:
    return price / extreme if price is not None and extreme is not None and extreme > 0 else None


def _step(value: Number, steps: Sequence[tuple[float, int]]) -> int:
    if value is None:
        return 0
    return next((points for limit, points in steps if value > limit), 0)
