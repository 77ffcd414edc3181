from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from klyx.services.market_data.gather import Gatherer
from klyx.services.market_data.merge import merge
from klyx.sources.base import Deadline, SourceRateLimited, SourceUnavailable, SymbolUnknown
from klyx.sources.memo import Memo
from tests.services.market_data.local_sources import COMPLETE, LocalSource


@pytest.fixture
def gatherer() -> Iterator[Gatherer]:
    made = Gatherer(questions_per_source=2)
    yield made
    made.close()


def without(*names: str) -> dict[str, float]:
    return {name: value for name, value in COMPLETE.items() if name not in names}


def let_go_after(first: LocalSource, held: LocalSource) -> None:
    """`held` answers only once `first` was asked."""

    def watch() -> None:
        first.started.wait(10)
        held.released.set()

    threading.Thread(target=watch).start()


def test_all_sources_are_asked_at_once(gatherer: Gatherer) -> None:
    together = threading.Barrier(3, timeout=10)

    class Meeting(LocalSource):
        def fetch(self, symbol: str, deadline: Deadline) -> object:  # type: ignore[override]
            together.wait()
            return super().fetch(symbol, deadline)

    sources = [Meeting(name, {"beta": 1.0}) for name in ("A", "B", "C")]
    gathered = gatherer.gather("TCS", sources, Deadline(10), enough_quality=None)  # type: ignore[arg-type]
    assert [record.source for record in gathered.records] == ["A", "B", "C"]


def test_records_come_in_priority_order_whoever_was_first(gatherer: Gatherer) -> None:
    slow, fast = LocalSource("Slow", {"pe_ratio": 1.0}).held(), LocalSource("Fast", {"pe_ratio": 2.0})
    let_go_after(fast, slow)
    gathered = gatherer.gather("TCS", [slow, fast], Deadline(10), enough_quality=None)
    assert [record.source for record in gathered.records] == ["Slow", "Fast"]
    assert merge(gathered.records).values == {"pe_ratio": 1.0}


def test_what_is_enough_ends_the_waiting(gatherer: Gatherer) -> None:
    slow = LocalSource("Slow", {"beta": 1.0}).held()
    gathered = gatherer.gather("TCS", [LocalSource("Fast", COMPLETE), slow], Deadline(60))
    slow.released.set()
    assert gathered.outcomes == {"fast": "ok"}
    assert gathered.failures == {}
    assert gathered.attempts == [{"source": "Fast", "quality": 100, "missing": []}]


def test_a_more_trusted_source_is_waited_for_even_when_another_knows_enough(gatherer: Gatherer) -> None:
    first = LocalSource("First", {"currentPrice": 7.0}).held()
    second, third = LocalSource("Second", COMPLETE), LocalSource("Third", {"beta": 1.0}).held()
    let_go_after(second, first)
    gathered = gatherer.gather("TCS", [first, second, third], Deadline(60))
    third.released.set()
    assert merge(gathered.records).values["currentPrice"] == 7.0
    assert list(gathered.outcomes) == ["first", "second"]


def test_a_quality_below_enough_waits_for_all(gatherer: Gatherer) -> None:
    poor = LocalSource("Poor", without("roe", "revenue"))
    rest = LocalSource("Rest", {"roe": 0.2}).held()
    let_go_after(poor, rest)
    gathered = gatherer.gather("TCS", [poor, rest], Deadline(60))
    assert merge(gathered.records).quality_score == 87
    assert gathered.attempts[0] == {"source": "Poor", "quality": 75, "missing": ["roe", "revenue"]}


def test_a_source_that_is_down_costs_only_its_fields(gatherer: Gatherer) -> None:
    errors = {"Down": SourceUnavailable("Down is down"), "Busy": SourceRateLimited("Busy is busy", 9.0)}
    sources = [LocalSource(name, error=error) for name, error in errors.items()]
    gathered = gatherer.gather("TCS", [*sources, LocalSource("Up", {"beta": 1.0})], Deadline(10))
    assert gathered.failures == {"down": errors["Down"], "busy": errors["Busy"]}
    assert gathered.outcomes == {"down": "SourceUnavailable", "busy": "SourceRateLimited", "up": "ok"}
    assert [attempt["quality"] for attempt in gathered.attempts] == [0, 0, 0]


def test_the_deadline_ends_the_waiting(gatherer: Gatherer) -> None:
    stuck = LocalSource("Stuck", COMPLETE).held()
    gathered = gatherer.gather("TCS", [stuck, LocalSource("Fast", {"beta": 1.0})], Deadline(0.3))
    stuck.released.set()
    assert [record.source for record in gathered.records] == ["Fast"]
    assert str(gathered.failures["stuck"]) == "Stuck did not answer in time"


def test_after_the_deadline_nobody_is_asked(gatherer: Gatherer) -> None:
    source = LocalSource("Fast", COMPLETE)
    gathered = gatherer.gather("TCS", [source], Deadline(0))
    assert (gathered.records, source.asked) == ((), [])
    assert set(gathered.failures) == {"fast"}


def test_a_broken_promise_is_logged_and_hurts_nobody(gatherer: Gatherer, caplog: pytest.LogCaptureFixture) -> None:
    broken = LocalSource("Broken", error=ZeroDivisionError("secret"))
    gathered = gatherer.gather("TCS", [broken, LocalSource("Up", COMPLETE)], Deadline(10))
    assert len(gathered.records) == 1
    assert "unexpected error" in str(gathered.failures["broken"])
    assert [entry.levelno for entry in caplog.records] == [logging.ERROR]


def test_no_source_gives_nothing(gatherer: Gatherer) -> None:
    gathered = gatherer.gather("TCS", [], Deadline(10))
    assert (gathered.records, gathered.failures, gathered.attempts) == ((), {}, [])


def test_a_source_is_asked_a_few_questions_at_once_over_all_stocks(gatherer: Gatherer) -> None:
    source = LocalSource("Fast", COMPLETE)
    symbols = [f"SHARE{number}" for number in range(12)]
    threads = [
        threading.Thread(target=gatherer.gather, args=(symbol, [source], Deadline(20))) for symbol in symbols
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(source.asked) == sorted(symbols)
    assert source.busiest <= 2


def test_what_was_said_is_remembered_and_what_failed_is_not(gatherer: Gatherer) -> None:
    memo = Memo()
    good = LocalSource("Good", {"pe_ratio": 21.5, "_sector": "IT"})
    unknown = LocalSource("Unknown", error=SymbolUnknown("Unknown does not know TCS"))
    down = LocalSource("Down", error=SourceUnavailable("Down is down"))
    answers = [gatherer.gather("TCS", [good, unknown, down], Deadline(10), memo=memo) for _ in range(2)]
    assert answers[0].records == answers[1].records
    assert answers[0].outcomes == answers[1].outcomes
    assert [len(source.asked) for source in (good, unknown, down)] == [1, 1, 2]
    gatherer.gather("INFY", [good], Deadline(10), memo=memo)
    assert good.asked == ["TCS", "INFY"]


def test_implausible_figures_are_gone_before_they_count_as_enough(gatherer: Gatherer) -> None:
    absurd = LocalSource("Absurd", {**COMPLETE, "pe_ratio": 1e9, "currentPrice": "12", "roe": 900.0})
    sound = LocalSource("Sound", COMPLETE)
    gathered = gatherer.gather("TCS", [absurd, sound], Deadline(10))
    assert merge(gathered.records).values["pe_ratio"] == 21.5
    assert gathered.attempts[0]["quality"] == 62
    assert gatherer.rejections.counts[("Absurd", "pe_ratio")] == 1
