from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from klyx.schemas.envelope import UtcDateTime, envelope

MINIMUM_PASSWORD_CHARACTERS = 6  # the signup form promises that six are enough
MAXIMUM_PASSWORD_BYTES = 72  # bcrypt's own limit


def check_password(password: str) -> None:
    if len(password) < MINIMUM_PASSWORD_CHARACTERS:
        raise ValidationError(f"Please choose a password of at least {MINIMUM_PASSWORD_CHARACTERS} characters.")
    if len(password.encode()) > MAXIMUM_PASSWORD_BYTES:
        raise ValidationError(f"Please choose a password of at most {MAXIMUM_PASSWORD_BYTES} bytes.")


class Trimmed(fields.String):
    """Text without the spaces around it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return str(super()._deserialize(value, attr, data, **kwargs)).strip()


class EmailAddress(Trimmed):
    """An e-mail address, trimmed and in lower case, as it is stored and looked up."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return super()._deserialize(value, attr, data, **kwargs).lower()


class LoginSchema(Schema):
    email = EmailAddress(required=True, validate=validate.Length(min=1, max=320))
    password = fields.String(required=True, validate=validate.Length(min=1, max=1000), load_only=True)


class RegisterSchema(Schema):
    email = EmailAddress(
        required=True,
        validate=[validate.Email(error="Please enter a valid e-mail address."), validate.Length(max=120)],
    )
    password = fields.String(required=True, validate=check_password, load_only=True)
    name = Trimmed(
        required=True, validate=validate.Length(min=1, max=100, error="Please enter a name of 1 to 100 characters.")
    )


class UserSchema(Schema):
    id = fields.String()
    email = fields.String()
    name = fields.String()
    created_at = UtcDateTime(allow_none=True)


class SessionSchema(Schema):
    user = fields.Nested(UserSchema)
    access_token = fields.String()
    refresh_token = fields.String()


class TokensSchema(Schema):
    access_token = fields.String()
    refresh_token = fields.String()


class OwnAccountSchema(Schema):
    user = fields.Nested(UserSchema)


SessionAnswer = envelope("SessionAnswer", SessionSchema)
TokensAnswer = envelope("TokensAnswer", TokensSchema)
OwnAccountAnswer = envelope("OwnAccountAnswer", OwnAccountSchema)
