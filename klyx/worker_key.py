"""Who may start maintenance: callers that send the key of the settings in `X-API-Key`."""

from __future__ import annotations

import hmac

from flask import request

from klyx.errors import Unauthorized
from klyx.web import runtime

NO_KEY = "This needs the worker's key in the header X-API-Key."
WRONG_KEY = "The key in X-API-Key is not the worker's key. Please check WORKER_API_KEY."
NOT_CONFIGURED = "This needs the worker's key, and the server has none. Set WORKER_API_KEY and start it again."
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Klyx worker", charset="UTF-8"'}


def has_key() -> bool:
    """Whether the request carries the key; False without any. Raises Unauthorized for a wrong one."""
    given = request.headers.get("X-API-Key", "")
    if not given:
        return False
    _check(given)
    return True


def require_key() -> None:
    """Raises Unauthorized unless the request carries the key."""
    if not has_key():
        raise Unauthorized(NO_KEY if runtime().settings.worker_api_key else NOT_CONFIGURED)


def require_key_of_person() -> None:
    """As `require_key`, for a page: a browser asks its person and sends the key as a password."""
    if has_key():
        return
    password = request.authorization.password if request.authorization is not None else None
    if not runtime().settings.worker_api_key:
        raise Unauthorized(NOT_CONFIGURED)
    try:
        _check(password or "")
    except Unauthorized as error:
        raise Unauthorized(error.message if password else NO_KEY, CHALLENGE) from error


def _check(given: str) -> None:
    key = runtime().settings.worker_api_key
    if not key:
        raise Unauthorized(NOT_CONFIGURED)
    if not hmac.compare_digest(given.encode(), key.encode()):
        raise Unauthorized(WRONG_KEY)
