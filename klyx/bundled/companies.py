"""The companies of the NIFTY 50 with illustrative figures, derived from the small table facts.csv.

Names, codes and classification are real. The figures only have the right magnitude and agree with one
another; money is in crores of rupees here, as in spreadsheet exports.
"""

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median

from klyx.bundled.price_path import TRADING_YEAR, Bar, price_path

FACTS = Path(__file__).with_name("facts.csv")
# Total assets over equity, where the debt does not say it.
ASSETS_TO_EQUITY = {"bank": 10.5, "insurer": 22.0}


@dataclass(frozen=True)
class Company:
    """One line of facts.csv, and what follows from it. None is unknown."""

    nse_code: str
    stock_name: str
    bse_code: str
    isin: str
    industry_name: str
    sector_name: str
    kind: str
    price: float
    market_cap: float
    pe: float | None
    pb: float
    revenue: float
    operating_margin: float
    dividend_yield: float | None
    promoter: float
    fii: float
    mf: float
    year_change: float
    debt_to_equity: float | None
    beta: float
    peers: "list[Company]" = field(repr=False, compare=False)

    def vary(self, what: str, low: float, high: float) -> float:
        """A number between `low` and `high`: always the same one for this company and `what`."""
        chance = random.Random(f"klyx {self.nse_code} {what}")  # noqa: S311 - illustrative, not secret
        return chance.uniform(low, high)

    @cached_property
    def bars(self) -> list[Bar]:
        """Daily bars of a little more than a year."""
        turnover = self.market_cap * 1e7 * 0.001
        return price_path(self.nse_code, self.price, self.year_change, self.beta, turnover)

    @property
    def year(self) -> list[Bar]:
        """The bars of the last trading year."""
        return self.bars[-TRADING_YEAR:]

    @property
    def eps(self) -> float | None:
        return self.price / self.pe if self.pe else None

    @property
    def profit_ttm(self) -> float | None:
        return self.market_cap / self.pe if self.pe else None

    @property
    def profit(self) -> float | None:
        return self.profit_ttm * self.vary("profit of the year", 0.9, 1.02) if self.profit_ttm else None

    @property
    def equity(self) -> float:
        return self.market_cap / self.pb

    @property
    def net_margin(self) -> float | None:
        return self.profit / self.revenue * 100 if self.profit else None

    @property
    def roe(self) -> float | None:
        return self.profit / self.equity * 100 if self.profit else None

    @property
    def debt(self) -> float | None:
        return None if self.debt_to_equity is None else self.debt_to_equity * self.equity

    @property
    def assets(self) -> float:
        leverage = ASSETS_TO_EQUITY.get(self.kind) or 1.35 + (self.debt_to_equity or 0)
        return self.equity * leverage * self.vary("assets", 0.95, 1.15)

    @property
    def roa(self) -> float | None:
        return self.profit / self.assets * 100 if self.profit else None

    @property
    def current_liabilities(self) -> float | None:
        return None if self.kind != "company" else self.assets * self.vary("current liabilities", 0.14, 0.26)

    @property
    def current_ratio(self) -> float | None:
        return None if self.kind != "company" else self.vary("current ratio", 0.8, 2.4)

    @property
    def revenue_growth(self) -> float:
        return self.vary("revenue growth", 1, 17)

    @property
    def revenue_growth_quarter(self) -> float:
        return self.revenue_growth + self.vary("revenue growth of the quarter", -3, 3)

    @property
    def profit_growth_quarter(self) -> float | None:
        return self.vary("profit growth of the quarter", -20, 38) if self.profit else None

    @property
    def profit_growth(self) -> float | None:
        return self.vary("profit growth", -12, 30) if self.profit else None

    @property
    def eps_growth(self) -> float | None:
        return self.profit_growth + self.vary("eps growth", -2, 2) if self.profit_growth is not None else None

    @property
    def peg(self) -> float | None:
        growth = self.eps_growth
        # Close to zero growth the quotient says nothing, and exports leave it out.
        return self.pe / growth if self.pe and growth is not None and abs(growth) > 2 else None

    @property
    def forward_dividend_yield(self) -> float | None:
        return None if self.dividend_yield is None else self.dividend_yield * 1.08

    @property
    def revenue_quarter(self) -> float:
        return self.revenue / 4 * self.vary("revenue of the quarter", 1.0, 1.12)

    @property
    def profit_quarter(self) -> float | None:
        return self.profit_ttm / 4 * self.vary("profit of the quarter", 0.92, 1.1) if self.profit_ttm else None

    @property
    def piotroski(self) -> int | None:
        return None if self.kind == "insurer" else round(self.vary("piotroski", 3, 8))

    @property
    def dii(self) -> float:
        return min(self.mf * 1.3, 98 - self.promoter - self.fii)

    @property
    def upside(self) -> float:
        return self.vary("upside", -8, 26)

    @property
    def analysts(self) -> int:
        return round(self.vary("analysts", 16, 44))

    def peer_median(self, group: str, value: "Callable[[Company], float | None]") -> float | None:
        """The median of a figure among the companies of the same `group` (a name of a fact)."""
        own = getattr(self, group)
        known = [found for peer in self.peers if getattr(peer, group) == own and (found := value(peer)) is not None]
        return median(known) if known else None


def companies() -> Sequence[Company]:
    """All companies of facts.csv, in its order."""
    found: list[Company] = []
    with FACTS.open(encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            found.append(_company(row, found))
    return found


def _company(row: dict[str, str], peers: list[Company]) -> Company:
    def known(name: str) -> float | None:
        return float(row[name]) if row[name] else None

    return Company(
        nse_code=row["nse_code"],
        stock_name=row["stock_name"],
        bse_code=row["bse_code"],
        isin=row["isin"],
        industry_name=row["industry_name"],
        sector_name=row["sector_name"],
        kind=row["kind"],
        price=float(row["price_rupees"]),
        market_cap=float(row["market_cap_crores"]),
        pe=known("pe"),
        pb=float(row["pb"]),
        revenue=float(row["revenue_crores"]),
        operating_margin=float(row["operating_margin_percent"]),
        dividend_yield=known("dividend_yield_percent"),
        promoter=float(row["promoter_percent"]),
        fii=float(row["fii_percent"]),
        mf=float(row["mf_percent"]),
        year_change=float(row["year_change_percent"]),
        debt_to_equity=known("debt_to_equity"),
        beta=float(row["beta"]),
        peers=peers,
    )
