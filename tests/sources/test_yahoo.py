"""The real yfinance against a Yahoo on this machine."""

from __future__ import annotations

import contextlib
import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from klyx.sources.base import (
    Deadline,
    SourceCircuitOpen,
    SourceError,
    SourceRateLimited,
    SourceUnavailable,
    SymbolUnknown,
)
from klyx.sources.build import build_sources
from klyx.sources.context import SourceContext
from klyx.sources.settings import SourceSettings
from klyx.sources.yahoo import YahooSource
from tests.fakes.yahoo import Failure, FakeYahoo, forget_earlier_sessions
from tests.fakes.yahoo_figures import CRORE


@pytest.fixture
def source(yahoo: FakeYahoo, tmp_path: Path) -> YahooSource:
    return YahooSource(SourceContext(yahoo.settings(tmp_path)))


def test_a_symbol_with_everything(source: YahooSource) -> None:
    record = source.fetch("RELIANCE", Deadline(20))
    assert (record.symbol, record.source) == ("RELIANCE", "Yahoo Finance")
    assert datetime.now(UTC) - record.fetched_at < timedelta(minutes=1)
    expected = {
        "currentPrice": 1400.0,
        "marketCap": 18_950_000_000_000.0,
        "pe_ratio": 25.8,
        "pb_ratio": 2.2,
        "ps_ratio": 1.93,
        "roe": 0.084,
        "roa": 0.041,
        "profit_margin": 0.075,
        "operating_margin": 0.118,
        "revenue": 980_000 * CRORE,
        "net_income": 73_500 * CRORE,
        "promoter_holding": 0.5,
        "institutional_holding": 0.28,
        "dividend_yield": pytest.approx(0.004),
        "forward_dividend_yield": pytest.approx(0.004),
        "year1Change": -0.04,
        "beta": 0.35,
        "week52High": 1600.0,
        "week52Low": 1115.0,
        "volume": 9_100_000.0,
        "target_mean_price": 1580.0,
        "recommendation_key": "buy",
        "number_of_analyst_opinions": 34.0,
        "total_assets": 2_000_000 * CRORE,
        "current_assets": 510_000 * CRORE,
        "total_debt": 360_000 * CRORE,
        "current_liabilities": 460_000 * CRORE,
        "stockholders_equity": 900_000 * CRORE,
        "quarterly_revenue": 264_000 * CRORE,
        "quarterly_net_income": 18_900 * CRORE,
        "quarterly_date": "2026-06-30",
        "quarterly_revenue_growth": pytest.approx(0.1),
        "quarterly_profit_growth": pytest.approx(0.05),
        "quarterly_operating_margin": 0.125,
        "_ticker": "RELIANCE.NS",
        "_company_name": "Reliance Industries Limited",
        "_sector": "Energy",
        "_industry": "Oil & Gas Refining & Marketing",
        "_previous_close": 1390.0,
        "_statement_currency": "INR",
    }
    assert dict(record.fields) == expected


def test_figures_written_as_text_are_absent(source: YahooSource) -> None:
    fields = source.fetch("IDEA", Deadline(20)).fields
    assert {"pe_ratio", "roe", "beta"}.isdisjoint(fields)
    assert fields["net_income"] == -27_000 * CRORE
    assert json.dumps(dict(fields), allow_nan=False)


def test_a_company_that_reports_in_dollars_keeps_its_rupee_prices_only(source: YahooSource) -> None:
    fields = source.fetch("INFY", Deadline(20)).fields
    amounts = {
        "revenue",
        "net_income",
        "total_assets",
        "quarterly_revenue",
        "pb_ratio",
        "ps_ratio",
        "pe_ratio",
    }
    assert amounts.isdisjoint(fields)
    assert (fields["currentPrice"], fields["marketCap"]) == (1531.4, 6_360_000_000_000.0)
    assert fields["_statement_currency"] == "USD"


