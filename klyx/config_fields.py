"""Building blocks of the configuration: how one setting is declared and the field types it can have."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limits import parse_many
from marshmallow import ValidationError, fields

from klyx.schedules import parse_schedule


def setting(
    env: str, field: fields.Field[Any], *, default: Any, doc: str, secret: bool = False, alias: str | None = None
) -> Any:
    """A dataclass field that is read from the environment variable `env` (or `alias`) through `field`."""
    field.data_key = env
    metadata = {"env": env, "field": field, "doc": doc, "secret": secret, "alias": alias}
    # repr=False: a Settings object that ends in a log or a traceback must not show a secret.
    return dataclasses.field(default=default, metadata=metadata, repr=not secret)


class Boolean(fields.Boolean):
    default_error_messages = {"invalid": "must be true or false"}  # noqa: RUF012 (marshmallow declares it so)


class FolderPath(fields.Field[Path]):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Path:
        return Path(value).expanduser()


class CommaSeparated(fields.Field[tuple[str, ...]]):
    """Comma-separated values, each checked by the inner field; blanks are dropped."""

    def __init__(self, inner: fields.Field[str]) -> None:
        super().__init__()
        self.inner = inner

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[str, ...]:
        return tuple(self.inner.deserialize(part.strip()) for part in value.split(",") if part.strip())


class RateLimit(fields.String):
    """One or more limits such as `10 per minute; 60 per hour`."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            parse_many(text)
        except ValueError as error:
            raise ValidationError("must look like `10 per minute; 60 per hour`") from error
        return text


class ScheduleText(fields.String):
    """When something is due, as klyx.schedules reads it."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            parse_schedule(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        return text


class DatabaseUrl(fields.String):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text.startswith(("postgres://", "postgresql://", "postgresql+psycopg2://")):
            raise ValidationError("must start with postgres:// or postgresql://")
        return text
