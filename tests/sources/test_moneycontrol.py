"""Our reader against a MoneyControl on this machine, over HTTP."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from bench.market.companies import Company
from bench.market.failures import Kind
from klyx.sources.base import (
    Deadline,
    MarketDataSource,
    SourceCircuitOpen,
    SourceRateLimited,
    SourceUnavailable,
    StatementKind,
    StatementSource,
    SymbolUnknown,
)
from klyx.sources.build import build_sources
from klyx.sources.settings import SourceSettings
from tests.sources.moneycontrol import BANK, GROUP, HOST, MARKET, SINGLE, moneycontrol, page, soon, source_of

CRORE = 10_000_000
EVERY_YEAR = ["headers", *(f"Mar {year}" for year in range(2026, 2016, -1))]


def test_it_is_one_of_the_sources() -> None:
    source = build_sources(SourceSettings()).named("moneycontrol")
    assert isinstance(source, MarketDataSource)
    assert isinstance(source, StatementSource)


def test_figures_of_the_group_and_its_owners() -> None:
    with moneycontrol() as (simulator, _):
        record = source_of(simulator).fetch(GROUP.symbol, soon())
    truth, year_before = GROUP.annual[-1], GROUP.annual[-2]
    before, now = GROUP.holdings
    assert (record.symbol, record.source, record.statement_kind) == (GROUP.symbol, "MoneyControl", "consolidated")
    assert datetime.now(UTC) - record.fetched_at < timedelta(minutes=1)
    fields = dict(record.fields)
    assert fields["revenue"] == pytest.approx(truth.revenue, abs=0.01 * CRORE)
    assert fields["net_income"] == pytest.approx(truth.net_income, abs=0.01 * CRORE)
    assert fields["operating_income"] == pytest.approx(truth.operating_income, abs=0.03 * CRORE)
    assert "basic_eps" not in fields
    assert fields["revenue_growth"] == pytest.approx(truth.revenue / year_before.revenue - 1, abs=0.001)
    assert fields["promoter_holding"] == pytest.approx(now.promoter)
    assert fields["fii_holding_change"] == pytest.approx(now.fii - before.fii, abs=1e-6)
    assert fields["mf_holding"] == pytest.approx(now.mutual_funds)
    assert fields["institutional_holding"] == pytest.approx(now.fii + now.dii)
    assert (fields["_isin"], fields["_bse_code"]) == (GROUP.listed.isin, GROUP.bse_code)


def test_a_company_without_a_group_has_its_own_figures() -> None:
    with moneycontrol() as (simulator, _):
        source = source_of(simulator)
        first = source.fetch(SINGLE.symbol, soon())
        assert first.statement_kind == "standalone"
        simulator.arrivals.clear()
        assert source.fetch(SINGLE.symbol, soon()).fields == first.fields
        assert len(simulator.arrivals.of()) == 2


def test_few_requests_and_the_search_only_once() -> None:
    with moneycontrol() as (simulator, _):
        source = source_of(simulator)
        for expected in (3, 2):
            simulator.arrivals.clear()
            source.fetch(GROUP.symbol, soon())
            assert len(simulator.arrivals.of()) == expected


def test_requests_that_need_not_wait_for_one_another_leave_together() -> None:
    with moneycontrol() as (simulator, _):
        source = source_of(simulator)
        source.fetch(GROUP.symbol, soon())
        simulator.arrivals.clear()
        simulator.delays["moneycontrol"] = 0.6
        started = time.monotonic()
        source.fetch(GROUP.symbol, soon())
        arrivals = simulator.arrivals.of()
        assert arrivals[1].at - started < 0.25


@pytest.mark.parametrize("kind", get_args(StatementKind))
@pytest.mark.parametrize("company", [GROUP, BANK], ids=["company", "bank"])
def test_ten_years_of_four_statements(company: Company, kind: StatementKind) -> None:
    with moneycontrol() as (simulator, _):
        source = source_of(simulator)
        found = source.statements(company.symbol, kind, soon())
        assert len(simulator.arrivals.of()) == 9
    assert (found.symbol, found.kind, found.source) == (company.symbol, kind, "MoneyControl")
    assert set(found.sections) == {"balance_sheet", "profit_loss", "cash_flow", "ratios"}
    for rows in found.sections.values():
        assert len(rows) >= 2
        assert all(list(row) == EVERY_YEAR for row in rows)
    profits = next(row for row in found.sections["profit_loss"] if "Net Profit" in str(row["headers"]))
    for year in company.statements(kind):
        assert profits[year.label] == pytest.approx(year.net_income / CRORE, abs=0.01)


def test_symbols_with_other_characters_than_letters() -> None:
    odd = next(company for company in MARKET if "&" in company.symbol)
    with moneycontrol() as (simulator, _):
        record = source_of(simulator).fetch(f" {odd.symbol.lower()}.NS ", soon())
        assert record.symbol == odd.symbol


def test_a_company_has_no_statements_of_a_group_it_has_not() -> None:
    with moneycontrol() as (simulator, _), pytest.raises(SymbolUnknown):
        source_of(simulator).statements(SINGLE.symbol, "consolidated", soon())


def test_ratios_come_from_the_short_statement_when_their_page_has_none() -> None:
    with moneycontrol({"ratiosVI": page("<p>Data Not Available for Key Financial Ratios</p>")}) as (simulator, _):
        found = source_of(simulator).statements(GROUP.symbol, "standalone", soon())
    assert found.sections["ratios"][0]["headers"] == "ROE / Return on Net Worth (%)"
    assert list(found.sections["ratios"][0]) == EVERY_YEAR[:6]


def test_amounts_in_another_unit_are_converted_and_in_another_currency_left_out() -> None:
    def table(unit: str) -> str:
        rows = "<tr><td>Total Assets</td><td>1,00,000.00</td></tr><tr><td>Total Share Capital</td><td>500.00</td></tr>"
        return f'<table class="mctable1"><tr><td>Balance Sheet ({unit})</td><td>Mar 26</td></tr>{rows}</table>'

    with moneycontrol() as (simulator, documents):
        source = source_of(simulator)
        documents.replaced["balance-sheetVI"] = page(table("in Rs. Lakhs"))
        rows = source.statements(GROUP.symbol, "standalone", soon()).sections["balance_sheet"]
        assert {"headers": "Total Assets", "Mar 2026": 1000.0} in rows
        documents.replaced["balance-sheetVI"] = page(table("in USD Mn"))
        assert source.statements(GROUP.symbol, "standalone", soon()).sections["balance_sheet"] == []


def test_a_link_to_older_years_elsewhere_is_not_followed() -> None:
    table = '<table class="mctable1"><tr><td>P (in Rs. Cr.)</td><td>Mar 26</td></tr><tr><td>Sales</td><td>1</td></tr>'
    table += "<tr><td>Total Expenses</td><td>1</td></tr></table>"
    link = '<a href="https://evil.example/2"><span class="nextpaging">Previous Years</span></a>'
    with moneycontrol({"financials/": page(table + link)}) as (simulator, _):
        source_of(simulator).statements(GROUP.symbol, "standalone", soon())
        assert all(arrival.host == HOST for arrival in simulator.arrivals.of())
        assert len(simulator.arrivals.of()) == 5


def test_a_search_answer_that_leads_elsewhere_is_an_unknown_symbol() -> None:
    evil = [{"pdt_dis_nm": f"X&nbsp;<span>, {GROUP.symbol}, 1</span>", "link_src": "https://evil.example/a/b/c/D"}]
    answer = (200, {"Content-Type": "application/json"}, json.dumps(evil).encode())
    with moneycontrol({"autosuggestion": answer}) as (simulator, _):
        with pytest.raises(SymbolUnknown):
            source_of(simulator).fetch(GROUP.symbol, soon())
        assert len(simulator.arrivals.of()) == 1


@pytest.mark.parametrize("symbol", ["NOSUCHCO", "DROP TABLE", "../../etc", ""])
def test_unknown_symbols_are_asked_for_once(symbol: str) -> None:
    with moneycontrol() as (simulator, _):
        source = source_of(simulator)
        for _attempt in range(2):
            with pytest.raises(SymbolUnknown):
                source.fetch(symbol, soon())
        assert len(simulator.arrivals.of()) <= 1


def test_one_page_that_cannot_be_had_does_not_cost_the_other() -> None:
    with moneycontrol() as (simulator, _):
        source = source_of(simulator, circuit_failures=100)
        simulator.fail("500", path="financials/")
        holdings = source.fetch(GROUP.symbol, soon())
        assert holdings.statement_kind is None
        assert "promoter_holding" in holdings.fields
        assert "revenue" not in holdings.fields
        simulator.recover()
        simulator.fail("html", path="stockpricequote")
        simulator.fail("500", path="shareholding-pattern")
        figures = source.fetch(GROUP.symbol, soon())
        assert "revenue" in figures.fields
        assert "promoter_holding" not in figures.fields


def test_some_of_the_statements_do_not_pass_for_all_of_them() -> None:
    with moneycontrol() as (simulator, _):
        source = source_of(simulator, circuit_failures=100)
        simulator.fail("500", path="cash-flow")
        with pytest.raises(SourceUnavailable):
            source.statements(GROUP.symbol, "standalone", soon())


@pytest.mark.parametrize(
    "kind", ["half_way", "drip", "reset", "html", "403", "500", "truncated_gzip", "huge", "nan", "strings", "nothing"]
)
def test_bad_weather_is_a_source_that_is_not_available(kind: Kind) -> None:
    with moneycontrol() as (simulator, _):
        source = source_of(simulator, max_response_bytes=400_000, request_timeout_seconds=1.0, circuit_failures=100)
        source.fetch(GROUP.symbol, soon())
        simulator.fail(kind)
        with pytest.raises(SourceUnavailable):
            source.statements(GROUP.symbol, "standalone", soon())
        simulator.recover()
        assert source.statements(GROUP.symbol, "standalone", soon()).sections["profit_loss"]


def test_a_source_that_answers_nothing_of_use_is_left_alone_for_a_while() -> None:
    with moneycontrol() as (simulator, _):
        source = source_of(simulator, circuit_failures=3)
        source.fetch(GROUP.symbol, soon())
        simulator.fail("html")
        for _attempt in range(4):
            with pytest.raises(SourceUnavailable):
                source.fetch(GROUP.symbol, soon())
        simulator.arrivals.clear()
        with pytest.raises(SourceCircuitOpen):
            source.fetch(GROUP.symbol, soon())
        assert simulator.arrivals.of() == []


def test_a_source_that_is_asked_too_often_is_left_alone_for_as_long_as_it_says() -> None:
    with moneycontrol() as (simulator, _):
        source = source_of(simulator)
        simulator.fail("429", times=1, retry_after="30")
        with pytest.raises(SourceRateLimited) as limited:
            source.fetch(GROUP.symbol, soon())
        assert 25 < limited.value.retry_after_seconds <= 31
        with pytest.raises(SourceRateLimited):
            source.fetch(GROUP.symbol, soon())
        assert len(simulator.arrivals.of()) == 1


def test_the_deadline_holds_for_all_requests_together() -> None:
    with moneycontrol() as (simulator, _):
        simulator.delays["moneycontrol"] = 4.0
        started = time.monotonic()
        with pytest.raises(SourceUnavailable):
            source_of(simulator, read_timeout_seconds=10.0).fetch(GROUP.symbol, Deadline(0.5))
        assert time.monotonic() - started < 2.0
