"""From raw fields to columns of `stocks` and `stock_metadata`: units, and what follows from several figures."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from klyx.database.types import Figure
from klyx.services.analysis.numbers import plain_number
from klyx.services.analysis.ratios import divide, return_on_capital_employed
from klyx.services.market_data.merge import Merged, MergedField
from klyx.services.market_data.trust import CALCULATED_FROM
from klyx.services.market_data.vocabulary import NUMBERS, TEXTS
from klyx.services.stocks.fields import column_of
from klyx.services.stocks.provenance import CALCULATED
from klyx.sources.base import SourceRecord, StatementKind

logger = logging.getLogger(__name__)

StoredValue = str | int | float | date


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """A known value in its column's unit, and where it comes from."""

    value: StoredValue
    source: str
    obtained_at: datetime
    statement_kind: StatementKind | None = None


def stock_columns(merged: Merged) -> dict[str, ColumnValue]:
    """Column -> value, rupees and percent points, only for what is known.

    What is calculated takes all its figures from one source's record, and its source is "Klyx": annual and
    quarterly, standalone and consolidated figures do not meet in one ratio. Of margins and returns, what a source
    states itself comes first.
    """
    columns: dict[str, ColumnValue] = {}
    for name, merged_field in merged.fields.items():
        definition = NUMBERS.get(name) or TEXTS.get(name)
        if definition is not None and definition.column is not None:
            _put(columns, definition.column, _stored(name, merged_field), merged_field)
    for column, value, origin in _calculated(merged):
        if column in CALCULATED_FROM and (column not in columns or column in _CALCULATED_FIRST):
            _put(columns, column, value, origin)
    return columns


_CALCULATED_FIRST = frozenset({"current_ratio", "institutional_holding_pct"})


def _stored(name: str, merged_field: MergedField) -> StoredValue | None:
    definition = NUMBERS.get(name)
    value = merged_field.value
    if definition is None or isinstance(value, str):
        return value
    if definition.is_fraction:
        return _percent(value)
    return int(value) if definition.is_whole else value


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else plain_number(round(fraction * 100.0, 6))


def _put(
    columns: dict[str, ColumnValue], column: str, value: StoredValue | None, origin: MergedField
) -> None:
    kind = column_of(column).type
    if value is None:
        return
    if isinstance(kind, Figure) and (isinstance(value, (str, date)) or not kind.accepts(value)):
        logger.warning("A figure does not fit its column", extra={"column": column, "source": origin.source})
        return
    columns[column] = ColumnValue(value, origin.source, origin.fetched_at, origin.statement_kind)


def _calculated(merged: Merged) -> list[tuple[str, float | None, MergedField]]:
    """(column, value, origin) of everything that follows from the figures of one source."""
    found: list[tuple[str, float | None, MergedField]] = []
    for column, parts in _FORMULAS.items():
        record = _first_with(merged, parts)
        if record is not None:
            numbers = {name: float(record.fields[name]) for name in parts}
            value = _calculate(column, numbers)
            is_stated = column not in ("day_change_pct", "institutional_holding_pct")
            kind = record.statement_kind if is_stated else None
            found.append((column, value, MergedField(0.0, CALCULATED, record.fetched_at, kind)))
    return found


_FORMULAS: Mapping[str, tuple[str, ...]] = {
    "day_change_pct": ("currentPrice", "_previous_close"),
    "debt_to_equity": ("total_debt", "stockholders_equity"),
    "current_ratio": ("current_assets", "current_liabilities"),
    "institutional_holding_pct": ("fii_holding", "dii_holding"),
    "net_profit_margin_pct": ("net_income", "revenue"),
    "operating_margin_pct": ("operating_income", "revenue"),
    "roe_annual_pct": ("net_income", "stockholders_equity"),
    "roa_annual_pct": ("net_income", "total_assets"),
    "roce_annual_pct": ("operating_income", "total_assets", "current_liabilities"),
}
"""What each calculated column is made of, in raw fields."""


def _first_with(merged: Merged, parts: tuple[str, ...]) -> SourceRecord | None:
    """The source whose figures these are in `merged`; a record that lost one of them would not fit the columns."""
    for record in merged.records:
        if all(name in record.fields and _is_chosen(merged, name, record) for name in parts):
            return record
    return None


def _is_chosen(merged: Merged, name: str, record: SourceRecord) -> bool:
    chosen = merged.fields.get(name)
    definition = NUMBERS[name]
    # What is not stored may come from any record: only one of them can have the other parts.
    return definition.column is None or (chosen is not None and chosen.source == record.source)


def _calculate(column: str, parts: Mapping[str, float]) -> float | None:
    if column == "institutional_holding_pct":
        return _percent(parts["fii_holding"] + parts["dii_holding"])
    if column == "roce_annual_pct":
        return _percent(
            return_on_capital_employed(parts["operating_income"], parts["total_assets"], parts["current_liabilities"])
        )
    numerator, denominator = parts.values()
    if denominator <= 0:
        return None
    if column == "day_change_pct":
        return _percent(divide(numerator - denominator, denominator))
    quotient = divide(numerator, denominator)
    if column in ("debt_to_equity", "current_ratio"):
        return None if quotient is None else plain_number(round(quotient, 6))
    return _percent(quotient)
