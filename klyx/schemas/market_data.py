from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields

from klyx.schemas.envelope import envelope


class MergedFieldsSchema(Schema):
    """Raw fields under the sources' common names: rupees and fractions (0.15 is 15 %); what is unknown is absent."""

    class Meta:
        unknown = INCLUDE

    _sources = fields.List(fields.String(), metadata={"description": "Who gave a field, the most trusted first"})
    _quality_score = fields.Integer()
    _last_updated = fields.String(allow_none=True, metadata={"description": "ISO 8601 in UTC"})


class FetchAttemptSchema(Schema):
    source = fields.String()
    quality = fields.Integer()
    missing = fields.List(fields.String())


class SourceQualitySchema(Schema):
    symbol = fields.String()
    score = fields.Integer(metadata={"description": "0 to 100: the share of the required fields that are known"})
    missing_fields = fields.List(fields.String())
    source = fields.String(allow_none=True)
    timestamp = fields.String(allow_none=True, metadata={"description": "ISO 8601 in UTC"})
    sources_used = fields.List(fields.String())
    fetch_attempts = fields.List(fields.Nested(FetchAttemptSchema))


MultiSourceAnswer = envelope("MultiSourceAnswer", MergedFieldsSchema, quality=fields.Nested(SourceQualitySchema))
