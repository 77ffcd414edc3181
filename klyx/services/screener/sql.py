"""From a screen to SQL expressions. Values are always bound; columns come from the table of fields."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Double,
    FromClause,
    String,
    Table,
    UnaryExpression,
    and_,
    false,
    literal,
    or_,
    select,
)
from sqlalchemy import cast as sql_cast

from klyx.database.models import Stock, StockMetadata
from klyx.services.screener.conditions import Condition, Group, Logic
from klyx.services.screener.fields import ScreenField
from klyx.services.screener.operators import Operator
from klyx.services.screener.portable import bytewise
from klyx.services.stocks.expressions import LIKE_ESCAPE, escaped_for_like

QUALITY_FLOOR = 30
STOCKS = cast("Table", Stock.__table__)
METADATA = cast("Table", StockMetadata.__table__)
_COMPARISONS: dict[Operator, Callable[[Any, Any], ColumnElement[bool]]] = {
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.GT_FIELD: operator.gt,
    Operator.LT_FIELD: operator.lt,
    Operator.GT_FIELD_FACTOR: operator.gt,
    Operator.LT_FIELD_FACTOR: operator.lt,
}


@cache
def stocks_with_metadata() -> FromClause:
    # One for all statements: each join makes 100 columns of its own, and the statements are kept.
    return STOCKS.outerjoin(METADATA, METADATA.c.stock_id == STOCKS.c.id)


def passes_floor() -> ColumnElement[bool]:
    """An unknown score counts as 0."""
    return STOCKS.c.data_quality_score >= QUALITY_FLOOR


def compile_group(group: Group) -> ColumnElement[bool]:
    """Whether a stock of stocks_with_metadata meets the group."""
    members = [
        compile_group(member) if isinstance(member, Group) else compile_condition(member) for member in group.members
    ]
    # A group of one is its member; of more, SQLAlchemy sets the parentheses.
    return and_(*members) if group.logic is Logic.ALL else or_(*members)


def compile_condition(condition: Condition) -> ColumnElement[bool]:
    """Null, and thereby no match, where the field is unknown."""
    field, value = condition.field, cast("Any", condition.value)
    column = field.expression
    match condition.operator:
        case Operator.BETWEEN:
            return column.between(_bound(field, value[0]), _bound(field, value[1]))
        case Operator.IN:
            return column.in_([_bound(field, item) for item in value]) if value else false()
        case Operator.NOT_IN:
            return column.not_in([_bound(field, item) for item in value]) if value else column.is_not(None)
        case Operator.CONTAINS:
            return column.ilike(f"%{escaped_for_like(value)}%", escape=LIKE_ESCAPE)
        case Operator.TOP | Operator.BOTTOM:
            return _ranked(field, value, descending=condition.operator is Operator.TOP)
        case Operator.GT_FIELD | Operator.LT_FIELD:
            return _COMPARISONS[condition.operator](column, value.expression)
        case Operator.GT_FIELD_FACTOR | Operator.LT_FIELD_FACTOR:
            other, factor = value
            # Binary numbers on both engines: decimal products would decide ties differently.
            product: ColumnElement[float] = sql_cast(other.expression, Double()) * literal(factor, Double())
            return _COMPARISONS[condition.operator](sql_cast(column, Double()), product)
    return _COMPARISONS[condition.operator](column, _bound(field, value))


def in_order(
    key: ColumnElement[Any], nse_code: ColumnElement[Any], stock_id: ColumnElement[Any], *, descending: bool
) -> tuple[UnaryExpression[Any], ...]:
    """By the key, unknown ones last in both directions, then by symbol."""
    by_key = key.desc() if descending else key.asc()
    return by_key.nulls_last(), bytewise(nse_code).asc().nulls_last(), stock_id.asc()


def sort_key(field: ScreenField) -> ColumnElement[Any]:
    """What to sort by; texts by their code points, as collations differ from database to database."""
    return bytewise(field.expression) if field.is_text else field.expression


def _bound(field: ScreenField, value: str | float) -> ColumnElement[Any]:
    return literal(float(value), Double()) if field.is_number else literal(value, String())


def _ranked(field: ScreenField, number: int, *, descending: bool) -> ColumnElement[bool]:
    known = select(STOCKS.c.id).select_from(stocks_with_metadata()).where(passes_floor(), field.expression.is_not(None))
    # Without unknown ones NULLS LAST says nothing, and an index read backwards could not serve it.
    key = field.expression.desc() if descending else field.expression.asc()
    ordered = known.order_by(key, bytewise(STOCKS.c.nse_code).asc().nulls_last(), STOCKS.c.id).limit(number)
    return STOCKS.c.id.in_(ordered)
