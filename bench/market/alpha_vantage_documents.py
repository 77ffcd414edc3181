"""Alpha Vantage's company overview, whose figures are texts."""

from __future__ import annotations

import json
from typing import Any, Final

from bench.market import Answer, Company, Query, State

HOSTS: Final = ("www.alphavantage.co",)
_JSON: Final = {"Content-Type": "application/json"}
_INVALID: Final = "the parameter apikey is invalid or missing. Please claim your free API key."


def symbol_of(_host: str, path: str, query: Query) -> str | None:
    """The part before the exchange of `M&M.NSE`."""
    return query["symbol"][0].removesuffix(".NSE") if path == "query" and "symbol" in query else None


def answer(company: Company | None, _host: str, path: str, query: Query, _state: State) -> Answer:
    if path != "query" or query.get("function") != ["OVERVIEW"]:
        return 404, {"Content-Type": "text/html"}, b"<html><body>not found</body></html>"
    if not query.get("apikey"):
        return 200, _JSON, json.dumps({"Error Message": _INVALID}).encode()
    # An empty object is how it says that it does not know a symbol.
    return 200, _JSON, json.dumps(overview(company) if company is not None else {}).encode()


def overview(company: Company) -> dict[str, str]:
    before, last = company.quarters[-5], company.quarters[-1]
    profit_growth = last.net_income / before.net_income - 1 if before.net_income > 0 else None
    target = company.target_price
    figures: dict[str, float | None] = {
        "MarketCapitalization": company.market_cap,
        "PERatio": company.pe,
        "BookValue": company.book_value,
        "DividendPerShare": company.dividend_rate,
        "DividendYield": company.dividend_yield,
        "EPS": company.eps,
        "ProfitMargin": company.profit_margin,
        "OperatingMarginTTM": company.operating_margin,
        "ReturnOnAssetsTTM": company.roa,
        "ReturnOnEquityTTM": company.roe,
        "RevenueTTM": company.revenue_ttm,
        "QuarterlyRevenueGrowthYOY": last.revenue / before.revenue - 1,
        "QuarterlyEarningsGrowthYOY": profit_growth,
        "AnalystTargetPrice": target,
        "PriceToSalesRatioTTM": company.market_cap / company.revenue_ttm,
        "PriceToBookRatio": company.pb,
        "Beta": company.beta,
        "52WeekHigh": company.week_52_high,
        "52WeekLow": company.week_52_low,
        "50DayMovingAverage": sum(bar.close for bar in company.bars()[-50:]) / 50,
    }
    return {
        "Symbol": f"{company.symbol}.NSE",
        "AssetType": "Common Stock",
        "Name": company.name,
        "Exchange": "NSE",
        "Currency": "INR",
        "Country": "India",
        "Sector": company.sector.upper(),
        "Industry": company.industry.upper(),
        "LatestQuarter": last.end.isoformat(),
        **{name: _text(value) for name, value in figures.items()},
    }


def _text(value: Any) -> str:
    return "None" if value is None else f"{value:.5g}" if abs(value) < 1000 else f"{value:.0f}"
