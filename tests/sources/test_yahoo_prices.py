"""Charts, pages of the exchange and statements of a made-up market, through the real yfinance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.market import Company, Market
from bench.market.server import Simulator
from klyx.sources.base import Deadline, SourceUnavailable, SymbolUnknown
from klyx.sources.context import SourceContext
from klyx.sources.settings import SourceSettings
from klyx.sources.yahoo import YahooSource
from klyx.sources.yahoo_prices import bars_from, day_quote
from tests.fakes.yahoo import forget_earlier_sessions

MARKET = Market.generated(300)
COMPANIES = list(MARKET)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    forget_earlier_sessions()
    with Simulator(MARKET) as server:
        yield server
    forget_earlier_sessions()


@pytest.fixture(scope="module")
def source(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> YahooSource:
    folder: Path = tmp_path_factory.mktemp("yahoo")
    settings = SourceSettings(base_url_rewrites=simulator.rewrites, cache_folder=folder, backoff_seconds=0.01)
    return YahooSource(SourceContext(settings))


def chart(*, currency: str | None = "INR", **columns: Any) -> dict[str, Any]:
    quote = {"open": [], "high": [], "low": [], "close": [], "volume": [], **columns}
    stamps = [1_767_000_000 + place * 86_400 for place in range(len(quote["close"]))]
    meta = {"currency": currency, "gmtoffset": 19_800}
    return {"chart": {"result": [{"meta": meta, "timestamp": stamps, "indicators": {"quote": [quote]}}], "error": None}}


def test_a_history_is_every_session_since_a_day(source: YahooSource) -> None:
    company = COMPANIES[0]
    since = MARKET.today - timedelta(days=400)
    bars = source.history(company.symbol, since, Deadline(20))
    told = company.bars(since)
    assert [(bar.day, bar.volume) for bar in bars] == [(bar.day, bar.volume) for bar in told]
    assert [bar.close for bar in bars] == pytest.approx([bar.close for bar in told])


def test_an_index_has_a_history(source: YahooSource) -> None:
    since = MARKET.today - timedelta(days=100)
    assert len(source.history("NIFTY 50", since, Deadline(20))) == len(MARKET.index_bars(since)) > 50


def test_a_symbol_without_a_chart_is_unknown(source: YahooSource) -> None:
    with pytest.raises(SymbolUnknown):
        source.history("NOBODY", date(2026, 1, 1), Deadline(20))


def test_the_whole_exchange_comes_in_pages(source: YahooSource) -> None:
    pages = list(source.day_quotes(Deadline(20)))
    assert [len(page) for page in pages] == [250, 50]
    found = {quote.symbol: quote for page in pages for quote in page}
    assert found.keys() == {company.symbol for company in COMPANIES}
    for company in COMPANIES[:20]:
        quote = found[company.symbol]
        assert (quote.price, quote.previous_close) == (company.price, company.previous_close)
        assert (quote.week_52_high, quote.market_cap) == (company.week_52_high, company.market_cap)


def test_a_page_that_fails_once_is_asked_for_again(source: YahooSource, simulator: Simulator) -> None:
    simulator.fail("503", path="screener", times=1)
    assert [len(page) for page in source.day_quotes(Deadline(20))] == [250, 50]


def test_a_page_that_goes_on_failing_ends_the_pages(source: YahooSource, simulator: Simulator) -> None:
    simulator.fail("503", path="screener")
    with pytest.raises(SourceUnavailable, match="answered with an error"):
        list(source.day_quotes(Deadline(20)))
    simulator.recover()


def test_a_company_that_reports_in_dollars_has_growth_but_no_amounts(source: YahooSource) -> None:
    company = reporting_in("USD")[0]
    fields = source.fetch(company.symbol, Deadline(20)).fields
    assert {"total_assets", "quarterly_revenue", "operating_income", "quarterly_date"}.isdisjoint(fields)
    before, last = company.annual[-2:]
    assert fields["revenue_growth"] == pytest.approx(last.revenue / before.revenue - 1)


def reporting_in(currency: str) -> list[Company]:
    return [company for company in COMPANIES if company.statement_currency == currency]


def test_statements_are_in_crores_under_the_labels_clients_look_for(source: YahooSource) -> None:
    company = next(one for one in reporting_in("INR") if one.annual[-1].current_assets is not None)
    statements = source.statements(company.symbol, "consolidated", Deadline(20))
    labels = {section: [str(row["headers"]) for row in rows] for section, rows in statements.sections.items()}
    for section, words in {
        "profit_loss": ("Revenue", "Other Income", "Total Expenses", "Operating Profit", "Tax", "Net Profit"),
        "balance_sheet": ("Reserves", "Total Debt", "Share Capital", "Total Liabilities", "Total Assets"),
        "cash_flow": ("Operating Activities", "Investing Activities"),
        "ratios": ("ROE", "Capital Employed", "Net Profit Margin"),
    }.items():
        shown = labels[section]  # type: ignore[index]
        assert all(any(word in label for label in shown) for word in words), (section, shown)
    year = company.annual[-1]
    first = statements.sections["profit_loss"][0]
    heading = year.end.strftime("%b %Y")
    assert list(first)[1] == heading
    assert math.isclose(float(first[heading] or 0), year.revenue / 1e7, abs_tol=0.01)
    for rows in statements.sections.values():
        assert {tuple(row) for row in rows} == {tuple(rows[0])}


def test_statements_in_dollars_are_none(source: YahooSource) -> None:
    for company in reporting_in("USD"):
        with pytest.raises(SymbolUnknown):
            source.statements(company.symbol, "standalone", Deadline(20))


def test_sessions_without_a_price_are_left_out_and_gaps_filled_from_the_close() -> None:
    bars = bars_from(
        chart(open=[None, 9, 1], high=[None, 8, 2], low=[None, None, 0], close=[None, 10, "NaN"], volume=[1, None, 5])
    )
    assert [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars] == [(9, 10, 9, 10, 0)]


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"chart": {"result": None}}, {"chart": {"result": []}}, chart(currency="USD", close=[1.0]),
     chart(open=[1.0], close=[1.0, 2.0])],
)  # fmt: skip
def test_what_is_no_chart_in_rupees_is_refused(document: Any) -> None:
    with pytest.raises(SourceUnavailable):
        bars_from(document)


@pytest.mark.parametrize("listed", [None, {}, {"symbol": "TCS.BO"}, {"symbol": "TCS.NS", "currency": "USD"}])
def test_a_row_that_is_no_company_of_the_exchange_is_left_out(listed: Any) -> None:
    assert day_quote(listed) is None
