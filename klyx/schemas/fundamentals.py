from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from klyx.schemas.envelope import UtcDateTime, envelope
from klyx.schemas.stocks import StockQuery

KINDS = ("standalone", "consolidated")


class FundamentalsQuery(StockQuery):
    type = fields.String(
        load_default=KINDS[0],
        validate=validate.OneOf(KINDS, error="Please ask for standalone or consolidated."),
        metadata={"description": "The company alone, or with its subsidiaries"},
    )


class FundamentalsMetaSchema(Schema):
    type = fields.String(required=True)
    source = fields.String(required=True, allow_none=True)
    fetched_at = UtcDateTime(required=True)
    unit = fields.String(required=True)


def _section(what: str) -> fields.Field[Any]:
    row = fields.Dict(
        keys=fields.String(),
        metadata={
            "description": "`headers`, the label, then a number or null for each period",
            "example": {"headers": "Total Assets", "Mar 2025": 1000.5, "Mar 2024": 900},
        },
    )
    return fields.List(row, required=True, metadata={"description": f"{what}; empty when unavailable"})


class FundamentalsSchema(Schema):
    """Up to ten years. Every row of a section has the same periods, newest first."""

    balance_sheet = _section("Crores of rupees")
    profit_loss = _section("Crores of rupees")
    cash_flow = _section("Crores of rupees")
    ratios = _section("As printed")
    meta = fields.Nested(FundamentalsMetaSchema, required=True)

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """Handed on as it is: the service has checked every row, and the order of its keys counts."""
        return obj


FundamentalsAnswer = envelope("FundamentalsAnswer", FundamentalsSchema)
