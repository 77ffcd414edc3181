"""Yearly statements of a company, kept per symbol and kind: what the details page shows in its Financials tab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from klyx.database import Database
from klyx.database.models import FundamentalsCache, Stock
from klyx.database.types import utc_now
from klyx.database.upsert import upsert
from klyx.database.versions import FUNDAMENTALS
from klyx.errors import NotFound
from klyx.services.analysis.text import normalise_nse_code
from klyx.services.fundamentals_tables import count_periods, empty_sections, newest_period, usable_sections
from klyx.sources.base import Deadline, SourceError, StatementKind, Statements, StatementSource, SymbolUnknown

LOOKUP_KIND = "fundamentals_lookup"
FRESH_FOR = timedelta(days=1)
# Ten years in the company's own words come before four in a data provider's.
PREFERRED = ("moneycontrol", "yahoo")
# Of the time that is left, the part a source may take while another waits to be asked.
SHARE_OF_TIME = 0.65
# In the payload: whether the statements are those of a source that was asked because a better one failed.
STAND_IN = "is_stand_in"
UNIT = "crores of rupees; ratios as printed"
NO_SYMBOLS = frozenset({"undefined", "null"})
UNKNOWN_STOCK = "There is no stock with this symbol. Please check it or search for the company's name."
NOTHING_KNOWN = "No {kind} statements of {symbol} are published where we look. Please try the other kind."


class NotFetched(Exception):
    """Nobody has looked for these statements for a day, and none are kept."""

    def __init__(self, symbol: str, kind: StatementKind) -> None:
        super().__init__(f"{symbol} {kind}")
        self.symbol = symbol
        self.kind = kind

    @property
    def lookup(self) -> dict[str, Any]:
        return lookup_of(self.symbol, self.kind)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one kind of statements.

    `is_due`: they were last looked for more than a day ago, or stand in for those of a source that failed.
    """

    symbol: str
    kind: StatementKind
    data: Mapping[str, Any]
    is_due: bool


@dataclass(frozen=True, slots=True)
class Search:
    """What asking the sources for statements gave.

    `outcomes`: slug -> "ok" or the name of the error, of those that were asked. `failure`: the first that was not
    a plain "unknown"; without statements and failure there are none. With both, a source that is believed more
    failed, and could have others.
    """

    symbol: str
    kind: StatementKind
    statements: Statements | None
    outcomes: Mapping[str, str]
    failure: SourceError | None

    @property
    def has_failed(self) -> bool:
        return self.statements is None and self.failure is not None

    @property
    def is_stand_in(self) -> bool:
        return self.statements is not None and self.failure is not None


def lookup_of(symbol: str, kind: StatementKind) -> dict[str, Any]:
    """The job that looks for statements: its kind, what it stands for, and its arguments."""
    return {
        "kind": LOOKUP_KIND,
        "unique_key": f"fundamentals:{symbol}:{kind}",
        "arguments": {"symbol": symbol, "type": kind},
    }


def find(session: Session, symbol: str, kind: StatementKind, now: datetime | None = None) -> Kept:
    """The kept statements of a stock we list, in the form of the contract.

    Raises NotFound for other symbols and when there are none; NotFetched when that is not known.
    """
    code = _listed(session, symbol)
    row = session.get(FundamentalsCache, (code, kind))
    if row is None:
        raise NotFetched(code, kind)
    is_due = bool(row.payload.get(STAND_IN)) or _checked_at(row) < (now or utc_now()) - FRESH_FOR
    sections = row.payload.get("sections") or {}
    if not any(sections.values()):
        if is_due:
            raise NotFetched(code, kind)
        raise NotFound(NOTHING_KNOWN.format(kind=kind, symbol=code))
    meta = {"type": kind, "source": row.payload.get("source"), "fetched_at": row.fetched_at, "unit": UNIT}
    return Kept(code, kind, {**empty_sections(), **sections, "meta": meta}, is_due)


