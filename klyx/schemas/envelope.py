"""The envelope around every answer, and the pieces schemas share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields


class ErrorSchema(Schema):
    """Every failure, whatever its code."""

    status = fields.Constant("error", required=True)
    message = fields.String(required=True, metadata={"description": "Readable by people; says what to do next"})
    request_id = fields.String(metadata={"description": "Only from 500 up: quote it when reporting the problem"})


class UtcDateTime(fields.Field[datetime]):
    """ISO 8601 with the UTC designator, e.g. `2025-01-31T09:30:00Z`."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else utc_text(value)


def utc_text(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


class Flag(fields.Boolean):
    """true or false, and nothing that could be taken for them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Please give true or false.")
        return value


class MessageSchema(Schema):
    status = fields.Constant("success")
    message = fields.String()


def envelope(
    name: str, data: fields.Field[Any] | type[Schema] | None = None, **extra: fields.Field[Any]
) -> type[Schema]:
    """A schema `{status, message?, data, **extra}`; `name` is what the specification calls it."""
    members: dict[str, fields.Field[Any]] = {"status": fields.Constant("success"), "message": fields.String()}
    if data is not None:
        members["data"] = fields.Nested(data) if isinstance(data, type) else data
    return Schema.from_dict({**members, **extra}, name=name)


def success(data: Any = None, message: str | None = None, **extra: Any) -> Mapping[str, Any]:
    """A success body; `data` and `message` are left out when not given."""
    body: dict[str, Any] = {"status": "success"}
    if message is not None:
        body["message"] = message
    if data is not None:
        body["data"] = data
    return {**body, **extra}
