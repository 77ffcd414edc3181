"""Made-up companies for the simulated sources: the same ones for the same symbol and day, on every machine.

Every source tells the same truth of a company, each in its own form: prices follow a path of daily bars, results
and balance sheets follow one another for ten years, and ratios are derived from both. Amounts are in rupees, shares
of a whole are fractions (0.15 is 15 %).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple

from bench.market import listing, prices, results
from bench.market.listing import Listed
from bench.market.prices import Bar
from bench.market.results import Period, Shareholding
from bench.stock_figures import Figures, figures
from bench.stock_names import FINANCIAL_SECTOR

TODAY = date(2026, 11, 20)
INDEX_SYMBOL = "^NSEI"
# Yesterday's symbols: no source knows the first, all know the second when it is listed.
RENAMED = {"ZOMATO": "ETERNAL"}
Kind = Literal["standalone", "consolidated"]

__all__ = ["INDEX_SYMBOL", "RENAMED", "TODAY", "Bar", "Company", "Headline", "Kind", "Listed", "Market", "Period"]


class Headline(NamedTuple):
    title: str
    link: str
    publisher: str
    published_at: datetime


@dataclass(frozen=True)
class Company:
    """One listed company as of `today`. Figures that a company of its kind does not have are None."""

    listed: Listed
    today: date

    @property
    def symbol(self) -> str:
        return self.listed.symbol

    @property
    def name(self) -> str:
        return self.listed.name

    @property
    def sector(self) -> str:
        return self.listed.sector

    @property
    def industry(self) -> str:
        return self.listed.industry

    @property
    def is_financial(self) -> bool:
        return self.sector in (FINANCIAL_SECTOR, "Financials")

    @cached_property
    def bse_code(self) -> str:
        return str(500_000 + self._chance("bse").randrange(44_000))

    @cached_property
    def page_id(self) -> str:
        """The key of its pages at MoneyControl, such as "RI07": letters and digits, its own."""
        letters = "".join(character for character in self.symbol if character.isalnum())
        return f"{letters[:6]}{self._chance('page').randrange(100):02d}"

    @cached_property
    def _made(self) -> Figures:
        return figures(self._chance("figures"), is_financial=self.is_financial)

    # Prices

    def bars(self, since: date | None = None) -> list[Bar]:
        """Daily bars, oldest first, adjusted for splits; at most six years. The last one is of `today`."""
        return self._path().bars(since)

    def _path(self) -> prices.Path:
        # Drawn anew each time: thousands of companies times six years do not belong in memory.
        return prices.path(self.symbol, float(self._made["current_price"]), self.listed.listed_on, self.today)

    @cached_property
    def _last_year(self) -> prices.Summary:
        return self._path().summary()

    @property
    def price(self) -> float:
        return self._last_year.price

    @property
    def previous_close(self) -> float:
        return self._last_year.previous_close

    @property
    def open(self) -> float:
        return self._last_year.open

    @property
    def day_high(self) -> float:
        return self._last_year.day_high

    @property
    def day_low(self) -> float:
        return self._last_year.day_low

    @property
    def volume(self) -> int:
        return self._last_year.volume

    @property
    def average_volume(self) -> int:
        """Of three months."""
        return self._last_year.average_volume

    @property
    def week_52_high(self) -> float:
        return self._last_year.high

    @property
    def week_52_low(self) -> float:
        return self._last_year.low

    @property
    def year_change(self) -> float | None:
        """Of the price in 52 weeks, a fraction; None when it has not been listed so long."""
        return self._last_year.change

    @property
    def beta(self) -> float:
        return prices.beta_of(self.symbol)

    @cached_property
    def shares(self) -> int:
        return max(int(self._made["market_cap"] / self.price), 100_000)

    @property
    def market_cap(self) -> float:
        return self.price * self.shares

    # Results

    @cached_property
    def annual(self) -> tuple[Period, ...]:
        """Ten financial years of the whole group, oldest first."""
        return results.years(self._chance("years"), self._made, self.shares, self.today, is_financial=self.is_financial)

    @cached_property
    def quarters(self) -> tuple[Period, ...]:
        """Eight quarters of the whole group, oldest first. Balance sheet figures are those of the quarter's end."""
        return results.quarters(self._chance("quarters"), self._made, self.annual, self.today)

    @cached_property
    def has_subsidiaries(self) -> bool:
        """One without has standalone statements only; those are the group's then."""
        return self._chance("subsidiaries").random() < 0.7

    @cached_property
    def standalone_share(self) -> float:
        return self._chance("standalone").uniform(0.6, 0.98) if self.has_subsidiaries else 1.0

    def statements(self, kind: Kind) -> tuple[Period, ...]:
        """Ten financial years, oldest first; nothing for the consolidated ones of a company without subsidiaries."""
        if kind == "consolidated":
            return self.annual if self.has_subsidiaries else ()
        return tuple(period.scaled(self.standalone_share) for period in self.annual)

    @cached_property
    def statement_currency(self) -> str:
        """USD for about one in a hundred: its `annual` is in rupees all the same, Yahoo would show dollars."""
        return "USD" if self._chance("currency").random() < 0.01 else "INR"

    @property
    def revenue_ttm(self) -> float:
        return sum(quarter.revenue for quarter in self.quarters[-4:])

    @property
    def net_income_ttm(self) -> float:
        return sum(quarter.net_income for quarter in self.quarters[-4:])

    @property
    def operating_margin(self) -> float:
        """Of the last four quarters, a fraction."""
        return sum(quarter.operating_income for quarter in self.quarters[-4:]) / self.revenue_ttm

    @property
    def profit_margin(self) -> float:
        return self.net_income_ttm / self.revenue_ttm

    @property
    def eps(self) -> float:
        """Rupees a share, of the last four quarters."""
        return self.net_income_ttm / self.shares

    @property
    def pe(self) -> float | None:
        return self.price / self.eps if self.eps > 0 else None

    @cached_property
    def sector_pe(self) -> float:
        return round(Random(f"sector {self.sector}").uniform(14, 45), 2)  # noqa: S311 - made up, not secret

    @property
    def book_value(self) -> float:
        """Rupees a share."""
        return self.annual[-1].equity / self.shares

    @property
    def pb(self) -> float:
        return self.price / self.book_value

    @property
    def roe(self) -> float:
        return self.net_income_ttm / self.annual[-1].equity

    @property
    def roa(self) -> float:
        return self.net_income_ttm / self.annual[-1].total_assets

    # Owners, dividends, opinions, news

    @cached_property
    def holdings(self) -> tuple[Shareholding, Shareholding]:
        """Of the quarter before the last and of the last one."""
        return results.holdings(self._chance("holdings"), self._made, self.today)

    @cached_property
    def dividend_rate(self) -> float:
        """Rupees a share and year; 0 when it pays none."""
        return round(float(self._made["dividend_yield_pct"]) / 100 * self.price, 2)

    @property
    def dividend_yield(self) -> float:
        return self.dividend_rate / self.price

    @property
    def forward_dividend_rate(self) -> float:
        return round(float(self._made["forward_dividend_yield_pct"]) / 100 * self.price, 2)

    @property
    def analyst_count(self) -> int:
        """0 when nobody follows it: `target_price` and `recommendation` are None then."""
        return int(self._made["analyst_count"])

    @property
    def target_price(self) -> float | None:
        if not self.analyst_count:
            return None
        return round(self.price * float(self._made["target_price"]) / float(self._made["current_price"]), 2)

    @property
    def recommendation(self) -> str | None:
        """One of "strong_buy", "buy", "hold", "underperform", "sell"."""
        key = self._made["recommendation_key"]
        return str(key) if self.analyst_count and key else None

    def headlines(self) -> tuple[Headline, ...]:
        """Newest first, none for some."""
        return tuple(Headline(*one) for one in results.headlines(self._chance("news"), self.name, self.today))

    def _chance(self, what: str) -> Random:
        """Every part draws from its own sequence, so that a change of one leaves the others as they were."""
        return Random(f"{self.symbol} {what}")  # noqa: S311 - made up, not secret


