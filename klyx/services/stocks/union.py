"""From rows of columns to the stock objects that clients read: both vocabularies, identical values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import orjson

from klyx.services.json_rows import Column, RowEncoder
from klyx.services.stocks.fields import FIELDS, Kind, StockField

StockObject = dict[str, str | int | float | None]
StockRow = Sequence[Any]
"""The values of STOCK_COLUMNS as the driver gives them; numbers may be their text (see klyx.services.json_rows)."""

STOCK_COLUMNS = tuple(field.labelled for field in FIELDS)
"""What a statement selects so that its rows are StockRows: columns, in this order, no entities."""


def _json_array(value: str) -> str | None:
    """The text when it holds a JSON array; anything else would take the clients' news tab down."""
    try:
        return value if isinstance(orjson.loads(value), list) else None
    except orjson.JSONDecodeError:
        return None


def _moment(value: datetime | str) -> datetime | None:
    """SQLite's driver gives a text; one that is no moment tells nothing."""
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def recommendation_text(key: str | None, text: str | None) -> str | None:
    """`strong_buy` as people read it, "Strong Buy"; the analysts' own words when there is no key."""
    return key.replace("_", " ").title() if key else text


def _column(field: StockField) -> Column:
    conversions: dict[Kind, Callable[[Any], Any]] = {Kind.JSON_ARRAY: _json_array, Kind.MOMENT: _moment}
    return Column(
        names=(field.name, *field.display_names),
        is_number=field.kind in (Kind.INTEGER, Kind.NUMBER),
        omitted_names=field.omitted_names,
        decimals=field.decimals,
        convert=conversions.get(field.kind),
    )


_ENCODER = RowEncoder([_column(field) for field in FIELDS])
_POSITIONS = {field.name: position for position, field in enumerate(FIELDS)}
_RECOMMENDATION_KEY = _POSITIONS["recommendation_key"]
_RECOMMENDATION_TEXT = _POSITIONS["recommendation_text"]


def encode_stocks(rows: Sequence[StockRow]) -> bytes:
    """The JSON array of these rows' stock objects.

    Money in rupees, percentages in percent points, moments as ISO 8601 text in UTC, unknown values null;
    `Tech_RSI`, `Tech_MACD` and `Tech_MFI` are numbers or absent. Each value is encoded once, however many
    names it has.
    """
    return _ENCODER.encode([_with_recommendation(row) for row in rows])


def union_object(row: StockRow) -> StockObject:
    """The stock object of one row, as `encode_stocks` makes it."""
    stock: StockObject = orjson.loads(encode_stocks([row]))[0]
    return stock


def _with_recommendation(row: StockRow) -> list[Any]:
    values = list(row)
    values[_RECOMMENDATION_TEXT] = recommendation_text(values[_RECOMMENDATION_KEY], values[_RECOMMENDATION_TEXT])
    return values
