"""Google News over HTTP: the simulated source, in good weather and bad."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.market import Company, Market
from bench.market.failures import KINDS, Kind
from bench.market.server import Simulator
from klyx.sources.base import Deadline, NewsSource, SourceCircuitOpen, SourceRateLimited, SourceUnavailable
from klyx.sources.build import build_sources
from klyx.sources.context import SourceContext
from klyx.sources.google_news import GoogleNewsSource
from klyx.sources.settings import SourceSettings

SECONDS = 5.0


@pytest.fixture(scope="module")
def market() -> Market:
    return Market.generated(60)


@pytest.fixture
def simulator(market: Market) -> Iterator[Simulator]:
    with Simulator(market) as running:
        yield running


@pytest.fixture
def source(simulator: Simulator) -> GoogleNewsSource:
    settings = SourceSettings(
        base_url_rewrites=simulator.rewrites,
        connect_timeout_seconds=1.0,
        read_timeout_seconds=1.0,
        request_timeout_seconds=1.0,
        backoff_seconds=0.01,
    )
    return GoogleNewsSource(SourceContext(settings))


def in_the_news(market: Market) -> Company:
    return next(company for company in market if len(company.headlines()) > 2)


def test_the_first_headlines_of_a_company(source: GoogleNewsSource, market: Market) -> None:
    company = in_the_news(market)

    found = source.headlines(f"  {company.name} ", Deadline(SECONDS))

    assert [headline.title for headline in found] == [one.title for one in company.headlines()[:5]]
    assert [headline.publisher for headline in found] == [one.publisher for one in company.headlines()[:5]]
    assert [headline.published_at for headline in found] == [one.published_at for one in company.headlines()[:5]]
    assert all(headline.link.startswith("https://news.google.com/") for headline in found)


def test_a_company_that_nobody_writes_about_has_no_headlines(source: GoogleNewsSource) -> None:
    assert source.headlines("Nobody & Sons <b> Ltd.", Deadline(SECONDS)) == []


# A feed has no figures that could be wrong, and a feed without items is an answer.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("429", "nan", "strings", "absurd", "empty")])
def test_an_answer_of_no_use_is_a_source_that_is_unavailable(
    source: GoogleNewsSource, simulator: Simulator, market: Market, kind: Kind
) -> None:
    simulator.fail(kind, slug="google_news")

    with pytest.raises(SourceUnavailable):
        source.headlines(in_the_news(market).name, Deadline(SECONDS))

    simulator.recover()
    assert source.headlines(in_the_news(market).name, Deadline(SECONDS))


def test_a_source_that_wants_a_rest_is_not_asked_meanwhile(
    source: GoogleNewsSource, simulator: Simulator, market: Market
) -> None:
    simulator.fail("429", slug="google_news", retry_after="30")
    with pytest.raises(SourceRateLimited) as limited:
        source.headlines(in_the_news(market).name, Deadline(SECONDS))
    simulator.recover()

    with pytest.raises(SourceRateLimited):
        source.headlines(in_the_news(market).name, Deadline(SECONDS))
    assert limited.value.retry_after_seconds == 30


def test_after_some_answers_of_no_use_the_circuit_opens(
    source: GoogleNewsSource, simulator: Simulator, market: Market
) -> None:
    simulator.fail("html", slug="google_news")
    for _ in range(3):
        with pytest.raises(SourceUnavailable):
            source.headlines(in_the_news(market).name, Deadline(SECONDS))

    with pytest.raises(SourceCircuitOpen):
        source.headlines(in_the_news(market).name, Deadline(SECONDS))


def test_it_is_one_of_the_sources_of_news() -> None:
    sources = build_sources(SourceSettings())

    assert [source.slug for source in sources.giving(NewsSource)] == ["google_news"]  # type: ignore[type-abstract]
