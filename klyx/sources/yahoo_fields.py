"""From Yahoo's names and units to the raw field vocabulary. Pure functions on its documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from klyx.sources.base import SourceUnreadable
from klyx.sources.yahoo_numbers import RUPEES, number, numbers, positive
from klyx.sources.yahoo_series import Series, at, growth, newest_day, year_before
from klyx.sources.yahoo_statements import piotroski_score

Fields = dict[str, float | str]

# Prices and what is counted in them: in the currency of the quote. None of these can be zero or negative.
QUOTE_FIELDS = {
    "marketCap": "marketCap",
    "fiftyTwoWeekHigh": "week52High",
    "fiftyTwoWeekLow": "week52Low",
    "targetMeanPrice": "target_mean_price",
    "previousClose": "_previous_close",
}
# Amounts of the income statement, and ratios of a price in rupees to an amount of a statement: right only
# when the company reports in rupees.
STATEMENT_FIELDS = {
    "totalRevenue": "revenue",
    "netIncomeToCommon": "net_income",
    "trailingPE": "pe_ratio",
    "priceToBook": "pb_ratio",
    "priceToSalesTrailing12Months": "ps_ratio",
    "trailingEps": "basic_eps",
}
PLAIN_FIELDS = {
    "returnOnEquity": "roe",
    "returnOnAssets": "roa",
    "profitMargins": "profit_margin",
    "operatingMargins": "operating_margin",
    # Of the newest quarter against that of a year ago, whatever its name promises.
    "revenueGrowth": "quarterly_revenue_growth",
    "earningsQuarterlyGrowth": "quarterly_profit_growth",
    "currentRatio": "current_ratio",
    "heldPercentInsiders": "promoter_holding",
    "heldPercentInstitutions": "institutional_holding",
    "52WeekChange": "year1Change",
    "beta": "beta",
    "numberOfAnalystOpinions": "number_of_analyst_opinions",
    "volume": "volume",
}
TEXT_FIELDS = {
    "recommendationKey": "recommendation_key",
    "sector": "_sector",
    "industry": "_industry",
    "longName": "_company_name",
    "website": "_website",
    "longBusinessSummary": "_description",
    "financialCurrency": "_statement_currency",
}
BALANCE_SHEET_FIELDS = {
    "TotalAssets": "total_assets",
    "CurrentAssets": "current_assets",
    "TotalDebt": "total_debt",
    "CurrentLiabilities": "current_liabilities",
    "StockholdersEquity": "stockholders_equity",
}
INCOME_FIELDS = {"TotalRevenue": "quarterly_revenue", "NetIncome": "quarterly_net_income"}


def reports_in_rupees(info: Mapping[str, Any]) -> bool:
    """Whether the statements are in rupees. Some NSE companies report in dollars; unknown counts as no."""
    return info.get("financialCurrency") == RUPEES


def fields_from_info(info: Mapping[str, Any]) -> Fields:
    """The fields of `Ticker.info`. Money is in rupees or left out; ratios stay fractions."""
    fields: Fields = {}
    if info.get("currency") == RUPEES:
        fields.update({name: value for key, name in QUOTE_FIELDS.items() if (value := positive(info.get(key)))})
        price = price_of(info)
        if price is not None:
            fields["currentPrice"] = price
    if reports_in_rupees(info):
        fields.update(numbers(info, STATEMENT_FIELDS))
    fields.update(numbers(info, PLAIN_FIELDS))
    _put(fields, {"dividend_yield": dividend_yield(info), "forward_dividend_yield": forward_dividend_yield(info)})
    for key, name in TEXT_FIELDS.items():
        text = info.get(key)
        if isinstance(text, str) and text.strip() and text.strip().lower() != "none":
            fields[name] = text.strip()
    return fields


def price_of(info: Mapping[str, Any]) -> float | None:
    """The last price, in the currency of the quote."""
    for key in ("currentPrice", "regularMarketPrice"):
        price = number(info.get(key))
        if price is not None and price > 0:
            return price
    return None


def dividend_yield(info: Mapping[str, Any]) -> float | None:
    """The dividend announced for a year / price, else the last year's, as a fraction: 0.012 is 1.2 %.

    Yahoo's own `dividendYield` is a percentage in some answers and a fraction in others, with nothing to
    tell them apart, so it is never read. Its trailing yield is always a fraction, but 0 where it does not know, and
    dollars by rupees for a company that reports in dollars.
    """
    announced = forward_dividend_yield(info)
    if announced is not None or not reports_in_rupees(info):
        return announced
    return positive(info.get("trailingAnnualDividendYield"))


def forward_dividend_yield(info: Mapping[str, Any]) -> float | None:
    """The dividend announced for a year / price, as a fraction."""
    price, rate = price_of(info), number(info.get("dividendRate"))
    return rate / price if price is not None and rate is not None and rate >= 0 else None


def info_from(document: Any) -> dict[str, Any]:
    """The modules of a `quoteSummary` answer in one flat mapping; empty when there are none.

    Raises SourceUnreadable for what is no such answer.
    """
    summary = document.get("quoteSummary") if isinstance(document, dict) else None
    results = summary.get("result") if isinstance(summary, dict) else None
    if not isinstance(results, list):
        raise SourceUnreadable("Yahoo Finance sent a quote that cannot be read")
    flat: dict[str, Any] = {}
    for modules in results[:1]:
        for module in modules.values() if isinstance(modules, dict) else ():
            if isinstance(module, dict):
                flat.update({key: value for key, value in module.items() if value is not None})
    return flat


def fields_from_series(series: Series, today: date, *, in_rupees: bool = True) -> Fields:
    """Rupee amounts of the newest year and quarter that have ended, and how they grew.

    Of a company that reports in another currency only what has no currency: growth, margin and the score.
    Growth is against the same period a year earlier, a fraction, when that was above zero; annual and quarterly
    figures are never compared with each other.
    """
    latest = today + timedelta(days=5)
    balance_day = newest_day(series.annual, BALANCE_SHEET_FIELDS, latest)
    year = newest_day(series.annual, ("TotalRevenue", "NetIncome"), latest)
    quarter = newest_day(series.quarterly, INCOME_FIELDS, latest)
    fields: Fields = {}
    if in_rupees:
        _put(fields, {name: at(series.annual, item, balance_day) for item, name in BALANCE_SHEET_FIELDS.items()})
        _put(fields, {name: at(series.quarterly, item, quarter) for item, name in INCOME_FIELDS.items()})
        _put(fields, {"operating_income": at(series.annual, "OperatingIncome", year)})
        if quarter is not None:
            fields["quarterly_date"] = quarter.isoformat()
    earnings = next((item for item in ("BasicEPS", "DilutedEPS") if series.annual.get(item)), "BasicEPS")
    _put(
        fields,
        {
            "revenue_growth": growth(series.annual, "TotalRevenue", year),
            "profit_growth": growth(series.annual, "NetIncome", year),
            "eps_growth": growth(series.annual, earnings, year),
            "quarterly_revenue_growth": growth(series.quarterly, "TotalRevenue", quarter),
            "quarterly_profit_growth": growth(series.quarterly, "NetIncome", quarter),
            "quarterly_operating_margin": _operating_margin(series, quarter),
            "piotroski": piotroski_score(series.annual, year, year_before(series.annual, year)),
        },
    )
    return fields


def _operating_margin(series: Series, quarter: date | None) -> float | None:
    """Operating income / revenue of one quarter; None unless it sold anything."""
    income, revenue = at(series.quarterly, "OperatingIncome", quarter), at(series.quarterly, "TotalRevenue", quarter)
    return income / revenue if income is not None and revenue is not None and revenue > 0 else None


def _put(fields: Fields, found: Mapping[str, float | None]) -> None:
    fields.update({name: value for name, value in found.items() if value is not None})
