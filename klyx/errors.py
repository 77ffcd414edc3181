"""The failures a service can tell its caller about. Flask-free; the web layer turns them into one JSON shape."""

from __future__ import annotations

from http import HTTPStatus


class KlyxError(Exception):
    """A failure with a message for people. `headers` go out with the answer."""

    status: HTTPStatus = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers or {}


class Invalid(KlyxError):
    status = HTTPStatus.BAD_REQUEST


class Unauthorized(KlyxError):
    status = HTTPStatus.UNAUTHORIZED


class Forbidden(KlyxError):
    status = HTTPStatus.FORBIDDEN


class NotFound(KlyxError):
    status = HTTPStatus.NOT_FOUND


class Conflict(KlyxError):
    status = HTTPStatus.CONFLICT


class TooLarge(KlyxError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMedia(KlyxError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class TooMany(KlyxError):
    """The caller has asked for as much as one may; again after `retry_after_seconds`."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message, {"Retry-After": str(retry_after_seconds)})


class Unavailable(KlyxError):
    """Something we depend on cannot serve now; the caller may try again after `retry_after_seconds`."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, message: str, retry_after_seconds: int = 5) -> None:
        super().__init__(message, {"Retry-After": str(retry_after_seconds)})
