"""What the lines of Indian statements mean, and their order and names as clients look for them.

Clients take the first row whose label contains a word such as "Tax" or "Interest". So the rows they look for come
first, in an order in which none hides another, under labels that hold those words; the rest follows as printed.
Amounts keep the unit of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from klyx.sources.base import Section, StatementRow
from klyx.sources.statement_periods import Line, PeriodTable, Values

MOST_YEARS = 10
MOST_ROWS = 200

OPERATING_REVENUE = (
    "total operating revenues?",
    "revenue from operations net",
    "net sales.*",
    "revenue from operations.*",
    "sales turnover",
    "income from operations.*",
)
ALL_INCOME = ("total revenues?", "total income", "revenues?", "sales")
INTEREST_INCOME = ("total interest earned", "interest earned")
OTHER_INCOME = ("total other income", "other income")
EXPENSES = ("total expenses", "total expenditure")
INTEREST = ("finance costs?", "total interest expended", "interest expended", "interest expenses?", "interest")
TAX = ("total tax expenses?", "tax expenses?", "total tax", "tax")
BANK_TAX = ("provision towards income tax", "provision towards deferred tax")
BEFORE_TAX = ("profit loss before tax", "net profit loss before tax", "profit before tax")
NET_PROFIT = (
    "consolidated profit loss after mi and associates",
    "net profit loss for the (?:year|period)",
    "profit loss for the (?:year|period)",
    "net profit(?: loss)?",
    "profit loss after tax.*",
    "profit after tax.*",
)
EQUITY = ("total shareholders? funds", "total shareholder s funds", "total equity")
TOTAL_ASSETS = ("total assets", "total capital and liabilities")
ROE = (r"return on (?:networth|net worth|equity)(?: .*)?", "roe(?: .*)?")
ROCE = (r"return on capital employed(?: .*)?", "roce(?: .*)?")

Rule = Callable[[PeriodTable], "Found | None"]


@dataclass(frozen=True, slots=True)
class Found:
    """A row clients look for; `printed` is the line that it takes the place of, None when it is worked out."""

    label: str
    values: Values
    printed: Line | None = None


def revenue(table: PeriodTable) -> Found | None:
    """What the business took in: without other income where the table tells, all income of a bank."""
    line = table.find(*OPERATING_REVENUE, *ALL_INCOME, *INTEREST_INCOME)
    return _named(line, "Revenue", "Revenue", "Sales", "Income from Operations")


def operating_profit(table: PeriodTable) -> Found | None:
    """Profit before interest and tax, without other income; of a bank before provisions.

    Printed, or worked out: operating revenue - expenses + finance costs; for a bank total income - interest
    expended - operating expenses.
    """
    printed = table.find("operating profit.*", "ebit", "pbit", "profit before interest and tax")
    if printed is not None:
        return Found(printed.label, printed.values, printed)
    bank_costs = table.find("total operating expenses")
    income, interest = table.find(*ALL_INCOME), table.find(*INTEREST)
    if bank_costs is not None and table.find(*INTEREST_INCOME) is not None:
        return _worked_out("Operating Profit", (income, 1), (interest, -1), (bank_costs, -1))
    operating, expenses = table.find(*OPERATING_REVENUE), table.find(*EXPENSES)
    if operating is not None:
        return _worked_out("Operating Profit", (operating, 1), (expenses, -1), (interest, 1))
    other = table.find(*OTHER_INCOME)
    return _worked_out("Operating Profit", (income, 1), (other, -1), (expenses, -1), (interest, 1))


def tax(table: PeriodTable) -> Found | None:
    """The tax expense: printed, a bank's provisions for it, or profit before less profit after tax."""
    printed = table.find(*TAX)
    if printed is not None:
        return Found(printed.label, printed.values, printed)
    provisions = [table.find(pattern) for pattern in BANK_TAX]
    if provisions[0] is not None:
        return _worked_out("Total Tax", *((line, 1) for line in provisions if line is not None))
    return _worked_out("Total Tax", (table.find(*BEFORE_TAX), 1), (table.find(*NET_PROFIT[1:]), -1))


def net_profit(table: PeriodTable) -> Found | None:
    """The profit of the year; of a group the part that belongs to its shareholders."""
    return _named(table.find(*NET_PROFIT), "Net Profit", "Net Profit", "Profit After Tax")


