"""The rows as clients read them: the first one whose label contains a word."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bench.market import moneycontrol_documents
from bench.market.companies import Company
from bench.market.moneycontrol_rows import CRORE
from klyx.sources.base import Section, StatementKind, StatementRow
from klyx.sources.moneycontrol_tables import read_page
from klyx.sources.statement_periods import Line, Period, PeriodTable, joined
from klyx.sources.statement_rows import section_rows, tax, total_debt
from tests.sources.moneycontrol import BANK, GROUP, SINGLE

NAMES: dict[Section, str] = {
    "balance_sheet": "balance-sheet",
    "profit_loss": "profit-loss",
    "cash_flow": "cash-flow",
    "ratios": "ratios",
}
# Crores are printed with two decimals.
NEAR = CRORE * 0.02
CASES: list[tuple[Company, StatementKind]] = [
    (GROUP, "standalone"),
    (GROUP, "consolidated"),
    (SINGLE, "standalone"),
    (BANK, "standalone"),
    (BANK, "consolidated"),
]


def rows_of(company: Company, section: Section, kind: StatementKind) -> list[StatementRow]:
    pages = [moneycontrol_documents.statement_page(company, NAMES[section], kind, number) for number in (1, 2)]
    return section_rows(section, joined([read_page(page.encode()).tables[0] for page in pages]))


def first_match(rows: Sequence[StatementRow], *words: str) -> StatementRow:
    """What a client takes, whatever the letter case."""
    return next(row for row in rows if any(word.lower() in str(row["headers"]).lower() for word in words))


def newest(row: StatementRow) -> float:
    value = row["Mar 2026"]
    assert isinstance(value, float)
    return value * CRORE


@pytest.mark.parametrize(("company", "kind"), CASES)
def test_every_figure_clients_look_for_is_the_one_meant(company: Company, kind: StatementKind) -> None:
    truth = company.statements(kind)[-1]
    rows = rows_of(company, "profit_loss", kind)
    income = truth.revenue + (truth.other_income if company.is_financial else 0)
    assert newest(first_match(rows, "Sales", "Revenue", "Income from Operations")) == pytest.approx(income, abs=NEAR)
    assert newest(first_match(rows, "Other Income")) == pytest.approx(truth.other_income, abs=NEAR)
    costs = truth.expenses + truth.interest + (truth.tax if company.is_financial else 0)
    assert newest(first_match(rows, "Total Expenditure", "Total Expenses")) == pytest.approx(costs, abs=NEAR)
    operating = truth.operating_income
    if company.is_financial:
        operating = truth.revenue + truth.other_income - truth.interest - truth.expenses
    assert newest(first_match(rows, "Operating Profit", "EBIT", "PBIT")) == pytest.approx(operating, abs=CRORE * 0.05)
    assert newest(first_match(rows, "Interest", "Finance Cost")) == pytest.approx(truth.interest, abs=NEAR)
    assert newest(first_match(rows, "Tax")) == pytest.approx(truth.tax, abs=NEAR)
    assert newest(first_match(rows, "Net Profit", "Profit After Tax")) == pytest.approx(truth.net_income, abs=NEAR)


@pytest.mark.parametrize(("company", "kind"), CASES)
def test_the_balance_sheet_balances(company: Company, kind: StatementKind) -> None:
    truth = company.statements(kind)[-1]
    rows = rows_of(company, "balance_sheet", kind)
    assert newest(first_match(rows, "Reserves", "Other Equity")) == pytest.approx(truth.reserves, abs=NEAR)
    assert newest(first_match(rows, "Borrowings", "Total Debt", "Loan Funds")) == pytest.approx(
        truth.total_debt, abs=NEAR
    )
    assert newest(first_match(rows, "Share Capital", "Equity Capital")) == pytest.approx(truth.share_capital, abs=NEAR)
    assets = first_match(rows, "Total Assets")
    liabilities = first_match(rows, "Total Liabilities")
    assert newest(assets) == pytest.approx(truth.total_assets, abs=NEAR)
    assert newest(liabilities) == pytest.approx(truth.total_assets - truth.equity, abs=NEAR)


@pytest.mark.parametrize(("company", "kind"), CASES)
def test_cash_and_ratios(company: Company, kind: StatementKind) -> None:
    truth = company.statements(kind)[-1]
    cash, ratios = (rows_of(company, section, kind) for section in ("cash_flow", "ratios"))
    operating = first_match(cash, "Operating Activities", "Cash from Operations")
    assert newest(operating) == pytest.approx(truth.operating_cash_flow, abs=NEAR)
    assert newest(first_match(cash, "Investing Activities")) == pytest.approx(truth.investing_cash_flow, abs=NEAR)
    equity_return = first_match(ratios, "ROE", "Return on Net Worth")
    assert equity_return["Mar 2026"] == pytest.approx(truth.net_income / truth.equity * 100, abs=0.01)
    employed = truth.operating_income / (truth.equity + truth.total_debt) * 100
    assert first_match(ratios, "ROCE", "Capital Employed")["Mar 2026"] == pytest.approx(employed, abs=0.01)
    margin = truth.net_income / truth.revenue * 100
    assert first_match(ratios, "Net Profit Margin")["Mar 2026"] == pytest.approx(margin, abs=0.01)


@pytest.mark.parametrize("section", NAMES)
@pytest.mark.parametrize(("company", "kind"), CASES)
def test_the_form_of_every_row(company: Company, kind: StatementKind, section: Section) -> None:
    rows = rows_of(company, section, kind)
    years = [f"Mar {year}" for year in range(2026, 2016, -1)]
    assert len(rows) >= 2
    assert all(list(row) == ["headers", *years] for row in rows)
    assert all(row[year] is None or type(row[year]) is float for row in rows for year in years)


@pytest.mark.parametrize(
    "label", ["Revenue", "Net Profit", "Operating Activities", "Return on Net Worth", "ROE", "Reserves"]
)
def test_words_that_one_panel_looks_for_in_this_letter_case(label: str) -> None:
    rows = [row for section in NAMES for row in rows_of(GROUP, section, "consolidated")]
    assert any(label in str(row["headers"]) for row in rows)


def table(*lines: tuple[str, float | None]) -> PeriodTable:
    return PeriodTable("", (Period(2025, 3),), tuple(Line(label, (value,)) for label, value in lines))


def test_tax_is_worked_out_where_it_is_not_printed() -> None:
    rows = section_rows("profit_loss", table(("Profit/Loss Before Tax", 10.0), ("Profit/Loss For The Period", 7.0)))
    assert first_match(rows, "Tax") == {"headers": "Total Tax", "Mar 2025": 3.0}


def test_a_group_earns_what_belongs_to_its_shareholders() -> None:
    rows = section_rows(
        "profit_loss",
        table(
            ("Profit/Loss Before Tax", 10.0),
            ("Profit/Loss For The Period", 7.0),
            ("Minority Interest", -1.0),
            ("Consolidated Profit/Loss After MI And Associates", 6.0),
        ),
    )
    assert first_match(rows, "Net Profit")["Mar 2025"] == 6.0
    assert first_match(rows, "Tax")["Mar 2025"] == 3.0


def test_nothing_is_worked_out_from_what_is_not_known() -> None:
    debt = total_debt(table(("Long Term Borrowings", 5.0), ("Short Term Borrowings", None)))
    assert debt is not None
    assert debt.values == (None,)
    assert total_debt(table(("Total Assets", 5.0))) is None
    assert tax(table(("Profit/Loss Before Tax", 10.0))) is None


def test_a_single_row_is_no_section() -> None:
    assert section_rows("cash_flow", table(("Net CashFlow From Operating Activities", 5.0))) == []
