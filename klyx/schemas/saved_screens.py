from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load

from klyx.schemas.envelope import Flag, UtcDateTime, envelope
from klyx.schemas.screener import ScreenMetadataSchema, ScreenSchema
from klyx.schemas.stocks import MAX_OFFSET, MAX_PAGE_SIZE, ClampedInteger, PaginationSchema, StockQuery
from klyx.services.saved_screens import DEFINITION_MEMBERS, MAX_SCREENS

MAX_NAME_CHARACTERS = 100
MAX_DESCRIPTION_CHARACTERS = 1000
# A plus sign that was not encoded arrives as a space.
_LOST_PLUS = re.compile(r"(T\S+) (\d\d:?\d\d)$")


class PlainText(fields.String):
    """Text for people, trimmed. Others read it in pages, where it must not become markup."""

    def __init__(self, max_characters: int, *, blank_allowed: bool = False, **options: Any) -> None:
        super().__init__(metadata={"maxLength": max_characters}, **options)
        self.max_characters = max_characters
        self.blank_allowed = blank_allowed

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        if len(text) > self.max_characters or not (text or self.blank_allowed):
            least = 0 if self.blank_allowed else 1
            raise ValidationError(f"Please give a text of {least} to {self.max_characters} characters.")
        if "<" in text or ">" in text:
            raise ValidationError("Please write it without < and >.")
        if not text.replace("\n", "").replace("\t", "").isprintable():
            raise ValidationError("Please write it without control characters.")
        return text


class ExactMoment(fields.Field[datetime]):
    """ISO 8601 in UTC with microseconds, so that it can be given back as `since`; read with any offset or none."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", str(value).strip()))
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError("Please give a moment in ISO 8601, for example 2026-01-31T09:30:00Z.") from error


class SavedScreenListQuery(StockQuery):
    public = fields.Boolean(load_default=False, metadata={"description": "Everybody's public screens"})
    limit = ClampedInteger(1, MAX_PAGE_SIZE, load_default=MAX_SCREENS)
    offset = ClampedInteger(0, MAX_OFFSET, load_default=0)


class ScreenChangeSchema(Schema):
    """`filters`, `logic`, `sort_by` and `sort_order` are those of `POST /api/screener/filter`."""

    name = PlainText(MAX_NAME_CHARACTERS)
    description = PlainText(MAX_DESCRIPTION_CHARACTERS, blank_allowed=True, allow_none=True)
    is_public = Flag()
    filters = fields.Raw(allow_none=True)
    logic = fields.Raw(allow_none=True)
    sort_by = fields.Raw(allow_none=True)
    sort_order = fields.Raw(allow_none=True)


class NewScreenSchema(ScreenChangeSchema):
    name = PlainText(MAX_NAME_CHARACTERS, required=True)
    is_public = Flag(load_default=False)

    @post_load
    def gather(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        definition = {name: values.pop(name) for name in DEFINITION_MEMBERS if name in values}
        return {**values, "definition": definition}


class ScreenChangesQuery(StockQuery):
    since = ExactMoment(
        load_default=None, metadata={"description": "ISO 8601, in UTC unless it says otherwise; default: the last run"}
    )


class SavedScreenSchema(Schema):
    id = fields.Integer()
    name = fields.String()
    description = fields.String(allow_none=True)
    filters = fields.Raw(attribute="definition.filters", metadata={"description": "Conditions and groups of them"})
    logic = fields.String(attribute="definition.logic", metadata={"description": "AND or OR"})
    sort_by = fields.String(attribute="definition.sort_by")
    sort_order = fields.String(attribute="definition.sort_order", metadata={"description": "asc or desc"})
    is_public = fields.Boolean()
    is_owner = fields.Boolean()
    created_at = UtcDateTime()
    updated_at = UtcDateTime()
    last_run_at = ExactMoment(allow_none=True, metadata={"description": "For the owner only"})


class SavedRunMetadataSchema(ScreenMetadataSchema):
    description = fields.String(allow_none=True)
    ran_at = ExactMoment()
    previous_run_at = ExactMoment(
        allow_none=True, metadata={"description": "The owner's last run of these filters before this one"}
    )


class SavedRunSchema(ScreenSchema):
    metadata = fields.Nested(SavedRunMetadataSchema)


class ChangedStockSchema(Schema):
    nse_code = fields.String(allow_none=True)
    stock_name = fields.String(allow_none=True, metadata={"description": "null for a stock that was deleted"})


class ScreenChangesSchema(Schema):
    since = ExactMoment(allow_none=True)
    compared_with = ExactMoment(metadata={"description": "The moment of the run that was compared with"})
    now = ExactMoment()
    entered = fields.List(fields.Nested(ChangedStockSchema))
    left = fields.List(fields.Nested(ChangedStockSchema))
    unchanged_count = fields.Integer()


SavedRunAnswer = envelope("SavedRunAnswer", SavedRunSchema, source=fields.String())
SavedScreenAnswer = envelope("SavedScreenAnswer", SavedScreenSchema)
SavedScreensAnswer = envelope(
    "SavedScreensAnswer",
    fields.List(fields.Nested(SavedScreenSchema)),
    pagination=fields.Nested(PaginationSchema),
    total=fields.Integer(),
)
ScreenChangesAnswer = envelope("ScreenChangesAnswer", ScreenChangesSchema)
