"""Financial ratios as fractions and multiples; a missing or zero denominator gives None."""

from collections.abc import Mapping
from dataclasses import dataclass

from klyx.services.analysis import columns as c
from klyx.services.analysis.table import Cell, finite, number

Ratios = dict[str, float | None]
"""Ratio name -> value. Margins and returns are fractions: 0.15 is 15 %."""

Number = float | None


@dataclass(frozen=True, slots=True)
class FinancialInputs:
    """What the ratios are made of: money in rupees, growth as a fraction; None is unknown."""

    revenue: Number = None
    cost_of_goods_sold: Number = None
    operating_income: Number = None
    ebit: Number = None
    ebitda: Number = None
    net_income: Number = None
    total_assets: Number = None
    current_assets: Number = None
    inventory: Number = None
    receivables: Number = None
    cash: Number = None
    current_liabilities: Number = None
    total_debt: Number = None
    equity: Number = None
    interest_expense: Number = None
    current_portion_of_debt: Number = None
    price: Number = None
    shares: Number = None
    earnings_growth: Number = None


def inputs_of_row(row: Mapping[str, Cell]) -> FinancialInputs:
    """The inputs a row of the analysis knows. Shares = market capitalisation / price.

    Interest, inventory and cash are in no source and stay unknown. Growth is that of earnings
    per share, else of profit; growth of revenue is no substitute.
    """
    operating_profit = number(row, c.OPERATING_PROFIT_ANNUAL)
    price = number(row, c.PRICE)
    growth_percent = number(row, c.EPS_GROWTH, c.PROFIT_GROWTH_ANNUAL)
    return FinancialInputs(
        revenue=number(row, c.REVENUE_ANNUAL),
        operating_income=operating_profit,
        ebit=operating_profit,
        net_income=number(row, c.NET_PROFIT_ANNUAL),
        total_assets=number(row, c.TOTAL_ASSETS),
        current_assets=number(row, c.CURRENT_ASSETS),
        current_liabilities=number(row, c.CURRENT_LIABILITIES),
        total_debt=number(row, c.TOTAL_DEBT),
        equity=number(row, c.EQUITY),
        price=price,
        shares=divide(number(row, c.MARKET_CAP), price),
        earnings_growth=_fraction(growth_percent),
    )


def ratios_of_row(row: Mapping[str, Cell]) -> Ratios:
    """The ratios of a row; what the row states itself wins over what is computed from totals."""
    ratios = financial_ratios(inputs_of_row(row))
    stated: Ratios = {
        "roe": _fraction(number(row, c.ROE)),
        "roa": _fraction(number(row, c.ROA)),
        "operating_margin": _fraction(number(row, c.OPERATING_MARGIN_ANNUAL, c.OPERATING_MARGIN_QUARTER)),
        "net_margin": _fraction(number(row, c.NET_MARGIN)),
        "current_ratio": number(row, c.CURRENT_RATIO),
        "debt_to_equity": number(row, c.DEBT_TO_EQUITY),
        "pe_ratio": number(row, c.PE),
        "pb_ratio": number(row, c.PB),
        "ps_ratio": number(row, c.PS),
        "peg_ratio": number(row, c.PEG),
    }
    return ratios | {name: value for name, value in stated.items() if value is not None}


def financial_ratios(inputs: FinancialInputs) -> Ratios:
    """Every ratio in the textbook definition; None where an input is missing or divides by zero.

    Return on equity and debt to equity are None for equity at or below zero: two negative
    numbers would otherwise read as an excellent return.
    """
    equity = inputs.equity if inputs.equity is not None and inputs.equity > 0 else None
    market_cap = _product(inputs.price, inputs.shares)
    receivables_turnover = divide(inputs.revenue, inputs.receivables)
    eps = divide(inputs.net_income, inputs.shares)
    pe_ratio = divide(inputs.price, eps)
    book_value_per_share = divide(inputs.equity, inputs.shares)
    return {
        "roe": divide(inputs.net_income, equity),
        "roa": divide(inputs.net_income, inputs.total_assets),
        "gross_margin": divide(_difference(inputs.revenue, inputs.cost_of_goods_sold), inputs.revenue),
        "operating_margin": divide(inputs.operating_income, inputs.revenue),
        "net_margin": divide(inputs.net_income, inputs.revenue),
        "current_ratio": divide(inputs.current_assets, inputs.current_liabilities),
        "quick_ratio": divide(_difference(inputs.current_assets, inputs.inventory), inputs.current_liabilities),
        "cash_ratio": divide(inputs.cash, inputs.current_liabilities),
        "debt_to_equity": divide(inputs.total_debt, equity),
        "interest_coverage": divide(inputs.ebit, inputs.interest_expense),
        "debt_service_coverage": divide(
            inputs.operating_income, _sum(inputs.interest_expense, inputs.current_portion_of_debt)
        ),
        "asset_turnover": divide(inputs.revenue, inputs.total_assets),
        "inventory_turnover": divide(inputs.cost_of_goods_sold, inputs.inventory),
        "receivables_turnover": receivables_turnover,
        "days_sales_outstanding": divide(365.0, receivables_turnover),
        "eps": eps,
        "pe_ratio": pe_ratio,
        "book_value_per_share": book_value_per_share,
        "pb_ratio": divide(inputs.price, book_value_per_share),
        "ps_ratio": divide(market_cap, inputs.revenue),
        "ev_to_ebitda": divide(_difference(_sum(market_cap, inputs.total_debt), inputs.cash), inputs.ebitda),
        "peg_ratio": price_earnings_to_growth(pe_ratio, inputs.earnings_growth),
    }


def price_earnings_to_growth(pe_ratio: Number, growth_fraction: Number) -> Number:
    """PE / (growth x 100); None unless growth is positive."""
    if growth_fraction is None or growth_fraction <= 0:
        return None
    return divide(pe_ratio, growth_fraction * 100)


def return_on_capital_employed(ebit: Number, total_assets: Number, current_liabilities: Number) -> Number:
    """EBIT / (total assets - current liabilities) as a fraction; None unless capital is positive."""
    capital = _difference(total_assets, current_liabilities)
    return divide(ebit, capital) if capital is not None and capital > 0 else None


def divide(numerator: Number, denominator: Number) -> Number:
    """The quotient, or None when either is unknown, the denominator is 0, or it overflows."""
    if numerator is None or not denominator:
        return None
    return finite(numerator / denominator)


def _fraction(percent: Number) -> Number:
    return None if percent is None else percent / 100


def _difference(minuend: Number, subtrahend: Number) -> Number:
    return None if minuend is None or subtrahend is None else minuend - subtrahend


def _sum(first: Number, second: Number) -> Number:
    return None if first is None or second is None else first + second


def _product(first: Number, second: Number) -> Number:
    return None if first is None or second is None else first * second