def total_debt(table: PeriodTable) -> Found | None:
    printed = table.find("total debt", "total borrowings", "loan funds", "borrowings")
    if printed is not None:
        return Found(printed.label, printed.values, printed)
    parts = [table.find(f"{term} term borrowings") for term in ("long", "short")]
    return _worked_out("Total Debt", *((line, 1) for line in parts if line is not None))


def total_liabilities(table: PeriodTable) -> Found | None:
    """What is owed to others: everything but the owners' and the minority's share."""
    printed = table.find("total liabilities")
    if printed is not None:
        return Found(printed.label, printed.values, printed)
    minority = table.find("minority interests?", "non controlling interests?")
    owners = ((minority, -1),) if minority is not None else ()
    return _worked_out("Total Liabilities", (table.find(*TOTAL_ASSETS), 1), (table.find(*EQUITY), -1), *owners)


def _taking(*patterns: str, word: str, shown: str | None = None) -> Rule:
    """A rule that takes a printed line, as `shown` or under a label that contains `word`."""

    def rule(table: PeriodTable) -> Found | None:
        line = table.find(*patterns)
        if line is None or shown is None:
            return _named(line, word, word)
        return Found(shown, line.values, line)

    return rule


RULES: dict[Section, tuple[Rule, ...]] = {
    "profit_loss": (
        revenue,
        _taking(*OTHER_INCOME, word="Other Income"),
        lambda table: _named(table.find(*EXPENSES), "Total Expenses", "Total Expenses", "Total Expenditure"),
        operating_profit,
        lambda table: _named(table.find(*INTEREST), "Interest", "Interest", "Finance Cost"),
        tax,
        net_profit,
    ),
    "balance_sheet": (
        _taking("total share capital", "equity share capital", "share capital", "equity capital", word="Capital"),
        _taking("total reserves and surplus", "reserves and surplus", "reserves", "other equity", word="Reserves"),
        total_debt,
        total_liabilities,
        _taking(*TOTAL_ASSETS, word="Total Assets"),
    ),
    "cash_flow": (
        _taking(".*operating activities", "cash from operations", word="Operating Activities"),
        _taking(".*investing activities", word="Investing Activities"),
    ),
    "ratios": (
        _taking(*ROE, word="ROE", shown="ROE / Return on Net Worth (%)"),
        _taking(*ROCE, word="ROCE", shown="ROCE / Return on Capital Employed (%)"),
        _taking("net profit margin(?: .*)?", word="Net Profit Margin"),
    ),
}


def section_rows(section: Section, table: PeriodTable) -> list[StatementRow]:
    """The rows of a section as clients need them: newest years first, ten at most, all of one month.

    Empty when fewer than two rows are known: clients call that insufficient.
    """
    table = table.restricted(MOST_YEARS)
    found = [row for rule in RULES[section] if (row := rule(table)) is not None]
    taken = {id(row.printed) for row in found if row.printed is not None}
    rest = [Found(line.label, line.values) for line in table.lines if id(line) not in taken]
    rows = [row for row in (*found, *rest) if any(value is not None for value in row.values)][:MOST_ROWS]
    labels = [period.label for period in table.periods]
    return [{"headers": row.label, **dict(zip(labels, row.values, strict=True))} for row in rows] if rows[1:] else []


def _named(line: Line | None, name: str, *words: str) -> Found | None:
    """The line under its own label when that holds one of the words, else `name` with the label in brackets."""
    if line is None:
        return None
    label = line.label if any(word in line.label for word in words) else f"{name} ({line.label})"
    return Found(label, line.values, line)


def _worked_out(label: str, *parts: tuple[Line | None, int]) -> Found | None:
    """The sum of the lines, each with its sign; None without all of them, unknown where one of them is."""
    lines: Sequence[tuple[Line, int]] = [(line, sign) for line, sign in parts if line is not None]
    if not lines or len(lines) < len(parts):
        return None
    columns = zip(*(line.values for line, _ in lines), strict=True)
    signs = [sign for _, sign in lines]
    return Found(label, tuple(_sum(column, signs) for column in columns))


def _sum(values: Sequence[float | None], signs: Sequence[int]) -> float | None:
    total = 0.0
    for value, sign in zip(values, signs, strict=True):
        if value is None:
            return None
        total += sign * value
    return round(total, 2)