def test_the_newest_column_with_figures_counts(source: YahooSource) -> None:
    fields = source.fetch("TCS", Deadline(20)).fields
    assert (fields["total_assets"], fields["operating_margin"]) == (160_000 * CRORE, 0.0)
    assert fields["quarterly_revenue"] == 65_000 * CRORE
    assert fields["dividend_yield"] == 0.02


@pytest.mark.parametrize("written", ["M&M", "m&m", " M&M.NS ", "M&M.BO"])
def test_symbols_are_taken_as_people_write_them(written: str, source: YahooSource) -> None:
    record = source.fetch(written, Deadline(20))
    assert (record.symbol, record.fields["_ticker"]) == ("M&M", "M&M.NS")


def test_a_symbol_of_the_bse_alone_is_found_there(source: YahooSource) -> None:
    assert source.fetch("BSEONLY", Deadline(20)).fields["_ticker"] == "BSEONLY.BO"


def test_an_empty_answer_sends_us_to_the_bse_as_well(source: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.fail_with("empty", path="BSEONLY.NS")
    assert source.fetch("BSEONLY", Deadline(20)).fields["_ticker"] == "BSEONLY.BO"


def test_an_unknown_symbol_costs_few_questions(source: YahooSource, yahoo: FakeYahoo) -> None:
    source.fetch("INFY", Deadline(20))
    before = yahoo.requests, yahoo.asked("quoteSummary")
    with pytest.raises(SymbolUnknown, match="does not know the symbol NOPE"):
        source.fetch("NOPE", Deadline(20))
    # Once for each exchange, and beside the first one for statements, unless that was still to be sent.
    assert yahoo.asked("quoteSummary") - before[1] == 2
    assert yahoo.requests - before[0] in {2, 3}


@pytest.mark.parametrize("written", ["", "../../v7", "A/B", "A?x=1", "A B", "A" * 31, "अदानी", "A\x00"])
def test_what_cannot_be_a_symbol_is_never_sent(written: str, source: YahooSource, yahoo: FakeYahoo) -> None:
    with pytest.raises(SymbolUnknown):
        source.fetch(written, Deadline(20))
    assert yahoo.requests == 0


@pytest.mark.parametrize("path", ["", "fc.yahoo.com", "getcrumb", "quoteSummary", "timeseries"])
@pytest.mark.parametrize(
    "failure",
    [
        "401",
        "404",
        "429",
        "500",
        "503",
        "reset",
        "garbage",
        "empty",
        "huge",
        "redirect",
        "drip",
        "stall",
        "cut",
    ],
)
def test_every_failure_ends_in_a_record_or_in_a_source_error(
    failure: Failure, path: str, yahoo: FakeYahoo, tmp_path: Path
) -> None:
    yahoo.fail_with(failure, path=path)
    source = YahooSource(
        SourceContext(yahoo.settings(tmp_path, request_timeout_seconds=0.1, max_response_bytes=1_000_000))
    )
    fields: dict[str, float | str] = {}
    with contextlib.suppress(SourceError):
        fields.update(source.fetch("RELIANCE", Deadline(5)).fields)
    assert fields.get("_ticker", "none") in {"RELIANCE.NS", "RELIANCE.BO", "none"}
    assert all(isinstance(value, str) or math.isfinite(value) for value in fields.values())
    assert bool(fields) == (fields.get("roe") == 0.084 or fields.get("currentPrice") == 1400.0)


@pytest.mark.parametrize("path", ["getcrumb", "quoteSummary"])
def test_a_rate_limit_says_how_long_to_wait_and_ends_all_questions(
    path: str, source: YahooSource, yahoo: FakeYahoo
) -> None:
    yahoo.fail_with("429", path=path, retry_after="120")
    with pytest.raises(SourceRateLimited) as caught:
        source.fetch("RELIANCE", Deadline(20))
    assert caught.value.retry_after_seconds == pytest.approx(120, abs=1)
    yahoo.recover()
    with pytest.raises(SourceRateLimited):
        source.fetch("TCS", Deadline(20))
    # What was asked beside the refused request may come a moment later.
    assert yahoo.asked("TCS") == 0


def test_a_404_that_is_not_yahoos_own_says_nothing_of_the_symbol(source: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.fail_with("404", path="quoteSummary")
    with pytest.raises(SourceUnavailable, match="answered with an error"):
        source.fetch("RELIANCE", Deadline(20))
    assert yahoo.asked("quoteSummary") == 1


def test_a_refused_crumb_is_replaced_once(source: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.fail_with("401", path="quoteSummary", times=1)
    assert source.fetch("RELIANCE", Deadline(20)).fields["currentPrice"] == 1400.0
    assert yahoo.asked("getcrumb") == 2


def test_a_cookie_on_disk_that_is_no_longer_honoured_is_replaced(yahoo: FakeYahoo, tmp_path: Path) -> None:
    YahooSource(SourceContext(yahoo.settings(tmp_path))).fetch("INFY", Deadline(20))
    yahoo.expire_cookies()
    forget_earlier_sessions()
    again = YahooSource(SourceContext(yahoo.settings(tmp_path)))
    assert again.fetch("RELIANCE", Deadline(20)).fields["currentPrice"] == 1400.0


def test_a_source_that_refuses_everything_is_unavailable(source: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.fail_with("401", path="quoteSummary")
    with pytest.raises(SourceUnavailable, match="refused"):
        source.fetch("RELIANCE", Deadline(20))


def test_a_blocked_cookie_host_has_a_way_around(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.fail_with("reset", path="/fc.yahoo.com")
    source = YahooSource(SourceContext(yahoo.settings(tmp_path, max_attempts=1)))
    assert source.fetch("RELIANCE", Deadline(20)).fields["currentPrice"] == 1400.0


@pytest.mark.parametrize("failure", ["500", "garbage", "empty", "404"])
def test_a_quote_without_statements_is_still_a_record(failure: Failure, source: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.fail_with(failure, path="query2.finance.yahoo.com/ws/")
    fields = source.fetch("RELIANCE", Deadline(20)).fields
    assert fields["revenue"] == 980_000 * CRORE
    assert {"total_assets", "quarterly_revenue", "quarterly_date"}.isdisjoint(fields)


def test_statements_that_never_come_leave_time_for_the_quote(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.fail_with("stall", path="query2.finance.yahoo.com/ws/")
    source = YahooSource(SourceContext(yahoo.settings(tmp_path, request_timeout_seconds=20, read_timeout_seconds=20)))
    deadline = Deadline(4)
    fields = source.fetch("RELIANCE", deadline).fields
    assert not deadline.expired
    assert fields["currentPrice"] == 1400.0


def test_a_lost_connection_is_unavailable_and_then_not_tried_again(source: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.fail_with("reset")
    with pytest.raises(SourceUnavailable, match="could not be reached"):
        source.fetch("RELIANCE", Deadline(20))
    asked = yahoo.requests
    with pytest.raises(SourceCircuitOpen, match="could not be reached"):
        source.fetch("TCS", Deadline(20))
    assert yahoo.requests == asked


def test_silence_is_unavailable_by_the_deadline(source: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.delay(30)
    with pytest.raises(SourceUnavailable, match="in time"):
        source.fetch("RELIANCE", Deadline(0.3))


def test_a_source_that_recovers_is_used_again(yahoo: FakeYahoo, tmp_path: Path) -> None:
    yahoo.fail_with("reset")
    source = YahooSource(SourceContext(yahoo.settings(tmp_path, circuit_open_seconds=0)))
    with pytest.raises(SourceUnavailable):
        source.fetch("RELIANCE", Deadline(20))
    yahoo.recover()
    assert source.fetch("RELIANCE", Deadline(20)).fields["currentPrice"] == 1400.0


def test_a_source_can_be_switched_off(tmp_path: Path) -> None:
    assert build_sources(SourceSettings(enabled=frozenset({"nse"}))).named("yahoo") is None
    built = build_sources(SourceSettings(cache_folder=tmp_path)).named("yahoo")
    assert built is not None
    assert built.name == "Yahoo Finance"
