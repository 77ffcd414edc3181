"""Many symbols at once, through the real source, against a Yahoo on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from klyx.services.enrichment import enrich
from klyx.sources.base import Deadline, SourceRecord
from klyx.sources.context import SourceContext
from klyx.sources.yahoo import YahooSource
from tests.fakes.yahoo import FakeYahoo
from tests.fakes.yahoo_figures import COMPANIES, company

KNOWN = ["RELIANCE", "TCS", "ADANIENT", "INFY", "IDEA"]
MANY = [f"SHARE{index}" for index in range(50)]
UNREACHED = "Yahoo Finance could not be reached; the figures we had are kept."
TOO_LATE = "Yahoo Finance did not answer in time; the figures we had are kept."


@pytest.fixture
def yahoo() -> Iterator[FakeYahoo]:
    many = {f"{symbol}.NS": company(symbol, price=10.0, market_cap=1e9, currency="USD") for symbol in MANY}
    with FakeYahoo({**COMPANIES, **many}) as server:
        yield server


@pytest.fixture
def source(yahoo: FakeYahoo, tmp_path: Path) -> YahooSource:
    return YahooSource(SourceContext(yahoo.settings(tmp_path)))


def test_each_symbol_ends_as_a_record_or_as_a_failure(source: YahooSource) -> None:
    enrichment = enrich([*KNOWN, "NOPE", "TCS", "not a symbol"], [source], Deadline(30), 4)
    assert set(enrichment.records) == set(KNOWN)
    assert enrichment.records["ADANIENT"].values["marketCap"] == 2_769_237_400_000
    assert enrichment.failures == {
        "NOPE": "Yahoo Finance does not know the symbol NOPE; the figures we had are kept.",
        "not a symbol": "'not a symbol' is not an NSE symbol; the figures we had are kept.",
    }


def test_nothing_to_ask(source: YahooSource, yahoo: FakeYahoo) -> None:
    enrichment = enrich([], [source], Deadline(30), 4)
    assert (enrichment.records, enrichment.failures, yahoo.requests) == ({}, {}, 0)


def test_no_source() -> None:
    enrichment = enrich(["TCS"], [], Deadline(30), 4)
    sentence = "No market-data source is switched on; the figures we had are kept."
    assert (enrichment.records, enrichment.failures) == ({}, {"TCS": sentence})


def test_progress_comes_from_the_calling_thread_one_symbol_at_a_time(source: YahooSource) -> None:
    seen: list[tuple[int, int]] = []
    threads: set[threading.Thread] = set()

    def on_progress(finished: int, total: int) -> None:
        seen.append((finished, total))
        threads.add(threading.current_thread())

    enrich([*KNOWN, "NOPE"], [source], Deadline(30), 3, on_progress)
    assert seen == [(finished, 6) for finished in range(1, 7)]
    assert threads == {threading.current_thread()}


def test_no_more_questions_at_once_than_allowed(source: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.delay(0.01)
    enrichment = enrich(MANY[:12], [source], Deadline(30), 3)
    assert len(enrichment.records) == 12
    # Two requests a stock, side by side.
    assert 2 <= yahoo.busiest <= 6


def test_a_rate_limit_ends_the_questions(source: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.fail_with("429", path="quoteSummary", retry_after="60")
    enrichment = enrich(MANY, [source], Deadline(30), 4)
    limited = "Yahoo Finance limits how often it may be asked; the figures we had are kept."
    assert enrichment.failures == dict.fromkeys(MANY, limited)
    assert yahoo.asked("quoteSummary") <= 4


def test_without_a_network_nobody_waits_for_every_symbol(source: YahooSource, yahoo: FakeYahoo) -> None:
    yahoo.fail_with("reset")
    enrichment = enrich(MANY, [source], Deadline(30), 4)
    assert enrichment.failures == dict.fromkeys(MANY, UNREACHED)
    assert yahoo.requests <= 3 + 4


def test_the_deadline_keeps_what_came_in_time_and_leaves_no_thread(source: YahooSource, yahoo: FakeYahoo) -> None:
    source.fetch("INFY", Deadline(20))
    for symbol in MANY[1:]:
        yahoo.fail_with("drip", path=symbol)
    enrichment = enrich(MANY, [source], Deadline(2.0), 4)
    assert list(enrichment.records) == [MANY[0]]
    assert enrichment.failures == dict.fromkeys(MANY[1:], TOO_LATE)
    for thread in threading.enumerate():
        if thread.name.startswith(("enrichment", "ask-")):
            thread.join(10)
            assert not thread.is_alive()


def test_a_callback_that_raises_ends_the_enrichment(source: YahooSource, yahoo: FakeYahoo) -> None:
    def cancelled(finished: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enrich(MANY, [source], Deadline(30), 2, cancelled)
    assert yahoo.asked("quoteSummary") < len(MANY)


class BrokenSource(YahooSource):
    def fetch(self, symbol: str, deadline: Deadline) -> SourceRecord:
        if symbol == "TCS":
            raise RuntimeError("a defect")
        return super().fetch(symbol, deadline)


def test_a_defect_of_a_source_costs_one_symbol(yahoo: FakeYahoo, tmp_path: Path) -> None:
    enrichment = enrich(["TCS", "INFY"], [BrokenSource(SourceContext(yahoo.settings(tmp_path)))], Deadline(30), 2)
    assert list(enrichment.records) == ["INFY"]
    assert "unexpected error" in enrichment.failures["TCS"]
