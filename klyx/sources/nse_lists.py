"""The exchange's lists in CSV. Pure functions on what was downloaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from klyx.sources.base import Listing, SectorEntry, SourceUnavailable

# Equities of the main board: rolling settlement, trade-to-trade, and trade-to-trade after a breach of rules.
KEPT_SERIES = frozenset({"EQ", "BE", "BZ"})
Entry = TypeVar("Entry", Listing, SectorEntry)
NOTHING = frozenset({"", "-", "na", "n/a", "none", "null", "nan"})


def listings(content: bytes) -> list[Listing]:
    """EQUITY_L.csv, whose headings are padded with blanks; series EQ, BE and BZ, each symbol once."""
    found: dict[str, Listing] = {}
    for row in _rows(content, "symbol", "name of company", "series"):
        symbol, name, series = row["symbol"].upper(), row["name of company"], row["series"].upper()
        if symbol and name and series in KEPT_SERIES:
            listed = Listing(symbol, name, series, row.get("isin number") or None, _day(row.get("date of listing", "")))
            found.setdefault(symbol, listed)
    return _some(list(found.values()))


def index_members(content: bytes) -> list[SectorEntry]:
    """A list of an index's members. What its heading calls industry is one of the exchange's 22 sectors."""
    rows = _rows(content, "symbol", "industry")
    return _some(
        [SectorEntry(row["symbol"].upper(), _known(row["industry"]), None, None) for row in rows if row["symbol"]]
    )


def sector_list(content: bytes) -> list[SectorEntry]:
    """A list with `symbol` and `sector`, and `industry` and `website` where it has them."""
    entries = []
    for row in _rows(content, "symbol", "sector"):
        website = _known(row.get("website", ""))
        if website is not None and not website.startswith(("http://", "https://")):
            website = None
        if row["symbol"]:
            industry = _known(row.get("industry", ""))
            entries.append(SectorEntry(row["symbol"].upper(), _known(row["sector"]), industry, website))
    return _some(entries)


def renamed(content: bytes) -> dict[str, str]:
    """symbolchange.csv: today's symbol of every former one. Its lines are name, former, new, since; newest anywhere.

    A symbol can change more than once; a former one that somebody else uses today is for the caller to tell.
    """
    changes: list[tuple[date, str, str]] = []
    for line in csv.reader(io.StringIO(_text(content))):
        cells = [cell.strip() for cell in line]
        if len(cells) >= 4 and (since := _day(cells[3])) is not None and cells[1] and cells[2]:
            changes.append((since, cells[1].upper(), cells[2].upper()))
    if not changes:
        raise SourceUnavailable("A list of companies cannot be read")
    today: dict[str, str] = {}
    # Backwards in time: what a symbol became later is known when its change is met.
    for _, former, new in sorted(changes, reverse=True):
        latest = today.get(new, new)
        if latest != former:
            today.setdefault(former, latest)
    return today


def joined(believed: Sequence[SectorEntry], others: Sequence[SectorEntry]) -> list[SectorEntry]:
    """Every company once; the first list wins where it knows the sector."""
    entries = {entry.symbol: entry for entry in others}
    entries.update({entry.symbol: entry for entry in believed if entry.sector or entry.symbol not in entries})
    return list(entries.values())


def _rows(content: bytes, *needed: str) -> Iterator[Mapping[str, str]]:
    """Rows by heading, both trimmed, headings in lower case. Raises SourceUnavailable without the needed ones."""
    reader = csv.reader(io.StringIO(_text(content)))
    headings = [heading.strip().lower() for heading in next(reader, [])]
    if not set(needed) <= set(headings):
        raise SourceUnavailable("A list of companies cannot be read")
    for line in reader:
        if len(line) >= len(headings):
            yield {heading: cell.strip() for heading, cell in zip(headings, line, strict=False)}


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig", errors="replace").replace("\0", "")


def _some(entries: list[Entry]) -> list[Entry]:
    """A list without a single entry is a failure, not an exchange without companies."""
    if not entries:
        raise SourceUnavailable("A list of companies is empty")
    return entries


def _known(text: str) -> str | None:
    return None if text.strip().lower() in NOTHING else text.strip()


def _day(text: str) -> date | None:
    for pattern in ("%d-%b-%Y", "%d-%b-%y", "%d-%m-%Y"):
        try:
            return datetime.strptime(text.strip(), pattern).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None
