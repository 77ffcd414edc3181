from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, post_load, pre_load, validate

from klyx.schemas.envelope import envelope
from klyx.schemas.stocks import MAX_OFFSET, ClampedInteger
from klyx.services.screener import MAX_CONDITIONS, MAX_ROWS, ROW_FIELDS, ScreenField, parse_screen, result_fields
from klyx.services.stocks import Kind

FORMATS = ("json", "csv")
FIELD_TYPES = ("numbers", "all")
_COLUMNS = "Columns of the rows besides id, Stock Name and NSE Code, by any name of a field; without it all usual ones"


class ColumnNames(fields.Field[list[str]]):
    """Names of columns: a list, or in an address text with commas. Comes out as headings, once each."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:
        names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
        return [field.name for field in result_fields(names)]


def _format() -> fields.String:
    return fields.String(
        load_default="json",
        validate=validate.OneOf(FORMATS, error=f"Choose one of {', '.join(FORMATS)}."),
        metadata={"description": "json, or csv for a file to download"},
    )


class FormatQuery(Schema):
    format = _format()


class FieldsQuery(Schema):
    types = fields.String(
        load_default="numbers",
        validate=validate.OneOf(FIELD_TYPES, error=f"Choose one of {', '.join(FIELD_TYPES)}."),
        metadata={"description": "numbers: fields that can be compared with numbers; all: those of text and time too"},
    )


class PresetQuery(FormatQuery):
    limit = ClampedInteger(1, MAX_ROWS, load_default=MAX_ROWS)
    offset = ClampedInteger(0, MAX_OFFSET, load_default=0)
    columns = ColumnNames(load_default=None, metadata={"description": f"{_COLUMNS}; separated by commas"})

    @pre_load
    def drop_blanks(self, values: Mapping[str, str], **_: Any) -> dict[str, str]:
        return {name: value for name, value in values.items() if value.strip()}


class FilterQuery(Schema):
    """A screen. It is checked here, and goes on in its one canonical form."""

    filters = fields.Raw(
        metadata={
            "description": f"At most {MAX_CONDITIONS} conditions {{field, operator, value}}, or groups of them, "
            '{"all": [...]} and {"any": [...]}; one group may stand for the list. '
            "GET /api/screener/fields?types=all lists the fields.",
            "example": [{"field": "pe_ttm", "operator": "lt", "value": 20}],
        }
    )
    logic = fields.Raw(metadata={"description": "AND (the default) or OR, between the filters of the list"})
    sort_by = fields.Raw(metadata={"description": "A field; the market capitalisation without it"})
    sort_order = fields.Raw(metadata={"description": "asc or desc (the default); unknown values come last in both"})
    limit = ClampedInteger(1, MAX_ROWS, load_default=MAX_ROWS)
    offset = ClampedInteger(0, MAX_OFFSET, load_default=0)
    columns = ColumnNames(load_default=None, metadata={"description": _COLUMNS})
    format = _format()

    @pre_load
    def drop_nulls(self, values: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value is not None}

    @post_load
    def check_screen(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        screen = parse_screen(values)
        paging = {name: values[name] for name in ("limit", "offset", "columns", "format")}
        return {"screen": screen.definition(), **paging}


class PresetSchema(Schema):
    id = fields.String()
    name = fields.String()
    description = fields.String()
    filter_count = fields.Integer()


def _member(field: ScreenField) -> fields.Field[Any]:
    members: dict[Kind, type[fields.Field[Any]]] = {Kind.INTEGER: fields.Integer, Kind.NUMBER: fields.Float}
    description = "ISO 8601 in UTC" if field.kind is Kind.MOMENT else str(field.unit)
    return members.get(field.kind, fields.String)(
        allow_none=True, metadata={"description": description} if description else {}
    )


_ScreenRowMembers = Schema.from_dict(
    {"id": fields.Integer(required=True), **{field.name: _member(field) for field in ROW_FIELDS}},
    name="ScreenRowMembers",
)


class ScreenRowSchema(_ScreenRowMembers):  # type: ignore[valid-type,misc]
    """A match, flat, under display names; every row of an answer has the same keys.

    `dump` hands the rows on as they are: they come from the statement in this shape, and are encoded already.
    """

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        return obj


class ScreenMetadataSchema(Schema):
    preset_name = fields.String()
    description = fields.String()
    total_matches = fields.Integer(metadata={"description": "All matches, however many rows are sent"})
    total_stocks = fields.Integer(metadata={"description": "All stocks of sufficient quality"})
    match_rate = fields.String(metadata={"example": "0.6%"})
    filters_applied = fields.Integer()


class ScreenSchema(Schema):
    results = fields.Nested(ScreenRowSchema(many=True))
    metadata = fields.Nested(ScreenMetadataSchema)


class FieldStatisticsSchema(Schema):
    field = fields.String()
    count = fields.Integer()
    min = fields.Float(allow_none=True)
    max = fields.Float(allow_none=True)
    mean = fields.Float(allow_none=True)


class FieldDistributionSchema(FieldStatisticsSchema):
    median = fields.Float()
    std = fields.Float(allow_none=True, metadata={"description": "Of a sample (n - 1)"})


class FieldSchema(Schema):
    field = fields.String()
    db_field = fields.String()
    category = fields.String()
    type = fields.String(metadata={"enum": [Kind.NUMBER, Kind.INTEGER, Kind.TEXT, Kind.MOMENT]})
    unit = fields.String(allow_none=True)
    null_count = fields.Integer(metadata={"description": "Stocks of sufficient quality without a value"})
    stats = fields.Nested(FieldStatisticsSchema, allow_none=True)


PresetsAnswer = envelope(
    "PresetsAnswer",
    fields.List(fields.Nested(PresetSchema)),
    presets=fields.List(fields.Nested(PresetSchema), metadata={"description": "The same again"}),
)

ScreenAnswer = envelope("ScreenAnswer", ScreenSchema, source=fields.String())
FieldsAnswer = envelope(
    "FieldsAnswer",
    fields.List(fields.Nested(FieldSchema)),
    fields=fields.List(fields.Nested(FieldSchema), metadata={"description": "The same again"}),
)
FieldStatisticsAnswer = envelope(
    "FieldStatisticsAnswer", FieldDistributionSchema, stats=fields.Nested(FieldDistributionSchema)
)
