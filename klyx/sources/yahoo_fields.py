"""From Yahoo's names and units to the raw field vocabulary. Pure functions on what yfinance hands over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from numbers import Real
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import pandas as pd

RUPEES = "INR"
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
}
PLAIN_FIELDS = {
    "returnOnEquity": "roe",
    "returnOnAssets": "roa",
    "profitMargins": "profit_margin",
    "operatingMargins": "operating_margin",
    "revenueGrowth": "revenue_growth",
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


def number(value: object) -> float | None:
    """A finite number, else None: Yahoo writes unknown figures as text ("Infinity"), NaN, null or {}."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    converted = float(value)
    return converted if math.isfinite(converted) else None


def reports_in_rupees(info: Mapping[str, Any]) -> bool:
    """Whether the statements are in rupees. Some NSE companies report in dollars; unknown counts as no."""
    return info.get("financialCurrency") == RUPEES


def fields_from_info(info: Mapping[str, Any]) -> Fields:
    """The fields of `Ticker.info`. Money is in rupees or left out; ratios stay fractions."""
    fields: Fields = {}
    if info.get("currency") == RUPEES:
        fields.update(_positive(info, QUOTE_FIELDS))
        price = price_of(info)
        if price is not None:
            fields["currentPrice"] = price
    if reports_in_rupees(info):
        fields.update(_numbers(info, STATEMENT_FIELDS))
    fields.update(_numbers(info, PLAIN_FIELDS))
    yielded = dividend_yield(info)
    if yielded is not None:
        fields["dividend_yield"] = yielded
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
    """Yearly dividend / price, as a fraction: 0.012 is 1.2 %.

    Yahoo's own `dividendYield` is a percentage in some answers and a fraction in others, with nothing to
    tell them apart, so it is never read: the rate per share is divided by the price, and without a rate the
    trailing yield is taken, which is always a fraction.
    """
    price = price_of(info)
    rate = number(info.get("dividendRate"))
    if price is not None and rate is not None and rate >= 0:
        return rate / price
    return number(info.get("trailingAnnualDividendYield"))


def fields_from_balance_sheet(table: pd.DataFrame) -> Fields:
    """Rupee amounts of the newest yearly balance sheet that holds any of them. A column is a year."""
    for column in _newest_first(table):
        amounts = _numbers(table[column], BALANCE_SHEET_FIELDS)
        if amounts:
            return {**amounts}
    return {}


def fields_from_quarters(table: pd.DataFrame, today: date) -> Fields:
    """Rupee amounts of the newest quarter that has ended, its date, and its growth in a year.

    `quarterly_revenue_growth` = (newest - year ago) / year ago, a fraction, when the year-ago revenue is
    above zero. A column is a quarter.
    """
    latest = today + timedelta(days=5)
    ended = [column for column in _newest_first(table) if column.date() <= latest]
    for column in ended:
        amounts = _numbers(table[column], INCOME_FIELDS)
        if amounts:
            fields: Fields = {**amounts, "quarterly_date": column.date().isoformat()}
            growth = _growth_on_a_year_ago(table, column)
            if growth is not None:
                fields["quarterly_revenue_growth"] = growth
            return fields
    return {}


def _growth_on_a_year_ago(table: pd.DataFrame, newest: pd.Timestamp) -> float | None:
    if "TotalRevenue" not in table.index:
        return None
    now = number(table[newest]["TotalRevenue"])
    for column in _newest_first(table):
        before = number(table[column]["TotalRevenue"])
        if 350 <= (newest - column).days <= 380 and now is not None and before is not None and before > 0:
            return (now - before) / before
    return None


def _newest_first(table: pd.DataFrame) -> list[pd.Timestamp]:
    return sorted(cast("list[pd.Timestamp]", list(table.columns)), reverse=True)


def _numbers(values: Any, names: Mapping[str, str]) -> dict[str, float]:
    """`values` is a mapping or a pandas Series."""
    found = {name: number(values.get(key)) for key, name in names.items()}
    return {name: value for name, value in found.items() if value is not None}


def _positive(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, float]:
    return {name: value for name, value in _numbers(values, names).items() if value > 0}
