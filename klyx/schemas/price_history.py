from __future__ import annotations

from marshmallow import Schema, fields, pre_load, validate

from klyx.schemas.envelope import envelope
from klyx.schemas.stocks import StockQuery
from klyx.services.price_history import PERIODS

_RUPEES = {"description": "rupees, adjusted for splits and bonus shares"}


class PriceHistoryQuery(StockQuery):
    period = fields.String(
        load_default="1y",
        validate=validate.OneOf(list(PERIODS), error="Please give one of these periods: {choices}."),
        metadata={"description": "Up to the last session that is known; m is months, y is years"},
    )

    @pre_load
    def lower(self, values: dict[str, str], **_: object) -> dict[str, str]:
        return {name: value.strip().lower() if name == "period" else value for name, value in values.items()}


class PriceBarSchema(Schema):
    date = fields.Date()
    open = fields.Float(metadata=_RUPEES)
    high = fields.Float(metadata=_RUPEES)
    low = fields.Float(metadata=_RUPEES)
    close = fields.Float(metadata=_RUPEES)
    volume = fields.Integer(metadata={"description": "shares"})


class PriceHistoryMetadataSchema(Schema):
    symbol = fields.String()
    stock_name = fields.String()
    period = fields.String()
    sessions = fields.Integer()
    first_date = fields.Date(allow_none=True)
    last_date = fields.Date(allow_none=True)
    currency = fields.String()


PriceHistoryAnswer = envelope(
    "PriceHistoryAnswer",
    fields.List(fields.Nested(PriceBarSchema)),
    metadata=fields.Nested(PriceHistoryMetadataSchema),
)
