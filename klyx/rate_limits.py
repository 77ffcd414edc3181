"""Every limit on requests: exact ones in one table (which endpoint, which setting, counted per what), and the
flood guard for all others."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from flask import Flask, Response, request
from flask.typing import RouteCallable
from flask_limiter import Limiter
from werkzeug.exceptions import HTTPException, TooManyRequests

from klyx.config import Settings
from klyx.errors import KlyxError
from klyx.flood_guard import FloodGuard
from klyx.identity import address_key, bearer_token, rate_limit_key
from klyx.openapi import read_json_object


def account_key() -> str:
    """The account a login is tried for, hashed so that no address of a person reaches Redis."""
    email = ""
    with suppress(KlyxError, HTTPException):
        email = str(read_json_object(request).get("email", "")).strip().lower()
    return f"account:{hashlib.sha256(email.encode(errors='replace')).hexdigest()[:32]}"


def account_from_address_key() -> str:
    return f"{account_key()}:{address_key()}"


def is_refusal(response: Response) -> bool:
    """Whether the request itself was at fault; neither being limited nor our own failures count."""
    return 400 <= response.status_code < 500 and response.status_code != HTTPStatus.TOO_MANY_REQUESTS


@dataclass(frozen=True, slots=True)
class EndpointLimit:
    """`counted` tells by the answer which requests count; all of them without it."""

    endpoint: str
    setting: str
    key: Callable[[], str]
    counted: Callable[[Response], bool] | None = None


LIMITS = (
    EndpointLimit("auth.login", "rate_limit_login", account_from_address_key, is_refusal),
    # Right passwords too: each costs a quarter of a second, and only the owner has them.
    EndpointLimit("auth.login", "rate_limit_login_account", account_key),
    EndpointLimit("auth.login", "rate_limit_login_address", address_key, is_refusal),
    EndpointLimit("auth.register", "rate_limit_register", address_key),
    EndpointLimit("upload.upload", "rate_limit_upload", rate_limit_key),
    EndpointLimit("upload.use_sample", "rate_limit_upload", rate_limit_key),
    EndpointLimit("process.process", "rate_limit_process", rate_limit_key),
    EndpointLimit("market_data.multi_source_data", "rate_limit_multi_source", rate_limit_key),
    EndpointLimit("ai.chat", "rate_limit_chat", rate_limit_key),
)
_LIMITED = frozenset(limit.endpoint for limit in LIMITS)
# A 429 from /auth/me makes the clients throw their tokens away.
UNLIMITED = ("health.health", "health.api_health", "auth.me", "docs_asset", "static")


def init_rate_limits(app: Flask, settings: Settings) -> FloodGuard:
    """Attach the limits; call after every blueprint is registered."""
    guard = FloodGuard(settings.rate_limit_default, enabled=settings.rate_limits_enabled)
    app.before_request(partial(_stop_floods, guard))
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
        storage_uri=storage,
        storage_options=options,  # type: ignore[arg-type]
        strategy="moving-window",
        in_memory_fallback_enabled=True,
        # What is counted after the answer has no such fallback, and must not spoil it.
        swallow_errors=True,
        key_prefix="klyx-limit",
    )
    # The decorated views hold it weakly, and when limits are turned off nothing else does.
    app.extensions["klyx_limiter"] = limiter
    for limit in LIMITS:
        if limit.endpoint in app.view_functions:
            limiting = limiter.limit(getattr(settings, limit.setting), key_func=limit.key, deduct_when=limit.counted)
            limited: RouteCallable = limiting(app.view_functions[limit.endpoint])  # type: ignore[assignment]
            app.view_functions[limit.endpoint] = limited
    app.after_request(partial(_say_when_to_come_back, limiter))
    return guard


def _stop_floods(guard: FloodGuard) -> None:
    if request.endpoint in UNLIMITED or request.endpoint in _LIMITED:
        return
    caller = rate_limit_key()
    if bearer_token() is None and (cookies := request.headers.get("Cookie")):
        guard.remember_caller(cookies, caller)
    if (wait_seconds := guard.count(caller)) is not None:
        raise TooManyRequests(retry_after=wait_seconds)


def _say_when_to_come_back(limiter: Limiter, response: Response) -> Response:
    """The limiter's own headers would put a Retry-After on every answer and overrule that of a 503."""
    limit = limiter.current_limit
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS and limit is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(limit.reset_at - time.time())))
    return response
