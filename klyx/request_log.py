"""The request id and one log line per request, without query strings, bodies or anything personal."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from klyx.logs import accepted_request_id, request_id

logger = logging.getLogger("klyx.request")


class RequestLog:
    """The one line that every request leaves, whichever way it was answered."""

    def now(self) -> float:
        return time.monotonic()

    def write(self, method: str, route: str | None, status: int, started: float | None) -> None:
        """`started` is what `now` gave; `route` the rule, never the address, which may hold names."""
        duration_ms = None if started is None else round((self.now() - started) * 1000, 1)
        logger.info(
            "request", extra={"method": method, "route": route, "status": status, "duration_ms": duration_ms}
        )


def init_request_log(app: Flask) -> RequestLog:
    log = RequestLog()

    def start() -> None:
        g.started = log.now()
        request_id.set(accepted_request_id(request.headers.get("X-Request-ID")))

    def finish(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id.get() or ""
        log.write(
            request.method, request.url_rule.rule if request.url_rule else None, response.status_code, g.get("started")
        )
        return response

    app.before_request(start)
    app.after_request(finish)
    return log