class Market:
    """All listed companies of the exchange on one day. Thread-safe: nothing changes after it was made."""

    def __init__(self, listed: Sequence[Listed], today: date = TODAY, folder: Path | None = None) -> None:
        self.today = prices.last_trading_day(today)
        self.folder = folder
        self.listed = tuple(listed)
        self._companies = {one.symbol: Company(one, self.today) for one in listed}

    @classmethod
    def generated(cls, count: int, today: date = TODAY) -> Market:
        return cls(listing.generated(count), today)

    @classmethod
    def from_folder(cls, folder: Path, today: date = TODAY, count: int | None = None) -> Market:
        """Companies of a folder with `EQUITY_L.csv` and `nse_sectors.csv`; the first `count` when given."""
        return cls(listing.read(folder)[:count], today, folder if count is None else None)

    def __len__(self) -> int:
        return len(self._companies)

    def __iter__(self) -> Iterator[Company]:
        return iter(self._companies.values())

    def company(self, symbol: str) -> Company | None:
        """None when the exchange does not list the symbol (any more)."""
        return self._companies.get(symbol)

    def by_market_cap(self) -> Sequence[Company]:
        """All companies, the largest first; worked out when first asked for."""
        return self._by_market_cap

    @cached_property
    def _by_market_cap(self) -> tuple[Company, ...]:
        return tuple(sorted(self, key=lambda company: -company.market_cap))

    def index_bars(self, since: date | None = None) -> list[Bar]:
        """Daily bars of the NIFTY 50, which Yahoo calls ^NSEI."""
        return prices.index_path(self.today).bars(since)

    def equity_list(self) -> bytes:
        """EQUITY_L.csv as the exchange publishes it: the folder's file when there is one."""
        if self.folder is not None:
            return (self.folder / listing.EQUITY_LIST).read_bytes()
        return listing.equity_list(self.listed)

    def sector_list(self) -> bytes:
        """nse_sectors.csv: symbol, name, sector, industry_group, industry, isin, website, market_cap_class."""
        if self.folder is not None:
            return (self.folder / listing.SECTOR_LIST).read_bytes()
        return listing.sector_list(self.listed)
