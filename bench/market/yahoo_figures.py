"""A made-up company under Yahoo's names: modules of a quote, the flat quote, and series of its statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

from bench.market import Company
from bench.market.results import Period

RUPEES_IN_A_DOLLAR: Final = 85.0
# Length of a chart in days.
RANGES: Final = {"5d": 5, "1mo": 30, "3mo": 91, "6mo": 183, "1y": 365, "2y": 730, "5y": 1826, "10y": 3652, "max": 9999}
_YEARS, _QUARTERS = 4, 5
Value = Callable[[Period], float | None]


def _part(name: str, factor: float = 1.0) -> Value:
    def value(period: Period) -> float | None:
        amount = getattr(period, name)
        return None if amount is None else float(amount) * factor

    return value


# Amounts that belong to a period of time: four quarters make a year.
FLOWS: Final[Mapping[str, Value]] = {
    "TotalRevenue": _part("revenue"),
    "OperatingRevenue": _part("revenue"),
    "TotalExpenses": _part("expenses"),
    "CostOfRevenue": lambda period: None if period.current_assets is None else period.expenses * 0.6,
    "GrossProfit": lambda period: None if period.current_assets is None else period.revenue - period.expenses * 0.6,
    "OperatingIncome": _part("operating_income"),
    "EBIT": lambda period: period.profit_before_tax + period.interest,
    "EBITDA": lambda period: period.profit_before_tax + period.interest + period.depreciation,
    "ReconciledDepreciation": _part("depreciation"),
    "InterestExpense": _part("interest"),
    "OtherNonOperatingIncomeExpenses": _part("other_income"),
    "PretaxIncome": _part("profit_before_tax"),
    "TaxProvision": _part("tax"),
    "NetIncome": _part("net_income"),
    "NetIncomeCommonStockholders": _part("net_income"),
    "NetIncomeContinuousOperations": _part("net_income"),
    "BasicEPS": lambda period: period.eps,
    "DilutedEPS": lambda period: period.eps,
    "OperatingCashFlow": _part("operating_cash_flow"),
    "InvestingCashFlow": _part("investing_cash_flow"),
    "FinancingCashFlow": _part("financing_cash_flow"),
    "CapitalExpenditure": _part("capital_expenditure", -1.0),
    "FreeCashFlow": lambda period: period.operating_cash_flow - period.capital_expenditure,
    "DepreciationAndAmortization": _part("depreciation"),
}
# As of the end of a period.
BALANCES: Final[Mapping[str, Value]] = {
    "TotalAssets": _part("total_assets"),
    "CurrentAssets": _part("current_assets"),
    "CurrentLiabilities": _part("current_liabilities"),
    "TotalLiabilitiesNetMinorityInterest": lambda period: period.total_assets - period.equity,
    "TotalDebt": _part("total_debt"),
    "LongTermDebt": _part("total_debt", 0.7),
    "CurrentDebt": _part("total_debt", 0.3),
    "StockholdersEquity": _part("equity"),
    "CommonStockEquity": _part("equity"),
    "CapitalStock": _part("share_capital"),
    "CommonStock": _part("share_capital"),
    "RetainedEarnings": lambda period: period.reserves,
    "Inventory": _part("inventories"),
    "Receivables": _part("receivables"),
    "AccountsReceivable": _part("receivables"),
    "CashAndCashEquivalents": _part("cash"),
    "NetPPE": _part("fixed_assets"),
}
COUNTS: Final[Mapping[str, Value]] = {
    "OrdinarySharesNumber": _part("shares"),
    "ShareIssued": _part("shares"),
    "BasicAverageShares": _part("shares"),
    "DilutedAverageShares": _part("shares"),
}


def series(company: Company, name: str) -> list[tuple[date, str, float]]:
    """(end, length, figure) of a type such as "annualTotalRevenue", oldest first, in the reporting currency."""
    if name.startswith("trailing"):
        return _trailing(company, name.removeprefix("trailing"))
    is_annual = name.startswith("annual")
    item = name.removeprefix("annual").removeprefix("quarterly")
    value = FLOWS.get(item) or BALANCES.get(item) or COUNTS.get(item)
    periods = company.annual[-_YEARS:] if is_annual else company.quarters[-_QUARTERS:]
    # Balance sheets are published for half-years only.
    if item in BALANCES and not is_annual:
        periods = tuple(period for period in periods if period.end.month in (3, 9))
    if value is None:
        return []
    rate = 1.0 if item in COUNTS else _rate(company)
    found = [(period.end, "12M" if is_annual else "3M", value(period)) for period in periods]
    return [(end, length, figure / rate) for end, length, figure in found if figure is not None]


def _trailing(company: Company, item: str) -> list[tuple[date, str, float]]:
    value = FLOWS.get(item)
    figures = [value(period) for period in company.quarters[-4:]] if value is not None else []
    known = [figure for figure in figures if figure is not None]
    if len(known) < 4:
        return []
    return [(company.quarters[-1].end, "TTM", sum(known) / _rate(company))]


def _rate(company: Company) -> float:
    return RUPEES_IN_A_DOLLAR if company.statement_currency == "USD" else 1.0


def modules(company: Company) -> dict[str, dict[str, Any]]:
    """Of quoteSummary, with figures that are not known left out."""
    before, last, year = company.quarters[-5], company.quarters[-1], company.annual[-1]
    rate = _rate(company)
    held = company.holdings[1]
    profit_growth = last.net_income / before.net_income - 1 if before.net_income > 0 else None
    made: dict[str, dict[str, Any]] = {
        "financialData": {
            "maxAge": 86400,
            "currentPrice": company.price,
            "targetMeanPrice": company.target_price,
            "recommendationKey": company.recommendation or "none",
            "numberOfAnalystOpinions": company.analyst_count or None,
            "totalCash": year.cash / rate,
            "totalDebt": year.total_debt / rate,
            "totalRevenue": company.revenue_ttm / rate,
            "currentRatio": _ratio(year.current_assets, year.current_liabilities),
            # A percentage, unlike everything around it.
            "debtToEquity": year.total_debt / year.equity * 100,
            "returnOnAssets": company.roa,
            "returnOnEquity": company.roe,
            "operatingMargins": company.operating_margin,
            "profitMargins": company.profit_margin,
            "revenueGrowth": last.revenue / before.revenue - 1,
            "earningsGrowth": profit_growth,
            "operatingCashflow": year.operating_cash_flow / rate,
            "financialCurrency": company.statement_currency,
        },
        "quoteType": {
            "exchange": "NSI",
            "quoteType": "EQUITY",
            "symbol": f"{company.symbol}.NS",
            "longName": company.name,
            "shortName": company.name.upper(),
            "timeZoneFullName": "Asia/Kolkata",
        },
        "defaultKeyStatistics": {
            "maxAge": 1,
            "netIncomeToCommon": company.net_income_ttm / rate,
            "heldPercentInsiders": held.promoter,
            "heldPercentInstitutions": round(held.fii + held.dii, 4),
            "sharesOutstanding": company.shares,
            "bookValue": company.book_value / rate,
            "priceToBook": company.pb * rate,
            "trailingEps": company.eps,
            "profitMargins": company.profit_margin,
            "beta": company.beta,
            "52WeekChange": company.year_change,
            "earningsQuarterlyGrowth": profit_growth,
            "lastFiscalYearEnd": _moment(year.end),
            "mostRecentQuarter": _moment(last.end),
        },
        "summaryDetail": {
            "maxAge": 1,
            "previousClose": company.previous_close,
            "open": company.open,
            "dayLow": company.day_low,
            "dayHigh": company.day_high,
            "volume": company.volume,
            "averageVolume": company.average_volume,
            "marketCap": company.market_cap,
            "trailingPE": company.pe if company.pe is not None else "Infinity",
            "priceToSalesTrailing12Months": company.market_cap / company.revenue_ttm * rate,
            "fiftyTwoWeekHigh": company.week_52_high,
            "fiftyTwoWeekLow": company.week_52_low,
            "beta": company.beta,
            "currency": "INR",
        },
        "assetProfile": {
            "maxAge": 86400,
            "sector": company.sector,
            "industry": company.industry,
            "website": company.listed.website,
            "longBusinessSummary": f"{company.name} works in {company.industry.lower()}.",
            "country": "India",
        },
    }
    if company.dividend_rate:
        made["summaryDetail"] |= {
            "dividendRate": company.forward_dividend_rate,
            "dividendYield": company.forward_dividend_rate / company.price,
            "trailingAnnualDividendRate": company.dividend_rate,
            "trailingAnnualDividendYield": company.dividend_yield,
            "payoutRatio": _ratio(company.dividend_rate, company.eps if company.eps > 0 else None),
        }
    return {name: {key: value for key, value in values.items() if value is not None} for name, values in made.items()}


def quote(company: Company) -> dict[str, Any]:
    """Of the quote endpoint and the screener: flat, and its dividend yield is a percentage."""
    made = {
        "language": "en-US",
        "quoteType": "EQUITY",
        "currency": "INR",
        "symbol": f"{company.symbol}.NS",
        "exchange": "NSI",
        "longName": company.name,
        "shortName": company.name.upper(),
        "financialCurrency": company.statement_currency,
        "regularMarketPrice": company.price,
        "regularMarketPreviousClose": company.previous_close,
        "regularMarketChange": company.price - company.previous_close,
        "regularMarketChangePercent": (company.price / company.previous_close - 1) * 100,
        "regularMarketVolume": company.volume,
        "regularMarketTime": _moment(company.today) + 36_000,
        "fiftyTwoWeekHigh": company.week_52_high,
        "fiftyTwoWeekLow": company.week_52_low,
        "marketCap": company.market_cap,
        "sharesOutstanding": company.shares,
        "trailingPE": company.pe,
        "epsTrailingTwelveMonths": company.eps,
        "bookValue": company.book_value / _rate(company),
        "priceToBook": company.pb * _rate(company),
        "trailingPegRatio": None,
        "dividendRate": company.forward_dividend_rate or None,
        "dividendYield": round(company.forward_dividend_rate / company.price * 100, 2) or None,
        "trailingAnnualDividendRate": company.dividend_rate,
        "trailingAnnualDividendYield": company.dividend_yield,
    }
    return {key: value for key, value in made.items() if value is not None}


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def _moment(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
