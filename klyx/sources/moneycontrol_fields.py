"""From MoneyControl's tables to the raw field vocabulary: rupees and fractions. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from klyx.sources.moneycontrol_tables import Grid, parse_number, period_table
from klyx.sources.statement_periods import Line, Period, PeriodTable
from klyx.sources.statement_rows import Found, net_profit, operating_profit, revenue

RUPEES_PER_CRORE = 10_000_000
# Statements come out half a year late at worst; older ones do not describe the company of today.
OLDEST_STATEMENT = timedelta(days=800)
_UNITS = (
    (re.compile(r"\brs\.?\s*(?:in\s*)?cr", re.IGNORECASE), 1.0),
    (re.compile(r"\brs\.?\s*(?:in\s*)?la(?:kh|c)", re.IGNORECASE), 0.01),
    (re.compile(r"\brs\.?\s*(?:in\s*)?(?:mn|million)", re.IGNORECASE), 0.1),
)
_PLEDGES = re.compile(r"pledge|encumb")
_NOT_PROMOTERS = re.compile(r"\bnon[\s-]*promoter")
# In this order: foreign promoters are promoters, and mutual funds are a part of the domestic institutions.
_HOLDERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("promoter_holding", re.compile(r"promoter")),
    ("mf_holding", re.compile(r"mutual fund|\bmfs?\b")),
    ("fii_holding", re.compile(r"\bfiis?\b|\bfpis?\b|foreign")),
    ("dii_holding", re.compile(r"\bdiis?\b|domestic institution")),
    ("public_holding", re.compile(r"\bpublic\b")),
)
_CHANGES = ("promoter_holding", "fii_holding", "mf_holding")
LARGEST_SUM_OF_HOLDINGS = 1.02


def crores_per_unit(heading: str) -> float | None:
    """The unit of a table by its heading, such as "(in Rs. Cr.)"; None when it is not one of rupees."""
    return next((factor for unit, factor in _UNITS if unit.search(heading)), None)


def fields_from_profit_loss(table: PeriodTable, today: date) -> dict[str, float]:
    """The newest full year of a table in crores: `revenue`, `net_income` and `operating_income` in rupees;
    margins, and growth on the year before where that was above zero, also of earnings per share, as fractions.

    Years of another length than twelve months are left out, and so is everything that is too old.
    """
    years = {period: position for position, period in enumerate(table.periods) if period.is_a_year}
    newest = max(years, default=None)
    if newest is None or newest.end < today - OLDEST_STATEMENT:
        return {}
    now, before = years[newest], _position_of_year_before(years, newest)
    lines: dict[str, Line | Found | None] = {
        "revenue": revenue(table),
        "net_income": net_profit(table),
        "operating_income": operating_profit(table),
    }
    fields: dict[str, float] = {}
    for name, line in lines.items():
        value = line.values[now] if line is not None else None
        if value is not None:
            # Crores are printed with two decimals: what lies below a rupee comes from our arithmetic.
            fields[name] = float(round(value * RUPEES_PER_CRORE))
    # The year's earnings per share are not those of the last four quarters, which `basic_eps` is: only their growth.
    earnings = table.find("basic eps rs", "basic eps", "basic eps .*")
    for line, growth in (
        (lines["revenue"], "revenue_growth"),
        (lines["net_income"], "profit_growth"),
        (earnings, "eps_growth"),
    ):
        if line is not None and before is not None:
            _add_ratio(fields, growth, line.values[now], line.values[before], minus=1.0)
    _add_ratio(fields, "profit_margin", fields.get("net_income"), fields.get("revenue"))
    _add_ratio(fields, "operating_margin", fields.get("operating_income"), fields.get("revenue"))
    return fields


def _position_of_year_before(years: dict[Period, int], newest: Period) -> int | None:
    return next(
        (
            position
            for period, position in years.items()
            if (period.year, period.month) == (newest.year - 1, newest.month)
        ),
        None,
    )


def _add_ratio(
    fields: dict[str, float], name: str, value: float | None, base: float | None, minus: float = 0.0
) -> None:
    """value / base - minus, where both are known and the base is above zero: against a loss it means nothing."""
    if value is not None and base is not None and base > 0:
        fields[name] = value / base - minus


@dataclass(frozen=True, slots=True)
class _Holding:
    now: float
    a_quarter_before: float | None
    is_total: bool


def fields_from_holdings(grids: Sequence[Grid]) -> dict[str, float]:
    """Who owns the company, as fractions, from the first table that names its promoters.

    `..._change` is the difference to the quarter before, where the table has both. Nothing when the parts add
    up to more than the whole: then the columns were not what they seem.
    """
    holdings = next((found for grid in grids if "promoter_holding" in (found := _holdings(grid))), {})
    fields = {name: holding.now for name, holding in holdings.items()}
    for name in _CHANGES:
        before = holdings[name].a_quarter_before if name in holdings else None
        if before is not None:
            fields[f"{name}_change"] = round(holdings[name].now - before, 6)
    parts = [fields.get(f"{holder}_holding", 0.0) for holder in ("promoter", "fii", "dii", "public")]
    if sum(parts) > LARGEST_SUM_OF_HOLDINGS:
        return {}
    if "fii_holding" in fields and "dii_holding" in fields:
        fields["institutional_holding"] = round(fields["fii_holding"] + fields["dii_holding"], 6)
    return fields


def _holdings(grid: Grid) -> dict[str, _Holding]:
    """The first row of each kind of holder; one that says it is the total counts before its parts."""
    found: dict[str, _Holding] = {}
    for label, now, before in _shares(grid):
        text = label.lower()
        if _PLEDGES.search(text) or _NOT_PROMOTERS.search(text):
            continue
        name = next((name for name, holder in _HOLDERS if holder.search(text)), None)
        holding = _Holding(now, before, is_total="total" in text)
        if name is not None and (name not in found or (holding.is_total and not found[name].is_total)):
            found[name] = holding
    return found


def _shares(grid: Grid) -> Iterator[tuple[str, float, float | None]]:
    """Label, newest share and that of three months before, as fractions."""
    table = period_table(grid)
    if table is not None:
        newest = max(table.periods)
        now = table.periods.index(newest)
        earlier = newest.year * 12 + newest.month - 3
        before = next((n for n, period in enumerate(table.periods) if period.year * 12 + period.month == earlier), None)
        for line in table.lines:
            share = _fraction(line.values[now])
            if share is not None:
                yield line.label, share, None if before is None else _fraction(line.values[before])
        return
    for row in grid:
        # Without periods the last figure is the percentage; numbers of shares come before it.
        numbers = [value for value in (parse_number(cell) for cell in row[1:]) if value is not None]
        share = _fraction(numbers[-1]) if numbers else None
        if row and share is not None:
            yield row[0], share, None


def _fraction(percent: float | None) -> float | None:
    return round(percent / 100, 6) if percent is not None and 0 <= percent <= 100 else None
