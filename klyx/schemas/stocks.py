from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load

from klyx.schemas.envelope import UtcDateTime, envelope
from klyx.services.stocks import FIELDS, MAX_BATCH_NAMES, Kind, StockField

_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 500
MAX_OFFSET = 10_000_000
MAX_SEARCH_CHARACTERS = 100


class ClampedInteger(fields.Integer):
    """A whole number in a query string, moved to the nearest bound when outside."""

    def __init__(self, low: int, high: int, **options: Any) -> None:
        super().__init__(metadata={"minimum": low, "maximum": high}, **options)
        self.low = low
        self.high = high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        text = str(value).strip()
        if not _INTEGER.fullmatch(text):
            raise ValidationError("Please give a whole number.")
        return min(max(int(text), self.low), self.high)


class SearchText(fields.String):
    """Text to look for: trimmed, and cut at 100 characters."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return str(super()._deserialize(value, attr, data, **kwargs)).strip()[:MAX_SEARCH_CHARACTERS]


class StockQuery(Schema):
    @pre_load
    def drop_blanks(self, values: Mapping[str, str], **_: Any) -> dict[str, str]:
        """`?search=&limit=` asks for what no parameter asks for."""
        return {name: value for name, value in values.items() if value.strip()}


class StockListQuery(StockQuery):
    limit = ClampedInteger(1, MAX_PAGE_SIZE, load_default=DEFAULT_PAGE_SIZE)
    offset = ClampedInteger(0, MAX_OFFSET, load_default=0)
    sector = SearchText(load_default=None)
    search = SearchText(load_default=None)
    min_quality = ClampedInteger(0, 100, load_default=None)


class StockDetailsQuery(StockQuery):
    provenance = fields.Boolean(
        load_default=False, metadata={"description": "Tell each field's source, moment and unit"}
    )


class StockBatchQuery(Schema):
    stock_names = fields.List(
        fields.String(),
        required=True,
        metadata={"description": f"Names or symbols, at most {MAX_BATCH_NAMES}", "maxItems": MAX_BATCH_NAMES},
    )


def _member(field: StockField, name: str) -> fields.Field[Any]:
    members: dict[Kind, type[fields.Field[Any]]] = {Kind.INTEGER: fields.Integer, Kind.NUMBER: fields.Float}
    omitted = name in field.omitted_names
    description = {
        Kind.JSON_ARRAY: "Text that holds a JSON array",
        Kind.MOMENT: "ISO 8601 in UTC",
    }.get(field.kind, str(field.unit))
    if omitted:
        description = f"{description}; absent when unknown".lstrip("; ")
    return members.get(field.kind, fields.String)(
        required=not omitted,
        allow_none=field.nullable and not omitted,
        metadata={"description": description} if description else {},
    )


_StockMembers = Schema.from_dict(
    {
        name: _member(field, name)
        for field in FIELDS
        for name in (field.name, *field.display_names, *field.omitted_names)
    },
    name="StockMembers",
)


class StockSchema(_StockMembers):  # type: ignore[valid-type,misc]
    """A stock in both vocabularies, column names and display names, with identical values.

    `dump` hands the object on as it is: the service builds it from the same table of fields that
    made this schema, and a walk through 500 stocks of 180 members each would cost more than
    everything else about the request. A test holds the two together.
    """

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        return obj


class ProvenanceSchema(Schema):
    """Source and moment are null where nobody recorded them."""

    source = fields.String(allow_none=True, metadata={"description": '"Klyx" when calculated from other fields'})
    obtained_at = UtcDateTime(allow_none=True)
    unit = fields.String(allow_none=True)
    derived_from = fields.List(fields.String(), metadata={"description": "Only for calculated values: column names"})
    statement_kind = fields.String(
        metadata={"enum": ["standalone", "consolidated"], "description": "Only for figures of such a statement"}
    )


class PaginationSchema(Schema):
    limit = fields.Integer()
    offset = fields.Integer()
    total = fields.Integer()
    has_more = fields.Boolean()


class BatchMetadataSchema(Schema):
    requested = fields.Integer()
    found = fields.Integer()
    missing = fields.List(fields.String())


class SectorSchema(Schema):
    sector_name = fields.String()
    stock_count = fields.Integer()


class StatisticsSchema(Schema):
    total_stocks = fields.Integer()
    high_quality_stocks = fields.Integer()
    avg_quality = fields.Float()
    last_updated = UtcDateTime(allow_none=True)


StockListAnswer = envelope(
    "StockListAnswer",
    fields.Nested(StockSchema(many=True)),
    pagination=fields.Nested(PaginationSchema),
    total=fields.Integer(),
)
StockBatchAnswer = envelope(
    "StockBatchAnswer", fields.Nested(StockSchema(many=True)), metadata=fields.Nested(BatchMetadataSchema)
)
StockDetailsAnswer = envelope(
    "StockDetailsAnswer",
    StockSchema,
    provenance=fields.Dict(
        keys=fields.String(),
        values=fields.Nested(ProvenanceSchema),
        metadata={"description": "By column name, only fields whose value is known, and only when asked for"},
    ),
)
SectorsAnswer = envelope("SectorsAnswer", fields.List(fields.Nested(SectorSchema)))
StatisticsAnswer = envelope("StatisticsAnswer", StatisticsSchema)
