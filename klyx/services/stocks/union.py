"""From a row of columns to the stock object that clients read: both vocabularies, identical values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any

import orjson

from klyx.services.stocks.fields import FIELDS, Kind, StockField

StockObject = dict[str, str | int | float | None]

STOCK_COLUMNS = tuple(field.labelled for field in FIELDS)
"""What a statement selects so that `union_object` understands its rows: columns, in this order, no entities."""

_TAGS = str.maketrans("", "", "<>")


def _plain_text(value: Any) -> str:
    """Clients put texts into pages as raw HTML, so nothing may open or close a tag."""
    text = str(value)
    # translate() costs ten times what looking does, and nearly no text has one.
    return text.translate(_TAGS) if "<" in text or ">" in text else text


def _json_array(value: Any) -> str | None:
    """The text when it holds a JSON array; anything else would take the clients' news tab down."""
    try:
        is_array = isinstance(orjson.loads(value), list)
    except orjson.JSONDecodeError:
        is_array = False
    return _plain_text(value) if is_array else None


def _iso_text(value: datetime | str) -> str | None:
    """A moment in UTC, which SQLite's driver gives as text; a text that is no moment tells nothing."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    # isoformat() takes a third of strftime()'s time.
    return f"{value.isoformat(timespec='seconds')[:19]}Z"


def _finite(value: Any) -> float | None:
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def recommendation_text(key: str | None, text: str | None) -> str | None:
    """`strong_buy` as people read it, "Strong Buy"; the analysts' own words when there is no key."""
    return key.replace("_", " ").title() if key else text


def _conversion(field: StockField) -> Callable[[Any], Any] | None:
    if field.kind is Kind.TEXT:
        return _plain_text
    if field.kind is Kind.JSON_ARRAY:
        return _json_array
    if field.kind is Kind.MOMENT:
        return _iso_text
    if field.omitted_names:
        return _finite
    return partial(round, ndigits=field.decimals) if field.decimals is not None else None


def _names(field: StockField) -> tuple[str, ...]:
    return (field.name, *field.display_names, *field.omitted_names)


# All that depends on the fields only is worked out once, because a page has 500 stocks of 180 keys.
_POSITIONS = {field.name: position for position, field in enumerate(FIELDS)}
_CONVERSIONS = tuple(
    (position, convert) for position, field in enumerate(FIELDS) if (convert := _conversion(field)) is not None
)
_KEYS = tuple(name for field in FIELDS for name in _names(field))
_spread = itemgetter(*(position for position, field in enumerate(FIELDS) for _ in _names(field)))
_OMITTED = tuple(name for field in FIELDS for name in field.omitted_names)
_RECOMMENDATION_KEY = _POSITIONS["recommendation_key"]
_RECOMMENDATION_TEXT = _POSITIONS["recommendation_text"]


def union_object(row: Sequence[Any]) -> StockObject:
    """The stock object of one row of STOCK_COLUMNS.

    Money in rupees, percentages in percent points, moments as ISO 8601 text in UTC, unknown values
    null; `Tech_RSI`, `Tech_MACD` and `Tech_MFI` are numbers or absent.
    """
    values = list(row)
    for position, convert in _CONVERSIONS:
        value = values[position]
        if value is not None:
            values[position] = convert(value)
    values[_RECOMMENDATION_TEXT] = recommendation_text(values[_RECOMMENDATION_KEY], values[_RECOMMENDATION_TEXT])
    stock: StockObject = dict(zip(_KEYS, _spread(values), strict=True))
    for name in _OMITTED:
        if stock[name] is None:
            del stock[name]
    return stock
