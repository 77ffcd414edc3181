"""Every source, asked over HTTP by its real client, tells the truth of the made-up companies, in the right units."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from bench.market import Company, Market
from bench.market.server import Simulator
from klyx.sources.base import (
    Deadline,
    MarketDataSource,
    SourceCircuitOpen,
    SourceError,
    SourceRateLimited,
    SourceRecord,
    SymbolUnknown,
)
from klyx.sources.build import Sources, build_sources
from klyx.sources.settings import SourceSettings
from tests.fakes.yahoo import forget_earlier_sessions

MARKET = Market.generated(14)
SLUGS = ("nse", "yahoo", "moneycontrol", "alpha_vantage")

# Of the last price, the last four quarters, or the owners: the same wherever it is told.
TRUTH: dict[str, Callable[[Company], float | None]] = {
    "currentPrice": lambda one: one.price,
    "_previous_close": lambda one: one.previous_close,
    "marketCap": lambda one: one.market_cap,
    "week52High": lambda one: one.week_52_high,
    "week52Low": lambda one: one.week_52_low,
    "pe_ratio": lambda one: one.pe,
    "pb_ratio": lambda one: one.pb,
    "sector_pe": lambda one: one.sector_pe,
    "dividend_yield": lambda one: one.dividend_yield,
    "year1Change": lambda one: one.year_change,
    "target_mean_price": lambda one: one.target_price,
    "number_of_analyst_opinions": lambda one: one.analyst_count or None,
    "fii_holding": lambda one: one.holdings[1].fii,
    "dii_holding": lambda one: one.holdings[1].dii,
    "public_holding": lambda one: one.holdings[1].public,
    "mf_holding": lambda one: one.holdings[1].mutual_funds,
    "fii_holding_change": lambda one: one.holdings[1].fii - one.holdings[0].fii,
    "mf_holding_change": lambda one: one.holdings[1].mutual_funds - one.holdings[0].mutual_funds,
    "promoter_holding_change": lambda one: one.holdings[1].promoter - one.holdings[0].promoter,
}


@dataclass(frozen=True)
class Site:
    simulator: Simulator
    sources: Sources

    def source(self, slug: str) -> MarketDataSource:
        source = self.sources.named(slug)
        assert isinstance(source, MarketDataSource)
        return source

    def fetch(self, slug: str, company: Company) -> SourceRecord:
        return self.source(slug).fetch(company.symbol, Deadline(20.0))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    forget_earlier_sessions()
    folder: Path = tmp_path_factory.mktemp("sources")
    with Simulator(MARKET) as simulator:
        settings = SourceSettings(
            base_url_rewrites=simulator.rewrites, cache_folder=folder, alpha_vantage_api_key="SIMULATED"
        )
        yield Site(simulator, build_sources(settings))
    forget_earlier_sessions()


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("company", list(MARKET), ids=lambda company: company.symbol)
def test_a_source_tells_the_truth(site: Site, slug: str, company: Company) -> None:
    fields = site.fetch(slug, company).fields
    wrong = {
        name: (fields[name], truth(company))
        for name, truth in TRUTH.items()
        if name in fields
        and not _alike(fields[name], truth(company))
        # The next year's dividend or the last one's: a source may tell either.
        and not (name == "dividend_yield" and _alike(fields[name], company.forward_dividend_rate / company.price))
    }
    assert wrong == {}
    assert len(fields) >= 5


@pytest.mark.parametrize("company", [one for one in MARKET if one.statement_currency == "INR"][:6],
                         ids=lambda company: company.symbol)  # fmt: skip
@pytest.mark.parametrize("slug", ["yahoo", "moneycontrol"])
def test_amounts_of_statements_are_rupees(site: Site, slug: str, company: Company) -> None:
    """Of the last year or the last four quarters, of the group; never crores, never dollars. Of a bank, all income."""
    fields = site.fetch(slug, company).fields
    year = company.annual[-1]
    revenue, profit = float(fields["revenue"]), float(fields["net_income"])
    assert any(
        _alike(revenue, value) for value in (year.revenue, year.revenue + year.other_income, company.revenue_ttm)
    )
    assert any(_alike(profit, value) for value in (year.net_income, company.net_income_ttm))


@pytest.mark.parametrize("slug", SLUGS)
def test_a_symbol_that_is_not_listed_is_unknown(site: Site, slug: str) -> None:
    with pytest.raises(SymbolUnknown):
        site.source(slug).fetch("NOBODY", Deadline(20.0))


def _alike(told: float | str, truth: float | None) -> bool:
    # Two decimals of a percentage, or of an amount in crores, are as precise as some sources are.
    return truth is not None and not isinstance(told, str) and math.isclose(told, truth, rel_tol=0.01, abs_tol=0.0002)


@pytest.mark.parametrize(
    ("slug", "kind"),
    # An empty search of MoneyControl's is its word for a company that it does not know.
    [
        (slug, kind)
        for slug in ("nse", "yahoo", "moneycontrol")
        for kind in ("html", "404", "429", "huge", "empty", "nothing")
        if (slug, kind) != ("moneycontrol", "empty")
    ],
)
def test_a_source_that_answers_nothing_of_use_is_left_alone(
    tmp_path: Path, slug: str, kind: Literal["html", "404", "429", "huge", "empty", "nothing"]
) -> None:
    forget_earlier_sessions()
    with Simulator(MARKET) as simulator:
        settings = SourceSettings(base_url_rewrites=simulator.rewrites, cache_folder=tmp_path, backoff_seconds=0.01)
        source = build_sources(settings).named(slug)
        assert isinstance(source, MarketDataSource)
        *others, last = MARKET
        source.fetch(last.symbol, Deadline(20.0))
        simulator.fail(kind, slug=slug, retry_after="1")
        failures = [_failure(source, company) for company in others]
    assert SourceCircuitOpen in failures
    assert failures[-1] in (SourceCircuitOpen, SourceRateLimited)


def _failure(source: MarketDataSource, company: Company) -> type[SourceError] | None:
    try:
        source.fetch(company.symbol, Deadline(3.0))
    except SourceError as error:
        return type(error)
    return None
