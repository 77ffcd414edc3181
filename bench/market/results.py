"""Ten years and eight quarters of one company's statements, its owners and its news. Amounts in rupees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from bench.stock_figures import Figures

YEARS, QUARTERS = 10, 8
TAX_RATE, INTEREST_RATE, PAYOUT = 0.25, 0.08, 0.3
# Results are published within 45 days of a quarter's end.
PUBLISHED_AFTER = timedelta(days=45)
_UNSCALED = ("end", "months", "shares")


@dataclass(frozen=True, slots=True)
class Period:
    """A financial year or a quarter. revenue - expenses = operating_income (EBIT, after depreciation);
    operating_income + other_income + exceptional - interest = profit_before_tax; less tax = net_income.
    total_assets = equity + total_debt + current_liabilities = current_assets + fixed_assets. Banks and their like
    have no current assets and liabilities (None)."""

    end: date
    months: int
    shares: float
    revenue: float
    expenses: float
    depreciation: float
    operating_income: float
    other_income: float
    exceptional: float
    interest: float
    profit_before_tax: float
    tax: float
    net_income: float
    share_capital: float
    equity: float
    total_debt: float
    current_liabilities: float | None
    current_assets: float | None
    inventories: float | None
    receivables: float | None
    cash: float
    fixed_assets: float
    total_assets: float
    operating_cash_flow: float
    investing_cash_flow: float
    financing_cash_flow: float
    capital_expenditure: float

    @property
    def reserves(self) -> float:
        return self.equity - self.share_capital

    @property
    def eps(self) -> float:
        """Rupees a share."""
        return self.net_income / self.shares

    @property
    def label(self) -> str:
        """Such as "Mar 2026"."""
        return f"{self.end:%b %Y}"

    def scaled(self, share: float) -> Period:
        """The same with every amount times `share`."""
        amounts: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        scaled = {name: value * share for name, value in amounts.items() if name not in _UNSCALED and value is not None}
        return replace(self, **scaled)


@dataclass(frozen=True, slots=True)
class Shareholding:
    """Fractions: promoter + fii + dii + public = 1; mutual funds are a part of `dii`, `pledged` of `promoter`."""

    end: date
    promoter: float
    pledged: float
    fii: float
    dii: float
    mutual_funds: float
    public: float


def quarter_ends(today: date, count: int) -> list[date]:
    """The last `count` published quarter ends, oldest first."""
    ends = [
        first - timedelta(days=1)
        for year in range(today.year, today.year - count // 4 - 3, -1)
        for month in (10, 7, 4, 1)
        if (first := date(year, month, 1)) - timedelta(days=1) + PUBLISHED_AFTER <= today
    ]
    return sorted(ends[:count])


def years(chance: Random, made: Figures, shares: int, today: date, *, is_financial: bool) -> tuple[Period, ...]:
    """Financial years to 31 March, oldest first. The newest has the figures `made` has."""
    newest = max(end for end in quarter_ends(today, 8) if end.month == 3)
    revenue, profit = float(made["revenue_annual"]), float(made["net_profit_annual"])
    equity = max(float(made["stockholders_equity"]), revenue * 0.01)
    margin, debt_ratio = float(made["operating_margin_pct"]) / 100, float(made["debt_to_equity"])
    liabilities = (float(made["total_assets"]) - equity - float(made["total_debt"])) / max(revenue, 1.0)
    ratio = float(made["current_ratio"] or 1.2)
    growth, profit_growth = float(made["revenue_growth_yoy_pct"]), float(made["profit_growth_yoy_pct"])
    outstanding = float(shares)
    periods: list[Period] = []
    for back in range(YEARS):
        end = date(newest.year - back, 3, 31)
        periods.append(
            _period(
                chance, end, 12, outstanding, shares, revenue, profit, margin, equity, equity * debt_ratio,
                revenue * liabilities, None if is_financial else ratio,
            )
        )  # fmt: skip
        equity = max(equity - max(profit, profit * 0.2) * (1 - PAYOUT), equity * 0.72)
        revenue /= 1 + min(max(growth, -60.0), 150.0) / 100
        profit = profit / (1 + profit_growth / 100) if profit_growth > -80 else -profit
        growth, profit_growth = chance.gauss(10, 9), chance.gauss(11, 16)
        margin += chance.gauss(-0.002, 0.012)
        debt_ratio = max(debt_ratio * (1 + chance.gauss(0.03, 0.12)), 0.0)
        ratio = max(ratio * (1 + chance.gauss(-0.01, 0.06)), 0.2)
        if chance.random() < 0.25:
            outstanding *= chance.uniform(0.95, 0.999)
    return tuple(reversed(periods))


def quarters(chance: Random, made: Figures, annual: tuple[Period, ...], today: date) -> tuple[Period, ...]:
    """Oldest first. Four quarters of a financial year make that year; later ones go on with its growth."""
    year_of = {period.end.year: period for period in annual}
    season = [chance.uniform(0.88, 1.12) for _ in range(4)]
    season = [value / sum(season) for value in season]
    last_growth = min(max(float(made["revenue_growth_qtr_yoy_pct"]) / 100, -0.5), 1.0)
    profit_growth = min(max(float(made["profit_growth_qtr_yoy_pct"]) / 100, -0.8), 1.5)
    periods = []
    for end in quarter_ends(today, QUARTERS):
        fiscal = end.year + (end.month > 3)
        year = year_of.get(fiscal)
        ahead = year is None
        year = year or annual[-1]
        part = season[(end.month // 3 + 2) % 4]
        grown, earned = (1 + last_growth, 1 + profit_growth) if ahead else (1.0, 1.0)
        before = year.net_income * part
        profit = before + abs(before) * (earned - 1)
        ratio = year.current_assets / year.current_liabilities if year.current_assets and year.current_liabilities \
            else None  # fmt: skip
        periods.append(
            _period(
                chance, end, 3, year.shares, year.share_capital, year.revenue * part * grown, profit,
                year.operating_income / year.revenue, year.equity, year.total_debt,
                year.total_assets - year.equity - year.total_debt, ratio,
            )
        )  # fmt: skip
    return tuple(periods)


def _period(
    chance: Random, end: date, months: int, shares: float, share_capital: float, revenue: float, net_income: float,
    margin: float, equity: float, debt: float, liabilities: float, current_ratio: float | None,
) -> Period:  # fmt: skip
    before_tax = net_income / (1 - TAX_RATE) if net_income > 0 else net_income
    operating = revenue * margin
    interest = debt * INTEREST_RATE * months / 12
    rest = before_tax - operating + interest
    depreciation = revenue * 0.04
    total = equity + debt + liabilities
    assets = None if current_ratio is None else min(liabilities * current_ratio, total * 0.9)
    fixed = total - (assets or total * 0.6)
    cash_from_work = net_income + depreciation + revenue * chance.gauss(0.0, 0.03)
    spent = depreciation * chance.uniform(0.6, 1.8)
    invested = -spent - revenue * abs(chance.gauss(0.0, 0.02))
    return Period(
        end=end,
        months=months,
        shares=shares,
        revenue=revenue,
        expenses=revenue - operating,
        depreciation=depreciation,
        operating_income=operating,
        other_income=max(rest, 0.0),
        exceptional=min(rest, 0.0),
        interest=interest,
        profit_before_tax=before_tax,
        tax=before_tax - net_income,
        net_income=net_income,
        share_capital=share_capital,
        equity=equity,
        total_debt=debt,
        current_liabilities=None if assets is None else liabilities,
        current_assets=assets,
        inventories=None if assets is None else assets * 0.3,
        receivables=None if assets is None else assets * 0.35,
        cash=(total * 0.1) if assets is None else assets * 0.2,
        fixed_assets=fixed,
        total_assets=total,
        operating_cash_flow=cash_from_work,
        investing_cash_flow=invested,
        financing_cash_flow=-(cash_from_work + invested) * 0.8,
        capital_expenditure=spent,
    )


def holdings(chance: Random, made: Figures, today: date) -> tuple[Shareholding, Shareholding]:
    """Of the last two quarters."""
    before, last = quarter_ends(today, 2)
    promoter, fii = float(made["promoter_holding_pct"]) / 100, float(made["fii_holding_pct"]) / 100
    dii, funds = float(made["dii_holding_pct"]) / 100, float(made["mf_holding_pct"]) / 100
    pledge = chance.choice((0.0, 0.0, 0.0, chance.uniform(0.0, 0.3)))
    newest = _shareholding(last, promoter, fii, dii, funds, pledge)
    changes = [float(made[f"{name}_holding_change_qoq_pct"]) / 100 for name in ("promoter", "fii", "mf")]
    older_funds = max(funds - changes[2], 0.0)
    older = _shareholding(
        before,
        min(max(promoter - changes[0], 0.0), 0.75),
        max(fii - changes[1], 0.0),
        max(dii + older_funds - funds, older_funds),
        older_funds,
        pledge,
    )
    return older, newest


def _shareholding(end: date, promoter: float, fii: float, dii: float, funds: float, pledge: float) -> Shareholding:
    promoter, fii, dii, funds = (round(part, 4) for part in (promoter, fii, dii, funds))
    dii = min(dii, round(1 - promoter - fii, 4))
    public = round(1 - promoter - fii - dii, 4)
    return Shareholding(end, promoter, round(promoter * pledge, 4), fii, dii, min(funds, dii), public)


_GOOD = ("surges to a record high", "posts strong profit growth", "wins a large order", "gets an upgrade to buy")
_BAD = ("plunges after weak results", "faces a fraud probe", "posts a loss", "gets a downgrade to sell")
_PLAIN = ("holds its annual general meeting", "names a new director", "to publish results on Friday")
_PUBLISHERS = ("Market Desk", "The Daily Ledger", "Money & Markets", "Exchange Wire")


def headlines(chance: Random, name: str, today: date) -> Iterator[tuple[str, str, str, datetime]]:
    """Title, link, publisher, time; newest first."""
    mood = chance.choice((_GOOD, _BAD, _PLAIN))
    moment = datetime.combine(today, time(9, 30), UTC)
    for number in range(chance.randrange(7)):
        moment -= timedelta(minutes=chance.randrange(60, 3000))
        event = chance.choice(chance.choice((mood, mood, _PLAIN)))
        link = f"https://news.example/{moment:%Y%m%d%H%M}/{number}"
        yield f"{name} {event}", link, chance.choice(_PUBLISHERS), moment
