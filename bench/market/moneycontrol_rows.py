"""The rows of MoneyControl's statements, in order and as they are labelled there; amounts in crores of rupees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bench.market.results import Period

CRORE: Final = 10_000_000
Values = Callable[[Period], float | None]
# A heading without figures has no values.
Row = tuple[str, Values | None]


def _crores(get: Values) -> Values:
    def value(period: Period) -> float | None:
        amount = get(period)
        return None if amount is None else amount / CRORE

    return value


def _field(name: str, factor: float = 1.0) -> Values:
    def value(period: Period) -> float | None:
        amount = getattr(period, name)
        return None if amount is None else amount * factor / CRORE

    return value


PROFIT_LOSS: Final[tuple[Row, ...]] = (
    ("INCOME", None),
    ("Revenue From Operations [Gross]", _field("revenue", 1.05)),
    ("Less: Excise/Sevice Tax/Other Levies", _field("revenue", 0.05)),
    ("Revenue From Operations [Net]", _field("revenue")),
    ("Total Operating Revenues", _field("revenue")),
    ("Other Income", _field("other_income")),
    ("Total Revenue", _crores(lambda period: period.revenue + period.other_income)),
    ("EXPENSES", None),
    ("Cost Of Materials Consumed", _field("expenses", 0.6)),
    ("Finance Costs", _field("interest")),
    ("Depreciation And Amortisation Expenses", _field("depreciation")),
    ("Total Expenses", _crores(lambda period: period.expenses + period.interest)),
    (
        "Profit/Loss Before Exceptional, ExtraOrdinary Items And Tax",
        _crores(lambda period: period.profit_before_tax - period.exceptional),
    ),
    ("Exceptional Items", _field("exceptional")),
    ("Profit/Loss Before Tax", _field("profit_before_tax")),
    ("TAX EXPENSES-CONTINUED OPERATIONS", None),
    ("Current Tax", _field("tax", 0.9)),
    ("Deferred Tax", _field("tax", 0.1)),
    ("Total Tax Expenses", _field("tax")),
    ("Profit/Loss After Tax And Before ExtraOrdinary Items", _field("net_income")),
    ("Profit/Loss For The Period", _field("net_income")),
    ("EARNINGS PER SHARE", None),
    ("Basic EPS (Rs.)", lambda period: period.eps),
    ("Diluted EPS (Rs.)", lambda period: period.eps),
    ("Tax On Dividend", lambda _: None),
)


BANK_PROFIT_LOSS: Final[tuple[Row, ...]] = (
    ("INCOME", None),
    ("Interest / Discount on Advances / Bills", _field("revenue", 0.8)),
    ("Total Interest Earned", _field("revenue")),
    ("Other Income", _field("other_income")),
    ("Total Income", _crores(lambda period: period.revenue + period.other_income)),
    ("EXPENDITURE", None),
    ("Interest Expended", _field("interest")),
    ("Total Operating Expenses", _field("expenses")),
    ("Provision Towards Income Tax", _field("tax", 0.9)),
    ("Provision Towards Deferred Tax", _field("tax", 0.1)),
    ("Total Provisions and Contingencies", _field("tax")),
    ("Total Expenditure", _crores(lambda period: period.expenses + period.interest + period.tax)),
    ("Net Profit / Loss for The Year", _field("net_income")),
    ("Profit / Loss Brought Forward", _field("reserves", 0.4)),
    ("EARNINGS PER SHARE", None),
    ("Basic EPS (Rs.)", lambda period: period.eps),
)


BALANCE_SHEET: Final[tuple[Row, ...]] = (
    ("EQUITIES AND LIABILITIES", None),
    ("SHAREHOLDER'S FUNDS", None),
    ("Equity Share Capital", _field("share_capital")),
    ("Total Share Capital", _field("share_capital")),
    ("Reserves and Surplus", _field("reserves")),
    ("Total Reserves and Surplus", _field("reserves")),
    ("Total Shareholders Funds", _field("equity")),
    ("NON-CURRENT LIABILITIES", None),
    ("Long Term Borrowings", _field("total_debt", 0.7)),
    ("Total Non-Current Liabilities", _field("total_debt", 0.7)),
    ("CURRENT LIABILITIES", None),
    ("Short Term Borrowings", _field("total_debt", 0.3)),
    (
        "Total Current Liabilities",
        _crores(lambda period: (period.current_liabilities or 0.0) + period.total_debt * 0.3),
    ),
    ("Total Capital And Liabilities", _field("total_assets")),
    ("ASSETS", None),
    ("Tangible Assets", _field("fixed_assets")),
    ("Inventories", _field("inventories")),
    ("Trade Receivables", _field("receivables")),
    ("Total Current Assets", _field("current_assets")),
    ("Total Assets", _field("total_assets")),
    ("Contingent Liabilities", lambda _: None),
)


BANK_BALANCE_SHEET: Final[tuple[Row, ...]] = (
    ("EQUITIES AND LIABILITIES", None),
    ("Equity Share Capital", _field("share_capital")),
    ("Total Share Capital", _field("share_capital")),
    ("Total Reserves and Surplus", _field("reserves")),
    ("Total ShareHolders Funds", _field("equity")),
    ("Deposits", _crores(lambda period: period.total_assets - period.equity - period.total_debt)),
    ("Borrowings", _field("total_debt")),
    ("Total Capital and Liabilities", _field("total_assets")),
    ("ASSETS", None),
    ("Cash and Balances with Reserve Bank of India", _field("cash")),
    ("Total Assets", _field("total_assets")),
)


CASH_FLOW: Final[tuple[Row, ...]] = (
    ("Net Profit/Loss Before Extraordinary Items And Tax", _field("profit_before_tax")),
    ("Net CashFlow From Operating Activities", _field("operating_cash_flow")),
    ("Net Cash Used In Investing Activities", _field("investing_cash_flow")),
    ("Net Cash Used From Financing Activities", _field("financing_cash_flow")),
    ("Cash And Cash Equivalents End Of Year", _field("cash")),
)


RATIOS: Final[tuple[Row, ...]] = (
    ("PER SHARE RATIOS", None),
    ("Basic EPS (Rs.)", lambda period: period.eps),
    ("PROFITABILITY RATIOS", None),
    ("PBIT Margin (%)", lambda period: period.operating_income / period.revenue * 100),
    ("Net Profit Margin (%)", lambda period: period.net_income / period.revenue * 100),
    ("Return on Networth / Equity (%)", lambda period: period.net_income / period.equity * 100),
    (
        "Return on Capital Employed (%)",
        lambda period: period.operating_income / (period.equity + period.total_debt) * 100,
    ),
    ("Return on Assets (%)", lambda period: period.net_income / period.total_assets * 100),
    ("Total Debt/Equity (X)", lambda period: period.total_debt / period.equity),
)


MINORITY: Final[Row] = ("Minority Interest", _field("net_income", 0.0))
ROWS: Final[dict[tuple[str, bool], tuple[Row, ...]]] = {
    ("profit-loss", False): PROFIT_LOSS,
    ("profit-loss", True): BANK_PROFIT_LOSS,
    ("balance-sheet", False): BALANCE_SHEET,
    ("balance-sheet", True): BANK_BALANCE_SHEET,
    ("cash-flow", False): CASH_FLOW,
    ("cash-flow", True): CASH_FLOW,
    ("ratios", False): RATIOS,
    ("ratios", True): RATIOS,
}
