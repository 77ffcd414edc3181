"""The list of stocks: the exchange's equities with their sectors, taken up without losing what is known better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from klyx.database.models import Stock, StockFieldProvenance, StockMetadata
from klyx.database.types import utc_now
from klyx.database.upsert import upsert
from klyx.database.versions import STOCKS, mark_changed
from klyx.services import portfolio
from klyx.services.jobs import ProgressReporter
from klyx.services.market_data.trust import Origin, is_better
from klyx.services.market_data.vocabulary import Kind
from klyx.services.market_runs.kinds import Outcome, WholeWork, WorkContext
from klyx.services.stock_list import Given, ListedStock, ListedStocks, Value, fetch_list

_BESIDE = ("listing_date", "website")
_FIELDS = ("stock_name", "isin", "sector_name", "industry_name", *_BESIDE)


@dataclass(slots=True)
class Plan:
    """What taking up a list would change. `changes`: stock id -> field -> value; `renamed`: id -> (old, new) symbol."""

    new: list[ListedStock] = field(default_factory=list)
    changes: dict[int, dict[str, Given]] = field(default_factory=dict)
    renamed: dict[int, tuple[str, str]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        return len(self.changes.keys() | self.renamed.keys())


@dataclass(slots=True)
class _Known:
    id: int
    symbol: str
    values: dict[str, Value | None]
    origins: dict[str, Origin] = field(default_factory=dict)


def plan(session: Session, listed: Sequence[ListedStock], now: datetime) -> Plan:
    """Compare the list with the stocks that are there. A stock whose ISIN is listed under a new symbol was renamed."""
    known = _read(session)
    by_symbol = {stock.symbol: stock for stock in known}
    symbols = {stock.symbol for stock in listed}
    # Whose own symbol is still listed was not renamed, whatever ISIN is on record.
    by_isin = {stock.values["isin"]: stock for stock in known if stock.values["isin"] and stock.symbol not in symbols}
    found = Plan()
    for stock in listed:
        isin = stock.fields.get("isin")
        present = by_symbol.get(stock.symbol)
        if present is None and isin is not None and (present := by_isin.pop(isin.value, None)) is not None:
            found.renamed[present.id] = (present.symbol, stock.symbol)
        if present is None:
            found.new.append(stock)
            continue
        is_renamed = present.id in found.renamed
        better = {name: _is_better(name, given, present, is_renamed, now) for name, given in stock.fields.items()}
        changes = {name: given for name, given in stock.fields.items() if better[name]}
        if changes:
            found.changes[present.id] = changes
        if "stock_name" in changes:
            found.names[present.id] = str(present.values["stock_name"])
    return found


def _read(session: Session) -> list[_Known]:
    columns = [Stock.__table__.c[name] for name in _FIELDS if name not in _BESIDE]
    beside = [StockMetadata.__table__.c[name] for name in _BESIDE]
    rows = session.execute(
        select(Stock.id, Stock.nse_code, *columns, *beside)
        .outerjoin(StockMetadata, StockMetadata.stock_id == Stock.id)
        .where(Stock.nse_code.is_not(None))
    )
    known = {row[0]: _Known(row[0], row[1], dict(zip(_FIELDS, row[2:], strict=True))) for row in rows}
    origin = StockFieldProvenance
    origins = select(origin.stock_id, origin.field, origin.source, origin.obtained_at).where(origin.field.in_(_FIELDS))
    for stock_id, name, source, obtained_at in session.execute(origins):
        if stock_id in known:
            known[stock_id].origins[name] = Origin(source, obtained_at)
    return list(known.values())


def _is_better(name: str, given: Given, present: _Known, is_renamed: bool, now: datetime) -> bool:
    value, origin = present.values[name], present.origins.get(name, Origin(None, None))
    if value == given.value:
        return False
    if value is None or value == "":
        return True
    if name == "stock_name":
        # People hold a stock by its name. It changes when the exchange changes a name that came from there, or
        # the symbol with it; and a symbol is no name.
        return is_renamed or origin.source == given.source or str(value).upper() == present.symbol
    return is_better(Origin(given.source, now), origin, name, Kind.IDENTITY)


def apply(session: Session, found: Plan, now: datetime) -> None:
    """Make the changes; call it in `Database.begin(STOCKS)` with the plan made in the same transaction."""
    origins: list[dict[str, Any]] = []
    beside: dict[int, dict[str, Any]] = {}

    def note(stock_id: int, fields: Mapping[str, Given]) -> None:
        for name, given in fields.items():
            origins.append({"stock_id": stock_id, "field": name, "source": given.source, "obtained_at": now})
            if name in _BESIDE:
                beside.setdefault(stock_id, {})[name] = given.value

    for stock_id, (_, symbol) in found.renamed.items():
        session.execute(update(Stock).where(Stock.id == stock_id).values(nse_code=symbol))
    rows = [{"id": stock_id, **_own(changes)} for stock_id, changes in found.changes.items() if _own(changes)]
    if rows:
        session.execute(update(Stock), rows)
    for stock_id, changes in found.changes.items():
        note(stock_id, changes)
    for stock_id, fields in zip(_insert(session, found.new), (stock.fields for stock in found.new), strict=True):
        note(stock_id, fields)
    _write_beside(session, beside)
    upsert(session, StockFieldProvenance, origins)
    for old, new in _renamings(found):
        portfolio.rename_holdings(session, old, new)


def _own(fields: Mapping[str, Given]) -> dict[str, Value]:
    return {name: given.value for name, given in fields.items() if name not in _BESIDE}


def _insert(session: Session, stocks: Sequence[ListedStock]) -> list[int]:
    """New rows without a figure: nothing is known of them, and `last_updated` says so. Their ids, in order."""
    empty = dict.fromkeys(name for name in _FIELDS if name not in _BESIDE)
    rows = [
        {**empty, **_own(stock.fields), "nse_code": stock.symbol, "data_quality_score": 0, "last_updated": None}
        for stock in stocks
    ]
    if not rows:
        return []
    # The table: an insert of the model would take None of `last_updated` for "not given".
    table = cast("Table", Stock.__table__)
    mark_changed(session, STOCKS)
    return list(session.scalars(insert(table).returning(table.c.id, sort_by_parameter_order=True), rows))


def _write_beside(session: Session, beside: Mapping[int, Mapping[str, Any]]) -> None:
    if not beside:
        return
    keys = _keys_of_facts(session)
    # All with the same columns, or each stock would be a statement of its own.
    unknown = dict.fromkeys(_BESIDE)
    missing = [{**unknown, **values, "stock_id": key} for key, values in beside.items() if key not in keys]
    if missing:
        session.execute(insert(StockMetadata), missing)
    present = [{"id": keys[stock_id], **values} for stock_id, values in beside.items() if stock_id in keys]
    if present:
        session.execute(update(StockMetadata), present)


def _keys_of_facts(session: Session) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(select(StockMetadata.stock_id, StockMetadata.id))}


def _renamings(found: Plan) -> Iterable[tuple[str, str]]:
    """What people may hold a stock by, and what it is called now: names, and symbols in place of names."""
    for stock_id, old in found.names.items():
        yield old, str(found.changes[stock_id]["stock_name"].value)
    yield from found.renamed.values()


def run(context: WorkContext, progress: ProgressReporter) -> Outcome:
    """Fetch the list and take it up, all of it in one transaction. Raises NothingFetched."""
    progress.report(0, 2, "Asking for the list of stocks.")
    listed = fetch_list(context.sources)
    progress.report(1, 2, f"Comparing {len(listed.stocks):,} stocks with those we have.")
    now = utc_now()
    with context.database.read() as session:
        found = plan(session, listed.stocks, now)
    if found.new or found.changed:
        with context.database.begin(STOCKS) as session:
            found = plan(session, listed.stocks, now)
            apply(session, found, now)
    return _outcome(found, listed)


def preview(context: WorkContext) -> Outcome:
    listed = fetch_list(context.sources)
    with context.database.read() as session:
        return _outcome(plan(session, listed.stocks, utc_now()), listed)


def _outcome(found: Plan, listed: ListedStocks) -> Outcome:
    inserted, updated = len(found.new), found.changed
    details = {
        "inserted": inserted,
        "updated": updated,
        "unchanged": len(listed.stocks) - inserted - updated,
        "renamed": [{"from": old, "to": new} for old, new in list(found.renamed.values())[:50]],
    }
    total = len(listed.stocks) + listed.unusable
    return Outcome(inserted + updated, listed.unusable, total, details, listed.failures)


WORK = WholeWork(run, preview)