def _listed(session: Session, symbol: str) -> str:
    code = None if symbol.strip().lower() in NO_SYMBOLS else normalise_nse_code(symbol)
    if code is None or session.scalar(select(Stock.id).where(Stock.nse_code == code)) is None:
        raise NotFound(UNKNOWN_STOCK)
    return code


def search(sources: Sequence[StatementSource], symbol: str, kind: StatementKind, deadline: Deadline) -> Search:
    """Ask the sources, the preferred first, until one has statements. Never called inside a transaction."""
    outcomes: dict[str, str] = {}
    failure: SourceError | None = None
    ordered = sorted(sources, key=lambda source: _rank(source.slug))
    for number, source in enumerate(ordered, 1):
        share = 1.0 if number == len(ordered) else SHARE_OF_TIME
        try:
            statements = source.statements(symbol, kind, Deadline(deadline.remaining() * share))
        except SymbolUnknown as unknown:
            outcomes[source.slug] = type(unknown).__name__
        except SourceError as error:
            outcomes[source.slug] = type(error).__name__
            failure = failure or error
        else:
            outcomes[source.slug] = "ok"
            return Search(symbol, kind, statements, outcomes, failure)
    return Search(symbol, kind, None, outcomes, failure)


def _rank(slug: str) -> int:
    return PREFERRED.index(slug) if slug in PREFERRED else len(PREFERRED)


def store(session: Session, found: Search, now: datetime | None = None) -> bool:
    """Keep what was found, in `Database.begin(FUNDAMENTALS)`; whether other statements are kept than before.

    Good statements are never replaced by none, nor by older ones, nor by those of a source that is believed
    less unless they have a newer year; then it is only noted that somebody has looked. Nothing is noted when
    a source failed: what another gave in its place is kept until the next look, which is due at once.
    """
    if found.has_failed:
        return False
    now = now or utc_now()
    row = session.get(FundamentalsCache, (found.symbol, found.kind), populate_existing=True)
    kept: dict[str, Any] = {"sections": empty_sections(), "source": None} if row is None else {**row.payload}
    fetched_at = now if row is None or not any(kept["sections"].values()) else row.fetched_at
    before = kept["sections"]
    if found.statements is not None:
        offered = {
            "sections": usable_sections(found.statements.sections),
            "source": found.statements.source,
            "slug": next((slug for slug, outcome in found.outcomes.items() if outcome == "ok"), ""),
        }
        if _is_better(offered, kept):
            kept, fetched_at = offered, found.statements.fetched_at
        elif found.is_stand_in:
            return False
    kept |= {"checked_at": now.isoformat(), STAND_IN: found.is_stand_in}
    upsert(
        session,
        FundamentalsCache,
        [{"symbol": found.symbol, "type": found.kind, "payload": kept, "fetched_at": fetched_at}],
    )
    return bool(kept["sections"] != before)


def _is_better(offered: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    if not any(offered["sections"].values()):
        return False
    if not any(kept["sections"].values()):
        return True
    new, old = newest_period(offered["sections"]), newest_period(kept["sections"])
    if new != old:
        return new > old
    if offered["slug"] == kept.get("slug"):
        # Fewer years of the same source are a page of its that was not there.
        return count_periods(offered["sections"]) >= count_periods(kept["sections"])
    return _rank(offered["slug"]) < _rank(kept.get("slug", ""))


def _checked_at(row: FundamentalsCache) -> datetime:
    try:
        return datetime.fromisoformat(str(row.payload["checked_at"]))
    except (KeyError, ValueError):
        return row.fetched_at


def sync_one(
    database: Database, sources: Sequence[StatementSource], symbol: str, kind: StatementKind, deadline: Deadline
) -> Search:
    """Look for one kind of statements of a symbol and keep them."""
    found = search(sources, symbol, kind, deadline)
    with database.begin(FUNDAMENTALS) as session:
        store(session, found)
    return found
