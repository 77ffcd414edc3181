"""Yahoo's series as statements in the form that clients read, and the Piotroski score of two years. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from klyx.sources.base import Section, StatementRow
from klyx.sources.statement_periods import Line, Period, PeriodTable
from klyx.sources.statement_rows import section_rows
from klyx.sources.yahoo_numbers import CRORE
from klyx.sources.yahoo_series import Points, Series, at

_LINES: Mapping[Section, Sequence[tuple[str, tuple[str, ...]]]] = {
    "profit_loss": (
        ("Revenue from Operations", ("TotalRevenue", "OperatingRevenue")),
        ("Other Income", ("OtherNonOperatingIncomeExpenses",)),
        ("Total Expenses", ("TotalExpenses",)),
        ("Operating Profit", ("OperatingIncome", "EBIT")),
        ("Finance Costs", ("InterestExpense",)),
        ("Tax Expense", ("TaxProvision",)),
        ("Net Profit", ("NetIncomeCommonStockholders", "NetIncome")),
        ("Profit Before Tax", ("PretaxIncome",)),
        ("EBITDA", ("EBITDA",)),
        ("Depreciation", ("ReconciledDepreciation",)),
    ),
    "balance_sheet": (
        ("Equity Share Capital", ("CapitalStock", "CommonStock")),
        ("Reserves", ("RetainedEarnings",)),
        ("Total Debt", ("TotalDebt",)),
        ("Total Liabilities", ("TotalLiabilitiesNetMinorityInterest",)),
        ("Total Assets", ("TotalAssets",)),
        ("Total Equity", ("StockholdersEquity",)),
        ("Current Assets", ("CurrentAssets",)),
        ("Current Liabilities", ("CurrentLiabilities",)),
        ("Inventories", ("Inventory",)),
        ("Receivables", ("AccountsReceivable", "Receivables")),
        ("Cash and Cash Equivalents", ("CashAndCashEquivalents",)),
    ),
    "cash_flow": (
        ("Cash from Operating Activities", ("OperatingCashFlow",)),
        ("Cash from Investing Activities", ("InvestingCashFlow",)),
        ("Cash from Financing Activities", ("FinancingCashFlow",)),
        ("Capital Expenditure", ("CapitalExpenditure",)),
        ("Free Cash Flow", ("FreeCashFlow",)),
    ),
}
_FOR_SCORES = ("BasicEPS", "DilutedEPS", "GrossProfit", "LongTermDebt", "OrdinarySharesNumber", "CostOfRevenue")
ANNUAL_ITEMS = tuple(
    dict.fromkeys([item for lines in _LINES.values() for _, items in lines for item in items] + [*_FOR_SCORES])
)
QUARTERLY_ITEMS = ("TotalRevenue", "OperatingIncome", "NetIncome", "NetIncomeCommonStockholders", "BasicEPS")


def sections_from(series: Series) -> dict[Section, Sequence[StatementRow]]:
    """The four sections, amounts in crores; empty ones where too little is known."""
    days = sorted({day for points in series.annual.values() for day in points}, reverse=True)
    sections: dict[Section, Sequence[StatementRow]] = {
        section: section_rows(section, _table(series.annual, days, lines)) for section, lines in _LINES.items()
    }
    sections["ratios"] = section_rows("ratios", _ratios(series.annual, days))
    return sections


def _table(
    annual: Mapping[str, Points], days: Sequence[date], lines: Sequence[tuple[str, tuple[str, ...]]]
) -> PeriodTable:
    rows = []
    for label, items in lines:
        item = next((item for item in items if annual.get(item)), None)
        if item is not None:
            values = [at(annual, item, day) for day in days]
            rows.append(Line(label, tuple(None if value is None else round(value / CRORE, 2) for value in values)))
    return PeriodTable("", tuple(Period(day.year, day.month, 12) for day in days), tuple(rows))


def _ratios(annual: Mapping[str, Points], days: Sequence[date]) -> PeriodTable:
    def percent(part: float | None, whole: float | None) -> float | None:
        return round(part / whole * 100, 2) if part is not None and whole is not None and whole > 0 else None

    def quotient(part: float | None, whole: float | None) -> float | None:
        return round(part / whole, 2) if part is not None and whole is not None and whole > 0 else None

    columns = []
    for day in days:
        profit = _first(annual, day, "NetIncomeCommonStockholders", "NetIncome")
        revenue, equity = _first(annual, day, "TotalRevenue"), _first(annual, day, "StockholdersEquity")
        assets, owed = _first(annual, day, "TotalAssets"), _first(annual, day, "CurrentLiabilities")
        capital = assets - owed if assets is not None and owed is not None else None
        ebit = _first(annual, day, "EBIT", "OperatingIncome")
        columns.append(
            (
                percent(profit, equity),
                percent(ebit, capital),
                percent(profit, revenue),
                quotient(_first(annual, day, "TotalDebt"), equity),
                quotient(_first(annual, day, "CurrentAssets"), owed),
                _first(annual, day, "BasicEPS", "DilutedEPS"),
            )
        )
    labels = (
        "Return on Networth / Equity (%)",
        "Return on Capital Employed (%)",
        "Net Profit Margin (%)",
        "Debt to Equity",
        "Current Ratio",
        "Basic EPS (Rs.)",
    )
    values = zip(*columns, strict=True) if columns else ()
    lines = tuple(Line(label, tuple(row)) for label, row in zip(labels, values, strict=False))
    return PeriodTable("", tuple(Period(day.year, day.month, 12) for day in days), lines)


def _first(annual: Mapping[str, Points], day: date | None, *items: str) -> float | None:
    return next((value for item in items if (value := at(annual, item, day)) is not None), None)


def piotroski_score(annual: Mapping[str, Points], year: date | None, before: date | None) -> int | None:
    """0 to 9: one point for each of Piotroski's nine signals; None unless all nine can be judged.

    Profitability: net income, operating cash flow, return on assets rising, cash flow above profit. Funding:
    long-term debt to assets not rising, current ratio rising, no new shares. Efficiency: gross margin and
    turnover of assets rising. (J. Piotroski, Value Investing, Journal of Accounting Research 38, 2000; with
    year-end assets, as the ones before the earlier year are rarely known.)
    """

    def value(item: str, day: date | None) -> float | None:
        return at(annual, item, day)

    def share(item: str, of: str, day: date | None) -> float | None:
        part, whole = value(item, day), value(of, day)
        return part / whole if part is not None and whole is not None and whole > 0 else None

    profit, cash = value("NetIncome", year), value("OperatingCashFlow", year)
    returns = [share("NetIncome", "TotalAssets", day) for day in (year, before)]
    debts = [share("LongTermDebt", "TotalAssets", day) for day in (year, before)]
    liquidity = [share("CurrentAssets", "CurrentLiabilities", day) for day in (year, before)]
    shares = [value("OrdinarySharesNumber", day) for day in (year, before)]
    margins = [share("GrossProfit", "TotalRevenue", day) for day in (year, before)]
    turnovers = [share("TotalRevenue", "TotalAssets", day) for day in (year, before)]
    if profit is None or cash is None:
        return None
    pairs = (returns, debts, liquidity, shares, margins, turnovers)
    known = [(now, then) for now, then in pairs if now is not None and then is not None]
    if len(known) < len(pairs):
        return None
    returned, debt, liquid, issued, margin, turnover = known
    signals = (
        profit > 0,
        cash > 0,
        returned[0] > returned[1],
        cash > profit,
        debt[0] <= debt[1],
        liquid[0] > liquid[1],
        issued[0] <= issued[1],
        margin[0] > margin[1],
        turnover[0] > turnover[1],
    )
    return sum(signals)
