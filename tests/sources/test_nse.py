"""The exchange's source against an exchange on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.market import Market
from bench.market.listing import Listed
from bench.market.server import Simulator
from klyx.sources.base import (
    ListingSource,
    MarketDataSource,
    SectorSource,
    SourceCircuitOpen,
    SourceError,
    SourceRateLimited,
    SourceUnavailable,
    SymbolUnknown,
)
from klyx.sources.nse import NseSource
from tests.sources.exchange import COMPANY, MARKET, SECTOR_LIST_URL, asked, context_of, exchange, soon

QUOTE, PAGE, LISTS = "quote-equity", "get-quotes", "content/"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(MARKET) as server:
        yield server


def market_of(*symbols: str) -> Market:
    like = COMPANY.listed
    return Market(
        [
            Listed(symbol, f"{symbol} Limited", "EQ", like.isin, like.listed_on, 1.0, "Power", "Grids", like.website)
            for symbol in symbols
        ]
    )


def test_the_quote_of_a_symbol(simulator: Simulator) -> None:
    source = exchange(simulator)
    record = source.fetch(f" {COMPANY.symbol.lower()} ", soon())
    assert COMPANY.pe is not None
    assert (record.symbol, record.source, source.slug) == (COMPANY.symbol, "NSE", "nse")
    assert dict(record.fields) == {
        "currentPrice": COMPANY.price,
        "_previous_close": COMPANY.previous_close,
        "week52High": COMPANY.week_52_high,
        "week52Low": COMPANY.week_52_low,
        "pe_ratio": round(COMPANY.pe, 2),
        "sector_pe": COMPANY.sector_pe,
        "marketCap": pytest.approx(COMPANY.market_cap),
        "_company_name": COMPANY.name,
        "_isin": COMPANY.listed.isin,
        "_sector": COMPANY.sector,
        "_industry": COMPANY.industry,
    }
    assert isinstance(source, MarketDataSource)
    assert isinstance(source, ListingSource)
    assert isinstance(source, SectorSource)


def test_a_symbol_with_an_ampersand() -> None:
    with Simulator(market_of("M&M")) as simulator:
        assert exchange(simulator).fetch("M&M", soon()).fields["_company_name"] == "M&M Limited"


def test_a_renamed_symbol_is_answered_under_its_old_name() -> None:
    with Simulator(market_of("ETERNAL")) as simulator:
        source = exchange(simulator)
        for _ in range(2):
            record = source.fetch("ZOMATO", soon())
            assert (record.symbol, record.fields["_symbol"]) == ("ZOMATO", "ETERNAL")
        assert asked(simulator, "symbolchange") == 1


def test_an_unknown_symbol(simulator: Simulator) -> None:
    source = exchange(simulator)
    for _ in range(5):
        with pytest.raises(SymbolUnknown, match="does not know the symbol NOSUCH"):
            source.fetch("NOSUCH", soon())
    assert source.fetch(COMPANY.symbol, soon()).fields["currentPrice"] == COMPANY.price


def test_without_the_list_of_renamed_symbols_one_is_unknown(simulator: Simulator) -> None:
    simulator.fail("500", slug="nse", path="symbolchange")
    with pytest.raises(SymbolUnknown):
        exchange(simulator).fetch("NOSUCH", soon())


@pytest.mark.parametrize("symbol", ["", "A B", "../x", "A?b=1", "X" * 31, "टाटा"])
def test_what_is_no_symbol_is_never_asked(symbol: str, simulator: Simulator) -> None:
    with pytest.raises(SymbolUnknown, match="not an NSE symbol"):
        exchange(simulator).fetch(symbol, soon())
    assert asked(simulator) == 0


def test_cookies_are_got_once_for_all_threads(simulator: Simulator) -> None:
    source = exchange(simulator)
    symbols = [company.symbol for company in MARKET][:20]
    with ThreadPoolExecutor(8) as pool:
        records = list(pool.map(lambda symbol: source.fetch(symbol, soon()), symbols))
    assert [record.symbol for record in records] == symbols
    assert (asked(simulator, PAGE), asked(simulator, QUOTE)) == (1, 20)


def test_cookies_are_shared_by_processes(simulator: Simulator) -> None:
    context = context_of(simulator)
    for source in (NseSource(context), NseSource(context)):
        source.fetch(COMPANY.symbol, soon())
    assert asked(simulator, PAGE) == 1


def test_new_cookies_are_got_once_when_the_old_ones_are_refused(simulator: Simulator) -> None:
    source = exchange(simulator)
    source.fetch(COMPANY.symbol, soon())
    simulator.fail("403", path=QUOTE, times=1)
    assert source.fetch(COMPANY.symbol, soon()).fields["currentPrice"] == COMPANY.price
    assert (asked(simulator, PAGE), asked(simulator, QUOTE)) == (2, 3)


def test_a_source_that_refuses_everything_is_left_alone(simulator: Simulator) -> None:
    source = exchange(simulator)
    simulator.fail("403", slug="nse")
    failures: list[SourceError] = []
    for _ in range(6):
        with pytest.raises(SourceUnavailable) as caught:
            source.fetch(COMPANY.symbol, soon())
        failures.append(caught.value)
    assert "refused" in str(failures[0])
    assert [type(failure) for failure in failures[3:]] == [SourceCircuitOpen] * 3
    assert asked(simulator) == 3


def test_the_list_of_equities(simulator: Simulator) -> None:
    listings = exchange(simulator).listings(soon())
    expected = [one for one in MARKET.listed if one.series in {"EQ", "BE", "BZ"}]
    assert [(one.symbol, one.name, one.isin, one.listed_on) for one in listings] == [
        (one.symbol, one.name, one.isin, one.listed_on) for one in expected
    ]
    assert asked(simulator) == 1


def test_sectors_of_the_indices_fill_what_the_list_of_sectors_does_not_know(simulator: Simulator) -> None:
    entries = {one.symbol: one for one in exchange(simulator, sector_list_url=SECTOR_LIST_URL).sectors(soon())}
    listed = next(one for one in MARKET.listed if one.has_sector)
    other = next(one for one in MARKET.listed if not one.has_sector)
    known = entries[listed.symbol]
    assert (known.sector, known.industry, known.website) == (listed.sector, listed.industry, listed.website)
    assert (entries[other.symbol].sector, entries[other.symbol].industry) == (other.sector, None)


def test_sectors_without_the_configured_list_are_a_failure(simulator: Simulator) -> None:
    simulator.fail("404", path="nse_sectors")
    with pytest.raises(SourceUnavailable, match="list of sectors refused"):
        exchange(simulator, sector_list_url=SECTOR_LIST_URL).sectors(soon())


def test_sectors_without_the_indices_are_those_of_the_list(simulator: Simulator) -> None:
    simulator.fail("500", path="indices")
    entries = exchange(simulator, sector_list_url=SECTOR_LIST_URL).sectors(soon())
    assert len(entries) == sum(one.has_sector for one in MARKET.listed)


def test_a_smaller_index_is_taken_when_the_larger_is_missing(simulator: Simulator) -> None:
    simulator.fail("404", path="totalmarket")
    assert len(exchange(simulator).sectors(soon())) == len(MARKET)


@pytest.mark.parametrize("kind", ["html", "nothing", "404", "truncated_gzip"])
def test_a_list_that_is_none_is_a_failure_not_an_empty_exchange(kind: str, simulator: Simulator) -> None:
    simulator.fail(kind, path=LISTS)  # type: ignore[arg-type]
    source = exchange(simulator)
    for ask in (source.listings, source.sectors):
        with pytest.raises(SourceUnavailable):
            ask(soon())


def test_a_429_of_one_request_is_kept_by_all(simulator: Simulator) -> None:
    context = context_of(simulator)
    simulator.fail("429", path=QUOTE, times=1, retry_after="30")
    for source in (NseSource(context), NseSource(context)):
        with pytest.raises(SourceRateLimited) as caught:
            source.fetch(COMPANY.symbol, soon())
        assert 25 < caught.value.retry_after_seconds <= 30
    assert asked(simulator, QUOTE) == 1
