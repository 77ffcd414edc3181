"""Settings from the environment, checked. The only reader of the environment."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from marshmallow import EXCLUDE, Schema, ValidationError

from klyx.config_errors import ConfigurationError
from klyx.config_secret import usable_secret
from klyx.config_settings import Settings, setting_fields

__all__ = ["ConfigurationError", "Settings", "environment", "given_settings", "load_settings", "setting_fields"]

def environment() -> dict[str, str]:
    """The process environment over a `.env` file in the working folder; also what a program that we start is given."""
    return {**{k: v for k, v in dotenv_values(".env").items() if v is not None}, **os.environ}


def given_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings that `environ` gives, as text by environment variable; an empty one counts as not given."""
    given: dict[str, str] = {}
    for env, field in setting_fields().items():
        value = environ.get(env) or environ.get(field.metadata["alias"] or "", "")
        if value.strip():
            given[env] = value.strip()
    return given


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `environ` (default: the process environment over a `.env` file in the working folder).

    Raises ConfigurationError with one line that names every unusable variable.
    """
    environ = environment() if environ is None else environ
    given = given_settings(environ)
    if "HTTP_BINDS" not in given and environ.get("PORT", "").strip():
        given["HTTP_BINDS"] = f"127.0.0.1:{environ['PORT'].strip()}"
    schema = Schema.from_dict({f.name: f.metadata["field"] for f in dataclasses.fields(Settings)})(unknown=EXCLUDE)
    try:
        loaded = schema.load(given)
    except ValidationError as error:
        problems = "; ".join(
            f"{env}: {_first_message(messages)}" for env, messages in sorted(error.messages_dict.items())
        )
        raise ConfigurationError(f"Configuration cannot be used: {problems}") from error
    settings = _checked(Settings(**loaded))
    secret = usable_secret(settings.jwt_secret_key, settings.instance_folder, is_production=settings.is_production)
    return dataclasses.replace(settings, jwt_secret_key=secret)


def _first_message(messages: Any) -> str:
    while not isinstance(messages, str):
        messages = next(iter(messages.values())) if isinstance(messages, dict) else messages[0]
    return messages


def _checked(settings: Settings) -> Settings:
    try:
        re.compile(settings.cors_preview_origin_pattern)
    except re.error as error:
        raise ConfigurationError(f"CORS_PREVIEW_ORIGIN_PATTERN is not a regular expression: {error}") from error
    if settings.database_pool_min > settings.database_pool_max:
        raise ConfigurationError("DATABASE_POOL_MIN must not be above DATABASE_POOL_MAX.")
    if settings.web_threads <= settings.max_event_streams:
        raise ConfigurationError("WEB_THREADS must be above MAX_EVENT_STREAMS, or streams starve short requests.")
    if settings.chat_threads <= settings.max_chat_streams + settings.max_event_streams:
        raise ConfigurationError("CHAT_THREADS must be above MAX_CHAT_STREAMS + MAX_EVENT_STREAMS.")
    model = urlsplit(settings.openai_base_url)
    if settings.is_production and model.scheme == "http" and model.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ConfigurationError("OPENAI_BASE_URL must use https in production, unless it is on this machine.")
    if settings.is_production and any("=http://" in rewrite for rewrite in settings.source_rewrites):
        raise ConfigurationError("SOURCE_REWRITES must use https in production.")
    return settings
