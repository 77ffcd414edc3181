from __future__ import annotations

from marshmallow import Schema, fields, validate

from klyx.schemas.envelope import envelope
from klyx.services.results import FORMATS

CHOICES = ["json", *FORMATS]


class ResultsQuery(Schema):
    format = fields.String(
        load_default="json",
        validate=validate.OneOf(CHOICES, error=f"Choose one of {', '.join(CHOICES)}."),
        metadata={"description": "json, or a file to download"},
    )


ResultsAnswer = envelope(
    "ResultsAnswer",
    fields.List(
        fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True)),
        metadata={"description": "One object per stock: spreadsheet headings, the analysis' columns, and `_quality`"},
    ),
)
