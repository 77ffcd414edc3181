"""What the sources say the exchange lists: every equity, with its sector where one of them knows it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from klyx.services.market_runs.kinds import NothingFetched
from klyx.services.stocks.matching import normalise_isin
from klyx.sources.base import Deadline, Listing, ListingSource, SectorEntry, SectorSource, SourceError
from klyx.sources.build import Sources

SERIES = frozenset({"EQ", "BE", "BZ"})
DEADLINE_SECONDS = 180.0
SYMBOL = re.compile(r"[A-Z0-9&_-]{1,30}")
NO_LIST = "No source gave the list of stocks; nothing was changed. Please try again later."

Value = str | date


@dataclass(frozen=True, slots=True)
class Given:
    """A value of a field and the name of the source that gave it."""

    value: Value
    source: str


@dataclass(frozen=True, slots=True)
class ListedStock:
    """What the sources say of one stock; only fields that are known."""

    symbol: str
    fields: Mapping[str, Given]


@dataclass(frozen=True, slots=True)
class ListedStocks:
    """The whole list. `unusable`: entries without a name or with a symbol that cannot be one."""

    stocks: Sequence[ListedStock]
    unusable: int
    failures: Mapping[str, Mapping[str, int]]


def fetch_list(sources: Sources) -> ListedStocks:
    """Ask the sources. Raises NothingFetched when none has a list; sectors may be missing."""
    deadline = Deadline(DEADLINE_SECONDS)
    failures: dict[str, Counter[str]] = {}
    listings: Sequence[Listing] = ()
    listed_by = ""
    for lister in sources.giving(ListingSource):  # type: ignore[type-abstract]
        try:
            listings, listed_by = lister.listings(deadline), lister.name
            break
        except SourceError as error:
            failures.setdefault(lister.slug, Counter())[type(error).__name__] += 1
    if not listings:
        raise NothingFetched(NO_LIST, failures)
    sectors: dict[str, tuple[SectorEntry, str]] = {}
    for source in sources.giving(SectorSource):  # type: ignore[type-abstract]
        try:
            for entry in source.sectors(deadline):
                sectors.setdefault(entry.symbol, (entry, source.name))
        except SourceError as error:
            failures.setdefault(source.slug, Counter())[type(error).__name__] += 1
    return _joined(listings, listed_by, sectors, failures)


def _joined(
    listings: Iterable[Listing],
    listed_by: str,
    sectors: Mapping[str, tuple[SectorEntry, str]],
    failures: Mapping[str, Mapping[str, int]],
) -> ListedStocks:
    stocks: dict[str, ListedStock] = {}
    unusable = 0
    for listing in listings:
        if listing.series not in SERIES:
            continue
        name = " ".join(listing.name.split())
        if not SYMBOL.fullmatch(listing.symbol) or not name:
            unusable += 1
            continue
        isin = normalise_isin(listing.isin or "")
        known: dict[str, tuple[Value | None, str]] = {
            "stock_name": (name[:255], listed_by),
            "isin": (isin, listed_by),
            "listing_date": (listing.listed_on, listed_by),
        }
        if listing.symbol in sectors:
            entry, source = sectors[listing.symbol]
            known["sector_name"] = ((entry.sector or "").strip()[:255], source)
            known["industry_name"] = ((entry.industry or "").strip()[:255], source)
            known["website"] = (_website(entry.website), source)
        given = {name: Given(value, source) for name, (value, source) in known.items() if value}
        stocks.setdefault(listing.symbol, ListedStock(listing.symbol, given))
    return ListedStocks(list(stocks.values()), unusable, failures)


def _website(address: str | None) -> str | None:
    """Only what may become a link."""
    address = (address or "").strip()
    return address if address.startswith(("http://", "https://")) and len(address) <= 255 else None
