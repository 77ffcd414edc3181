"""The one place that makes the error answer: `{"status": "error", "message": ...}` for every failure."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, jsonify
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from klyx.errors import KlyxError
from klyx.logs import request_id

logger = logging.getLogger(__name__)

MESSAGES: dict[int, str] = {
    400: "The request could not be understood. Please check what was sent and try again.",
    401: "Please sign in to continue.",
    403: "You are not allowed to do this.",
    404: "There is nothing at this address.",
    405: "This address does not support that method.",
    413: "The upload is too large. Send fewer or smaller files (10 MB in all) and try again.",
    414: "The address is too long. Please ask for less at once.",
    415: "The request must be sent as JSON (Content-Type: application/json).",
    422: "The request could not be processed. Please check what was sent and try again.",
    429: "Too many requests. Please wait a moment and try again.",
    431: "The headers of the request are too large. Please delete the cookies of this site and try again.",
    500: "Something went wrong on our side. Please try again; if it keeps happening, tell us the request id.",
    503: "The service is busy right now. Please try again in a few seconds.",
}


def error_envelope(status: int, message: str | None = None) -> dict[str, Any]:
    """`{status, message}`; answers of 500 and above also carry the request id a person can quote."""
    body: dict[str, Any] = {"status": "error", "message": message or MESSAGES.get(status) or HTTPStatus(status).phrase}
    if status >= 500:
        body["request_id"] = request_id.get()
    return body


def error_response(status: int, message: str | None = None, headers: dict[str, str] | None = None) -> Response:
    response = jsonify(error_envelope(status, message))
    response.status_code = status
    response.headers.update(headers or {})
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def handle_klyx_error(error: KlyxError) -> Response:
    return error_response(error.status, error.message, error.headers)


def handle_http_exception(error: HTTPException) -> Response:
    """Werkzeug's, webargs' and the limiter's exceptions; `data.messages` are a schema's field errors."""
    code = error.code or 500
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    data = getattr(error, "data", None) or {}
    message = describe_field_errors(data["messages"]) if data.get("messages") else None
    return error_response(code, message, kept)


def handle_database_unavailable(error: Exception) -> Response:
    logger.error("database unavailable", extra={"error_type": type(getattr(error, "orig", error)).__name__})
    return error_response(503, headers={"Retry-After": "5"})


def handle_unexpected(error: Exception) -> Response:
    logger.error("unexpected error", exc_info=error)
    return error_response(500)


def describe_field_errors(messages: Any) -> str:
    """One sentence for people out of marshmallow's nested messages, e.g. `email: Not a valid email address.`"""
    path: list[str] = []
    while not isinstance(messages, str):
        if isinstance(messages, dict):
            key, messages = next(iter(messages.items()))
            if key not in ("json", "query", "form", "files", "_schema", "json_or_form"):
                path.append(str(key))
        elif messages:
            messages = messages[0]
        else:
            messages = "Invalid value."
    return f"{'.'.join(path)}: {messages}" if path else messages


def register_error_handlers(app: Flask) -> None:
    app.register_error_handler(KlyxError, handle_klyx_error)
    app.register_error_handler(HTTPException, handle_http_exception)
    app.register_error_handler(OperationalError, handle_database_unavailable)
    app.register_error_handler(InterfaceError, handle_database_unavailable)
    app.register_error_handler(Exception, handle_unexpected)
