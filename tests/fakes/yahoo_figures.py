"""Figures of the fake Yahoo, rounded, for tests only: its own keys, amounts in the reporting currency."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CRORE = 10_000_000
QUARTERS = ("2025-06-30", "2025-09-30", "2025-12-31", "2026-03-31", "2026-06-30")
YEARS = ("2023-03-31", "2024-03-31", "2025-03-31", "2026-03-31")


@dataclass(frozen=True)
class Company:
    """`summary` is what quoteSummary nests in modules, `quote` what the quote endpoint lists flat."""

    name: str
    summary: dict[str, dict[str, Any]]
    quote: dict[str, Any]
    # Series by Yahoo's type name, oldest first, one for YEARS or QUARTERS each; None is a missing period.
    yearly: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    quarterly: dict[str, tuple[float | None, ...]] = field(default_factory=dict)


def company(
    name: str,
    *,
    price: float,
    market_cap: float,
    currency: str = "INR",
    financial: dict[str, Any] | None = None,
    statistics: dict[str, Any] | None = None,
    detail: dict[str, Any] | None = None,
    profile: dict[str, Any] | None = None,
    quote: dict[str, Any] | None = None,
    yearly: dict[str, tuple[float | None, ...]] | None = None,
    quarterly: dict[str, tuple[float | None, ...]] | None = None,
) -> Company:
    return Company(
        name=name,
        summary={
            "financialData": {
                "maxAge": 86400,
                "currentPrice": price,
                "recommendationKey": "none",
                "financialCurrency": currency,
                **(financial or {}),
            },
            "quoteType": {"quoteType": "EQUITY", "longName": name},
            "defaultKeyStatistics": {"maxAge": 1, **(statistics or {})},
            "assetProfile": {"maxAge": 86400, **(profile or {})},
            "summaryDetail": {"maxAge": 1, "currency": "INR", "marketCap": market_cap, **(detail or {})},
        },
        quote={
            "currency": "INR",
            "longName": name,
            "regularMarketPrice": price,
            "marketCap": market_cap,
            "quoteType": "EQUITY",
            **(quote or {}),
        },
        yearly=yearly or {},
        quarterly=quarterly or {},
    )


COMPANIES: dict[str, Company] = {
    "RELIANCE.NS": company(
        "Reliance Industries Limited",
        price=1400.0,
        market_cap=18_950_000_000_000,
        financial={
            "returnOnEquity": 0.084,
            "returnOnAssets": 0.041,
            "profitMargins": 0.075,
            "operatingMargins": 0.118,
            "revenueGrowth": 0.1,
            "totalRevenue": 980_000 * CRORE,
            "targetMeanPrice": 1580.0,
            "recommendationKey": "buy",
            "numberOfAnalystOpinions": 34,
        },
        statistics={
            "netIncomeToCommon": 73_500 * CRORE,
            "heldPercentInsiders": 0.5,
            "heldPercentInstitutions": 0.28,
            "52WeekChange": -0.04,
            "beta": 0.35,
            "priceToBook": 2.2,
        },
        detail={
            "trailingPE": 25.8,
            "priceToSalesTrailing12Months": 1.93,
            "dividendRate": 5.6,
            "dividendYield": 0.004,
            "previousClose": 1390.0,
            "volume": 9_100_000,
            "fiftyTwoWeekHigh": 1600.0,
            "fiftyTwoWeekLow": 1115.0,
        },
        profile={"sector": "Energy", "industry": "Oil & Gas Refining & Marketing"},
        # The quote endpoint gives the same yield as a percentage.
        quote={"dividendYield": 0.4, "trailingPE": 25.8},
        yearly={
            "annualTotalAssets": (1_600_000 * CRORE, 1_750_000 * CRORE, 1_950_000 * CRORE, 2_000_000 * CRORE),
            "annualCurrentAssets": (400_000 * CRORE, 470_000 * CRORE, 500_000 * CRORE, 510_000 * CRORE),
            "annualTotalDebt": (330_000 * CRORE, 346_000 * CRORE, 370_000 * CRORE, 360_000 * CRORE),
            "annualCurrentLiabilities": (390_000 * CRORE, 400_000 * CRORE, 450_000 * CRORE, 460_000 * CRORE),
            "annualStockholdersEquity": (716_000 * CRORE, 793_000 * CRORE, 843_000 * CRORE, 900_000 * CRORE),
        },
        quarterly={
            "quarterlyTotalRevenue": tuple(crores * CRORE for crores in (240_000, 250_000, 255_000, 260_000, 264_000)),
            "quarterlyOperatingIncome": (None, None, None, 30_000 * CRORE, 33_000 * CRORE),
            "quarterlyNetIncome": tuple(crores * CRORE for crores in (18_000, 18_200, 18_600, 19_400, 18_900)),
        },
    ),
    "TCS.NS": company(
        "Tata Consultancy Services Limited",
        price=3000.0,
        market_cap=10_850_000_000_000,
        financial={"returnOnEquity": 0.65, "operatingMargins": 0.0, "totalRevenue": 260_000 * CRORE},
        statistics={"netIncomeToCommon": 50_000 * CRORE},
        # Without a rate only the trailing yield tells the unit.
        detail={"trailingAnnualDividendYield": 0.02, "trailingPE": 21.7},
        quote={"dividendYield": 2.0},
        yearly={
            # The newest column holds no figure yet.
            "annualTotalAssets": (140_000 * CRORE, 146_000 * CRORE, 160_000 * CRORE, None),
            "annualStockholdersEquity": (90_000 * CRORE, 90_500 * CRORE, 95_000 * CRORE, None),
        },
        quarterly={"quarterlyTotalRevenue": (None, None, None, 64_000 * CRORE, 65_000 * CRORE)},
    ),
    "ADANIENT.NS": company(
        "Adani Enterprises Limited",
        price=2400.0,
        market_cap=2_769_237_400_000,
        financial={"returnOnEquity": 0.1, "totalRevenue": 100_000 * CRORE},
    ),
    # Loses money: Yahoo writes some of its unknown figures as text.
    "IDEA.NS": company(
        "Vodafone Idea Limited",
        price=7.5,
        market_cap=812_000_000_000,
        financial={"returnOnEquity": "NaN", "profitMargins": -0.62, "totalRevenue": 43_500 * CRORE},
        statistics={"netIncomeToCommon": -27_000 * CRORE, "beta": {}},
        detail={"trailingPE": "Infinity"},
    ),
    # Listed in rupees, reports in dollars: its book value, and so its price to book, mix the two.
    "INFY.NS": company(
        "Infosys Limited",
        price=1531.4,
        market_cap=6_360_000_000_000,
        currency="USD",
        financial={"returnOnEquity": 0.29, "operatingMargins": 0.21, "totalRevenue": 19_500_000_000},
        statistics={"netIncomeToCommon": 3_200_000_000, "priceToBook": 573.6},
        detail={"trailingPE": 22.9, "priceToSalesTrailing12Months": 326.0, "dividendRate": 43.0},
        yearly={"annualTotalAssets": (15_000_000_000.0, 16_000_000_000.0, 17_000_000_000.0, 18_000_000_000.0)},
        quarterly={"quarterlyTotalRevenue": (4_700_000_000.0,) * 5},
    ),
    "M&M.NS": company("Mahindra & Mahindra Limited", price=3600.0, market_cap=4_470_000_000_000),
    "BSEONLY.BO": company("A company of the BSE alone", price=55.0, market_cap=5_500_000_000),
}
