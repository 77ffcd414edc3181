"""Figures about the fields themselves, over the stocks that screens look through."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from klyx.errors import NotFound
from klyx.services.screener.fields import SCREEN_FIELDS, ScreenField
from klyx.services.screener.sql import passes_floor, stocks_with_metadata

# What is left of a mean after this many digits differs with the order in which an engine adds.
_SIGNIFICANT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class FieldStatistics:
    """`count` known values; the rest is null when there is none."""

    field: str
    count: int
    min: float | None
    max: float | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class FieldDistribution:
    """`std` is the standard deviation of a sample (n - 1), null for a single value."""

    field: str
    count: int
    min: float
    max: float
    mean: float
    median: float
    std: float | None


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """`null_count` stocks lack the field. There are no statistics of texts."""

    field: ScreenField
    null_count: int
    statistics: FieldStatistics | None


def field_summaries(session: Session) -> list[FieldSummary]:
    """Every field, by category, with its figures: one statement for all of them."""
    values = iter(session.connection().execute(_summary_statement()).one())
    total: int = next(values)
    summaries = []
    for field in SCREEN_FIELDS:
        count = next(values)
        figures = None
        if field.is_number:
            figures = FieldStatistics(field.name, count, next(values), next(values), _significant(next(values)))
        summaries.append(FieldSummary(field, total - count, figures))
    return summaries


def field_distribution(session: Session, field: ScreenField) -> FieldDistribution:
    """The figures of one field. Raises NotFound when it holds no numbers or no stock has it."""
    if not field.is_number:
        raise NotFound(f"{field.name} holds no numbers. Please choose a field with figures.")
    statement = (
        select(_plain(field.expression))
        .select_from(stocks_with_metadata())
        .where(passes_floor(), field.expression.is_not(None))
        .order_by(field.expression)
    )
    # Neither median nor deviation exists on SQLite; from the values themselves both engines give the same.
    values: list[float] = list(session.connection().scalars(statement))
    if not values:
        raise NotFound(f"There are no figures for {field.name} yet.")
    mean = math.fsum(values) / len(values)
    deviation = None
    if len(values) > 1:
        deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return FieldDistribution(
        field.name,
        len(values),
        values[0],
        values[-1],
        float(f"{mean:.{_SIGNIFICANT_DIGITS}g}"),
        statistics.median(values),
        _significant(deviation),
    )


@cache
def _summary_statement() -> Select[Any]:
    figures: list[ColumnElement[Any]] = [func.count()]
    for field in SCREEN_FIELDS:
        value = field.expression
        figures.append(func.count(value))
        if field.is_number:
            figures.extend(_plain(figure(value)) for figure in (func.min, func.max, func.avg))
    return select(*figures).select_from(stocks_with_metadata()).where(passes_floor())


def _plain(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Without a type, a driver's number is taken as it is."""
    return type_coerce(value, NullType())


def _significant(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.{_SIGNIFICANT_DIGITS}g}")
