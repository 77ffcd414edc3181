from __future__ import annotations

from marshmallow import Schema, fields

from klyx.schemas.envelope import envelope


class StockNameSchema(Schema):
    stock_name = fields.String(
        required=True, metadata={"description": "The exact display name; kept byte for byte", "maxLength": 255}
    )


class PortfolioSchema(Schema):
    stock_names = fields.List(fields.String(), metadata={"description": "Oldest first"})
    count = fields.Integer()


PortfolioAnswer = envelope("PortfolioAnswer", PortfolioSchema)
