"""Alpha Vantage's source against an Alpha Vantage on this machine."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from bench.market import Answer, Company, Query, State, alpha_vantage_documents
from bench.market.server import Simulator
from klyx.sources.alpha_vantage import AlphaVantageSource, alpha_vantage, fields_of
from klyx.sources.base import SourceCircuitOpen, SourceError, SourceRateLimited, SourceUnavailable, SymbolUnknown
from tests.sources.exchange import COMPANY, MARKET, context_of, soon

KEY = "SECRETKEY123"
HOST = "www.alphavantage.co"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(MARKET) as server:
        yield server


def source_of(simulator: Simulator, **changes: Any) -> AlphaVantageSource:
    return AlphaVantageSource(context_of(simulator, alpha_vantage_api_key=KEY, **changes))


class Saying:
    """Answers everything with one document."""

    slug = "alpha_vantage"

    def __init__(self, document: bytes) -> None:
        self._document = document

    def symbol_of(self, _host: str, _path: str, _query: Query, /) -> None:
        return None

    def answer(self, _company: Company | None, _host: str, _path: str, _query: Query, _state: State, /) -> Answer:
        return 200, {"Content-Type": "application/json"}, self._document


def test_the_overview_of_a_symbol(simulator: Simulator) -> None:
    record = source_of(simulator).fetch(COMPANY.symbol, soon())
    assert (record.symbol, record.source) == (COMPANY.symbol, "Alpha Vantage")
    expected = {
        "marketCap": COMPANY.market_cap,
        "pe_ratio": COMPANY.pe,
        "pb_ratio": COMPANY.pb,
        "roe": COMPANY.roe,
        "profit_margin": COMPANY.profit_margin,
        "revenue": COMPANY.revenue_ttm,
        "basic_eps": COMPANY.eps,
        "week52High": COMPANY.week_52_high,
        "dividend_yield": COMPANY.dividend_yield,
    }
    assert {name: record.fields[name] for name in expected} == pytest.approx(expected, rel=1e-3)
    # The average of 50 days is no price.
    assert "currentPrice" not in record.fields


def test_amounts_in_another_currency_are_left_out_and_ratios_kept() -> None:
    overview = {**alpha_vantage_documents.overview(COMPANY), "Currency": "USD"}
    fields = fields_of(overview)
    assert {"marketCap", "revenue", "week52High", "basic_eps"}.isdisjoint(fields)
    assert {"pe_ratio", "roe"} <= fields.keys()


def test_what_is_no_figure_is_absent_and_a_zero_is_one() -> None:
    overview = {"Currency": "INR", "PERatio": "None", "Beta": "-", "EPS": "", "DividendYield": "0", "Name": "None"}
    assert fields_of(overview) == {"dividend_yield": 0.0}


def test_an_unknown_symbol(simulator: Simulator) -> None:
    with pytest.raises(SymbolUnknown, match="NOSUCH"):
        source_of(simulator).fetch("NOSUCH", soon())


@pytest.mark.parametrize(
    ("document", "seconds"),
    [
        (b'{"Information": "Our standard limit is 25 requests per day."}', 3600),
        (b'{"Note": "Our standard limit is 5 calls per minute."}', 60),
    ],
)
def test_a_limit_that_is_told_with_a_status_of_200(document: bytes, seconds: int) -> None:
    with Simulator(MARKET, sources={HOST: Saying(document)}) as simulator:
        source = source_of(simulator)
        for _ in range(3):
            with pytest.raises(SourceRateLimited) as caught:
                source.fetch(COMPANY.symbol, soon())
            assert seconds - 10 < caught.value.retry_after_seconds <= seconds
        assert len(simulator.arrivals.of()) == 1


def test_a_key_that_is_refused_is_not_tried_for_ever() -> None:
    refusal = Saying(b'{"Error Message": "the parameter apikey is invalid"}')
    with Simulator(MARKET, sources={HOST: refusal}) as simulator:
        source = source_of(simulator)
        failures = []
        for _ in range(5):
            with pytest.raises(SourceUnavailable) as caught:
                source.fetch(COMPANY.symbol, soon())
            failures.append(type(caught.value))
        assert failures[-1] is SourceCircuitOpen


@pytest.mark.parametrize("document", [b"[]", b'"x"', b"null", b'{"Symbol": "X"}'])
def test_other_documents_are_unavailable(document: bytes) -> None:
    with Simulator(MARKET, sources={HOST: Saying(document)}) as simulator, pytest.raises(SourceUnavailable):
        source_of(simulator).fetch(COMPANY.symbol, soon())


@pytest.mark.parametrize("kind", ["reset", "silence", "html", "403", "500"])
def test_the_key_is_in_no_failure_and_no_log(kind: Any, simulator: Simulator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    source = source_of(simulator, circuit_failures=1)
    simulator.fail(kind, slug="alpha_vantage")
    with pytest.raises(SourceError) as caught:
        source.fetch(COMPANY.symbol, soon())
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in caplog.text
    assert KEY not in repr(context_of(simulator, alpha_vantage_api_key=KEY).settings)


def test_without_a_key_there_is_no_source(simulator: Simulator) -> None:
    assert alpha_vantage(context_of(simulator)) is None
    assert alpha_vantage(context_of(simulator, alpha_vantage_api_key=KEY)) is not None
