"""Every limit on requests, in one table: which endpoint, which setting, counted per what."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus

from flask import Flask, Response, request
from flask.typing import RouteCallable
from flask_limiter import Limiter
from werkzeug.exceptions import HTTPException

from klyx.config import Settings
from klyx.errors import KlyxError
from klyx.identity import address_key, rate_limit_key
from klyx.openapi import read_json_object


def account_key() -> str:
    """The account a login is tried for, hashed so that no address of a person reaches Redis."""
    email = ""
    with suppress(KlyxError, HTTPException):
        email = str(read_json_object(request).get("email", "")).strip().lower()
    return f"account:{hashlib.sha256(email.encode(errors='replace')).hexdigest()[:32]}"


LIMITS: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("auth.login", "rate_limit_login", account_key),
    ("auth.login", "rate_limit_login_address", address_key),
    ("auth.register", "rate_limit_register", address_key),
    ("upload.upload", "rate_limit_upload", rate_limit_key),
    ("upload.use_sample", "rate_limit_upload", rate_limit_key),
    ("process.process", "rate_limit_process", rate_limit_key),
)
# A 429 from /auth/me makes the clients throw their tokens away.
UNLIMITED = ("health.health", "health.api_health", "auth.me", "docs_asset", "static")


def init_rate_limits(app: Flask, settings: Settings) -> Limiter:
    """Attach the limits; call after every blueprint is registered."""
    storage = settings.rate_limit_storage_url or settings.redis_url
    options: dict[str, object] = {}
    if not storage.startswith("memory://"):
        options = {
            "socket_timeout": settings.redis_timeout_seconds,
            "socket_connect_timeout": settings.redis_timeout_seconds,
        }
    limiter = Limiter(
        rate_limit_key,
        app=app,
        enabled=settings.rate_limits_enabled,
        default_limits=[settings.rate_limit_default],
        storage_uri=storage,
        storage_options=options,  # type: ignore[arg-type]
        strategy="moving-window",
        in_memory_fallback_enabled=True,
        in_memory_fallback=[settings.rate_limit_default],
        key_prefix="klyx-limit",
    )
    # The decorated views hold it weakly, and when limits are turned off nothing else does.
    app.extensions["klyx_limiter"] = limiter
    for endpoint, setting_name, key in LIMITS:
        if endpoint in app.view_functions:
            view = app.view_functions[endpoint]
            limited: RouteCallable = limiter.limit(getattr(settings, setting_name), key_func=key)(view)  # type: ignore[assignment]
            app.view_functions[endpoint] = limited
    for endpoint in UNLIMITED:
        if endpoint in app.view_functions:
            exempt: RouteCallable = limiter.exempt(app.view_functions[endpoint])  # type: ignore[assignment]
            app.view_functions[endpoint] = exempt
    app.after_request(partial(_say_when_to_come_back, limiter))
    return limiter


def _say_when_to_come_back(limiter: Limiter, response: Response) -> Response:
    """The limiter's own headers would put a Retry-After on every answer and overrule that of a 503."""
    limit = limiter.current_limit
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS and limit is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(limit.reset_at - time.time())))
    return response
