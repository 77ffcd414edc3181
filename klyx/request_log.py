"""The request id and one log line per request, without query strings, bodies or anything personal."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from klyx.logs import accepted_request_id, request_id

logger = logging.getLogger("klyx.request")


def init_request_log(app: Flask) -> None:
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    g.started = time.monotonic()
    request_id.set(accepted_request_id(request.headers.get("X-Request-ID")))


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id.get() or ""
    started = g.get("started")
    logger.info(
        "request",
        extra={
            "method": request.method,
            "route": request.url_rule.rule if request.url_rule else None,
            "status": response.status_code,
            "duration_ms": None if started is None else round((time.monotonic() - started) * 1000, 1),
        },
    )
    return response
