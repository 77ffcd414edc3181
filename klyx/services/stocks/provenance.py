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
_SCORED_FROM: Mapping[str, tuple[str, ...]] = {
    "rel_strength_score": ("year_1_change_pct",),
    "momentum_score": ("rel_strength_score", "current_price", "week_52_high", "week_52_low"),
    "durability_score": (
        "roa_annual_pct",
        "operating_margin_pct",
        "debt_to_equity",
        "current_ratio",
        "net_profit_margin_pct",
        "eps_growth_pct",
        "promoter_holding_pct",
        "roe_annual_pct",
    ),
    "valuation_score": ("pe_ttm", "peg_ratio", "pb_ratio", "dividend_yield_pct"),
    "earnings_yield_pct": ("pe_ttm",),
    "peg_ratio": ("pe_ttm", "eps_growth_pct", "profit_growth_yoy_pct"),
    "roce_annual_pct": (
        "revenue_annual",
        "operating_margin_pct",
        "total_assets",
        "current_liabilities",
        "roe_annual_pct",
    ),
}
"""What klyx.services.market_data.scores works out and records no provenance of."""


class Provenance(TypedDict):
    """Source and moment of a field's present value; both are None when nobody recorded them.

    A value that is calculated when it is read has the source "Klyx", names the fields it is calculated
    from, and is as old as the oldest of them. `unit` is None for what has no unit. `statement_kind` (standalone or
    consolidated) is there when the value comes from such a statement.
    """

    source: str | None
    obtained_at: datetime | None
    unit: str | None
    derived_from: NotRequired[list[str]]
    statement_kind: NotRequired[str]


def record_provenance(
    session: Session, fields: Mapping[int, Iterable[str]], source: str, obtained_at: datetime
) -> None:
    """Tell that `source` gave these fields of these stocks (by id) their present values, from no statement.

    Whoever writes figures calls it in the same transaction, once for all stocks; what was recorded before is
    replaced. Raises ValueError for a name that is no field, and for a source that is blank or too long.
    """
    if not 1 <= len(source.strip()) <= MAX_SOURCE_CHARACTERS:
        raise ValueError(f"a source has 1 to {MAX_SOURCE_CHARACTERS} characters, not {source!r}")
    rows = [
        {"stock_id": stock_id, "field": name, "source": source, "obtained_at": obtained_at, "statement_kind": None}
        for stock_id, names in fields.items()
        for name in dict.fromkeys(names)
    ]
    unknown = sorted({str(row["field"]) for row in rows} - _NAMES)
    if unknown:
        raise ValueError(f"no fields of a stock: {', '.join(unknown)}")
    upsert(session, StockFieldProvenance, rows)


def provenance_of(session: Session, stock: StockObject) -> dict[str, Provenance]:
    """The provenance of every field whose value is known, by column name, in the order of the fields."""
    origin = StockFieldProvenance
    columns = (origin.field, origin.source, origin.obtained_at, origin.statement_kind)
    rows = session.execute(select(*columns).where(origin.stock_id == stock["id"])).all()
    recorded = {name: (source, obtained_at) for name, source, obtained_at, _ in rows}
    statement_kinds = {name: kind for name, _, _, kind in rows if kind is not None}
    found: dict[str, Provenance] = {}
    for field in _FIELDS:
        if stock[field.name] is None:
            continue
        inputs = _inputs(field.name, stock, recorded)
        source, obtained_at = recorded.get(field.name, (None, None)) if not inputs else _oldest(inputs, recorded)
        found[field.name] = {"source": source, "obtained_at": obtained_at, "unit": field.unit or None}
        if inputs:
            found[field.name]["derived_from"] = inputs
        elif field.name in statement_kinds:
            found[field.name]["statement_kind"] = statement_kinds[field.name]
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
    if name in _SCORED_FROM and name not in recorded:
        return _known_inputs(name, stock, recorded)
    return []


def _known_inputs(name: str, stock: StockObject, recorded: Collection[str]) -> list[str]:
    """The known figures behind a score; in place of another score those behind that one."""
    inputs: dict[str, None] = {}
    for part in _SCORED_FROM[name]:
        is_score = part in _SCORED_FROM and part not in recorded
        parts = _known_inputs(part, stock, recorded) if is_score else [part]
        inputs.update(dict.fromkeys(parts if stock[part] is not None else ()))
    return list(inputs)


def _oldest(inputs: Iterable[str], recorded: Mapping[str, tuple[str, datetime]]) -> tuple[str, datetime | None]:
    moments = [recorded[name][1] if name in recorded else None for name in inputs]
    known = [moment for moment in moments if moment is not None]
    return CALCULATED, min(known) if len(known) == len(moments) else None
