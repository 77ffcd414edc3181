"""Where a stock's figures come from: source, moment and unit of each field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NotRequired, TypedDict

from sqlalchemy import select
from sqlalchemy.orm import Session

from klyx.database.models import StockFieldProvenance
from klyx.database.upsert import upsert
from klyx.services.stocks.fields import FIELDS
from klyx.services.stocks.union import StockObject

CALCULATED = "Klyx"
MAX_SOURCE_CHARACTERS = 50
# They tell about our row and not about the company.
_BOOKKEEPING = frozenset({"id", "data_sources", "last_updated", "created_at"})
_FIELDS = tuple(field for field in FIELDS if field.name not in _BOOKKEEPING)
_NAMES = frozenset(field.name for field in _FIELDS)


class Provenance(TypedDict):
    """Source and moment of a field's present value; both are None when nobody recorded them.

    A value that is calculated when it is read has the source "Klyx", names the fields it is calculated
    from, and is as old as the oldest of them. `unit` is None for what has no unit.
    """

    source: str | None
    obtained_at: datetime | None
    unit: str | None
    derived_from: NotRequired[list[str]]


def record_provenance(
    session: Session, fields: Mapping[int, Iterable[str]], source: str, obtained_at: datetime
) -> None:
    """Tell that `source` gave these fields of these stocks (by id) their present values.

    Whoever writes figures calls it in the same transaction, once for all stocks; what was recorded before is
    replaced. Raises ValueError for a name that is no field, and for a source that is blank or too long.
    """
    if not 1 <= len(source.strip()) <= MAX_SOURCE_CHARACTERS:
        raise ValueError(f"a source has 1 to {MAX_SOURCE_CHARACTERS} characters, not {source!r}")
    rows = [
        {"stock_id": stock_id, "field": name, "source": source, "obtained_at": obtained_at}
        for stock_id, names in fields.items()
        for name in dict.fromkeys(names)
    ]
    unknown = sorted({str(row["field"]) for row in rows} - _NAMES)
    if unknown:
        raise ValueError(f"no fields of a stock: {', '.join(unknown)}")
    upsert(session, StockFieldProvenance, rows)


def provenance_of(session: Session, stock: StockObject) -> dict[str, Provenance]:
    """The provenance of every field whose value is known, by column name, in the order of the fields."""
    columns = (StockFieldProvenance.field, StockFieldProvenance.source, StockFieldProvenance.obtained_at)
    rows = session.execute(select(*columns).where(StockFieldProvenance.stock_id == stock["id"]))
    recorded = {name: (source, obtained_at) for name, source, obtained_at in rows}
    found: dict[str, Provenance] = {}
    for field in _FIELDS:
        if stock[field.name] is None:
            continue
        inputs = _inputs(field.name, stock, recorded)
        source, obtained_at = recorded.get(field.name, (None, None)) if not inputs else _oldest(inputs, recorded)
        found[field.name] = {"source": source, "obtained_at": obtained_at, "unit": field.unit or None}
        if inputs:
            found[field.name]["derived_from"] = inputs
    return found


def _inputs(name: str, stock: StockObject, recorded: Collection[str]) -> list[str]:
    """The fields from which a value is calculated when it is read."""
    if name == "upside_12m_pct":
        return ["target_price", "current_price"]
    if name == "institutional_holding_pct" and name not in recorded:
        inputs = ["fii_holding_pct", "dii_holding_pct"]
        return inputs if all(stock[known] is not None for known in inputs) else []
    if name in ("tech_rsi", "tech_macd") and name not in recorded:
        return [name.removeprefix("tech_")]
    if name == "recommendation_text" and stock["recommendation_key"] is not None:
        return ["recommendation_key"]
    return []


def _oldest(inputs: Iterable[str], recorded: Mapping[str, tuple[str, datetime]]) -> tuple[str, datetime | None]:
    moments = [recorded[name][1] if name in recorded else None for name in inputs]
    known = [moment for moment in moments if moment is not None]
    return CALCULATED, min(known) if len(known) == len(moments) else None
