"""gunicorn's worker with threads, whose own refusals are JSON too: clients parse every answer as that."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from http import HTTPStatus

import orjson
from gunicorn.http import errors
from gunicorn.http.message import Request
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from klyx.logs import accepted_request_id, request_id

logger = logging.getLogger(__name__)

# The first that fits counts: some of the classes are kinds of others.
STATUSES: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.InvalidResponseHeader, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.InvalidResponseHeaderName, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.ConfigurationProblem, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.ExpectationFailed, HTTPStatus.EXPECTATION_FAILED),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (errors.ParseException, HTTPStatus.BAD_REQUEST),
)


class EnvelopeWorker(ThreadWorker):  # type: ignore[misc]
    """As gunicorn's own; what never reached the application is answered in the application's form."""

    def handle_error(
        self, req: Request | None, client: socket.socket, addr: tuple[str, int] | None, exc: Exception
    ) -> None:
        status = next((known for kind, known in STATUSES if isinstance(exc, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
        request_id.set(accepted_request_id(None))
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.error("request failed outside the application", exc_info=exc)
        else:
            # Not what it says: that may quote a header.
            logger.warning("request refused", extra={"status": int(status), "error_type": type(exc).__name__})
        with suppress(OSError):  # the client may be gone
            write_nonblock(client, answer(status))


def answer(status: HTTPStatus) -> bytes:
    """A whole response with the error envelope, after which the connection is closed."""
    # Not with this module: gunicorn's first process reads it, and whatever that one knows of us survives a reload.
    from klyx.error_handling import error_envelope

    body = orjson.dumps(error_envelope(status))
    head = (
        f"HTTP/1.1 {int(status)} {status.phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        # The Origin was mostly not read, and a fixed sentence is nobody's secret.
        "Access-Control-Allow-Origin: *",
    )
    return "\r\n".join((*head, "", "")).encode() + body
