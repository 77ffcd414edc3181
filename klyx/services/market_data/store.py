"""Writing figures into `stocks`, `stock_metadata` and their provenance: only what is better than what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.orm import Session

from klyx.database.models import Stock, StockFieldProvenance, StockMetadata
from klyx.database.starter import SAMPLE_SOURCE
from klyx.database.types import Figure
from klyx.database.upsert import insert_if_absent, upsert
from klyx.services.analysis.quality import SOURCE_REQUIRED_FIELDS, score_fields
from klyx.services.market_data.columns import ColumnValue, StoredValue
from klyx.services.market_data.losses import COLUMNS as ABOUT_LOSSES
from klyx.services.market_data.losses import denied_by_a_loss
from klyx.services.market_data.trust import CALCULATED_FROM, Origin, is_better, rank
from klyx.services.market_data.vocabulary import NUMBERS, Kind, kind_of
from klyx.services.stocks.fields import column_of
from klyx.services.stocks.provenance import CALCULATED

STOCKS_AT_ONCE = 200

_QUALITY_COLUMNS = {name: str(NUMBERS[name].column) for name in SOURCE_REQUIRED_FIELDS}
_STOCK_COLUMNS = frozenset(Stock.__table__.columns.keys())


@dataclass(slots=True)
class _Stored:
    """One stock as it is in the database."""

    values: Mapping[str, Any]
    origins: dict[str, Origin] = field(default_factory=dict)


@dataclass(slots=True)
class _Accepted:
    """What is better than what one stock has, and what goes; `changed` are the values that differ for either reason."""

    better: dict[str, ColumnValue] = field(default_factory=dict)
    cleared: set[str] = field(default_factory=set)
    changed: dict[str, StoredValue | None] = field(default_factory=dict)


def store(session: Session, figures: Mapping[int, Mapping[str, ColumnValue]]) -> int:
    """Write the better ones of `figures` (stock id -> column -> value); returns how many stocks changed by it.

    Call it in `Database.begin(STOCKS)`. Which value is better, klyx.services.market_data.trust says; what
    a loss denies (klyx.services.market_data.losses) is cleared. The same
    transaction writes each value's provenance, and the stock's quality score, sources and moment of its youngest
    figure. The rows are locked, so two writers of one stock come one after the other. A stock that does not exist
    (any more) is left out.
    """
    ids = sorted(figures)
    batches = (ids[start : start + STOCKS_AT_ONCE] for start in range(0, len(ids), STOCKS_AT_ONCE))
    return sum(_store_batch(session, {stock_id: figures[stock_id] for stock_id in batch}) for batch in batches)


def _store_batch(session: Session, figures: Mapping[int, Mapping[str, ColumnValue]]) -> int:
    columns = {column for values in figures.values() for column in values}
    columns |= {*_QUALITY_COLUMNS.values(), *ABOUT_LOSSES}
    stored = _read(session, list(figures), sorted(columns))
    accepted = {stock_id: _accept(figures[stock_id], stock) for stock_id, stock in stored.items()}
    accepted = {stock_id: found for stock_id, found in accepted.items() if found.better or found.cleared}
    _write(session, accepted, stored)
    _write_provenance(session, accepted)
    return sum(bool(found.changed) for found in accepted.values())


def _read(session: Session, ids: Sequence[int], columns: Sequence[str]) -> dict[int, _Stored]:
    # In the order of the ids, so that two writers never wait for each other.
    locked = select(Stock.id).where(Stock.id.in_(ids)).order_by(Stock.id).with_for_update()
    present = session.scalars(locked).all()
    expressions = [column_of(name).label(name) for name in columns]
    query = (
        select(Stock.id.label("id"), Stock.data_sources, Stock.data_quality_score, Stock.last_updated, *expressions)
        .outerjoin(StockMetadata, StockMetadata.stock_id == Stock.id)
        .where(Stock.id.in_(present))
    )
    stored = {int(row["id"]): _Stored(dict(row)) for row in session.execute(query).mappings()}
    origin = StockFieldProvenance
    origins = select(origin.stock_id, origin.field, origin.source, origin.obtained_at)
    for stock_id, name, source, obtained_at in session.execute(origins.where(origin.stock_id.in_(present))):
        stored[stock_id].origins[name] = Origin(source, obtained_at)
    return stored


def _accept(values: Mapping[str, ColumnValue], stored: _Stored) -> _Accepted:
    accepted = _Accepted()
    # What is calculated comes last, when it is known which of its parts are stored.
    for column in sorted(values, key=lambda name: values[name].source == CALCULATED):
        value = values[column]
        new, present = _rounded(column, value.value), stored.values[column]
        if present is not None and not _takes_the_place(column, value, values, accepted, stored):
            continue
        accepted.better[column] = value
        if new != present:
            accepted.changed[column] = new
    _clear(accepted, stored)
    return accepted


def _clear(accepted: _Accepted, stored: _Stored) -> None:
    row = {**stored.values, **accepted.changed}
    new = {column: Origin(value.source, value.obtained_at) for column, value in accepted.better.items()}
    for column in denied_by_a_loss(row, {**stored.origins, **new}):
        accepted.better.pop(column, None)
        accepted.changed.pop(column, None)
        if stored.values[column] is not None:
            accepted.cleared.add(column)
            accepted.changed[column] = None


def _takes_the_place(
    column: str, value: ColumnValue, values: Mapping[str, ColumnValue], accepted: _Accepted, stored: _Stored
) -> bool:
    if value.source == CALCULATED and column in CALCULATED_FROM:
        given = [part for part in CALCULATED_FROM[column] if part in values]
        return all(
            part in accepted.better or _rounded(part, values[part].value) == stored.values[part] for part in given
        )
    present = stored.origins.get(column, Origin(None, None))
    return is_better(Origin(value.source, value.obtained_at), present, column, kind_of(column))


def _rounded(column: str, value: StoredValue) -> StoredValue:
    """The value as the column will hold it, so that it can be compared with what is there."""
    kind = column_of(column).type
    return round(float(value), kind.scale) if isinstance(kind, Figure) and isinstance(value, (int, float)) else value


def _write(session: Session, accepted: Mapping[int, _Accepted], stored: Mapping[int, _Stored]) -> None:
    stocks: list[dict[str, Any]] = []
    facts: dict[int, dict[str, Any]] = {}
    for stock_id, found in accepted.items():
        present = stored[stock_id]
        values = {name: value for name, value in found.changed.items() if name in _STOCK_COLUMNS}
        about = _about(found, present)
        values |= {name: value for name, value in about.items() if value != present.values[name]}
        if values:
            stocks.append({"id": stock_id, **values})
        beside = {name: value for name, value in found.changed.items() if name not in _STOCK_COLUMNS}
        if beside:
            facts[stock_id] = beside
    if stocks:
        session.execute(update(Stock), stocks)
    if facts:
        insert_if_absent(session, StockMetadata, [{"stock_id": stock_id} for stock_id in facts])
        keys = select(StockMetadata.id, StockMetadata.stock_id).where(StockMetadata.stock_id.in_(facts))
        session.execute(
            update(StockMetadata), [{"id": key, **facts[stock_id]} for key, stock_id in session.execute(keys)]
        )


def _about(found: _Accepted, present: _Stored) -> dict[str, Any]:
    """What the row tells about itself once the accepted values are in it."""
    row = {**present.values, **found.changed}
    last_updated: datetime | None = present.values["last_updated"]
    moments = [value.obtained_at for value in found.better.values()] + ([last_updated] if last_updated else [])
    return {
        "data_quality_score": score_fields({name: row[column] for name, column in _QUALITY_COLUMNS.items()}),
        "data_sources": ", ".join(_sources(found, present)) or None,
        "last_updated": max(moments, default=None),
    }


def _sources(found: _Accepted, present: _Stored) -> list[str]:
    """Who gave the figures that the stock has now, the most trusted first. Its name is no figure."""
    kept = {
        str(origin.source)
        for name, origin in present.origins.items()
        if name not in found.better and name not in found.cleared and kind_of(name) is not Kind.IDENTITY
    }
    named = (kept | {value.source for value in found.better.values()}) - {CALCULATED}
    return sorted(named, key=lambda source: (source == SAMPLE_SOURCE, rank(source, ""), source))


def _write_provenance(session: Session, accepted: Mapping[int, _Accepted]) -> None:
    origin = StockFieldProvenance
    gone = [(stock_id, column) for stock_id, found in accepted.items() for column in sorted(found.cleared)]
    if gone:
        session.execute(delete(origin).where(tuple_(origin.stock_id, origin.field).in_(gone)))
    upsert(
        session,
        origin,
        [
            {
                "stock_id": stock_id,
                "field": column,
                "source": value.source,
                "obtained_at": value.obtained_at,
                "statement_kind": value.statement_kind,
            }
            for stock_id, found in accepted.items()
            for column, value in found.better.items()
        ],
    )
