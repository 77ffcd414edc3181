"""gunicorn's worker with threads: its own refusals are JSON too, and it leaves connections to whoever has fewer."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import suppress
from http import HTTPStatus

import orjson
from gunicorn.http import errors
from gunicorn.http.message import Request
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from klyx.last_words import say_last_words
from klyx.logs import accepted_request_id, request_id
from klyx.open_connections import Place

logger = logging.getLogger(__name__)

# A process that has nothing to do takes a connection within a tenth of that.
PATIENCE_SECONDS = 0.002
# Who has waited may be as late as this to take what nobody wanted.
WAITED_SECONDS = 0.05

# Before a process that is told to end is killed, so long is left for answers that are still being written.
LAST_WORDS_SECONDS = 5.0

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
    """As gunicorn's own; what never reached the application is answered in the application's form.

    And connections that are kept alive are spread over the processes. Otherwise whichever is awake first takes all
    that come at once, and keeps them, while the others have nothing to do.
    """

    # Set before the fork where there are several processes.
    place: Place | None = None
    _waits_until = 0.0
    _ends_at: float | None = None
    _has_said_last_words = False

    def notify(self) -> None:
        # Called about once a second, also while requests in progress are waited for after a stop or reload.
        super().notify()
        if self.alive or self._has_said_last_words:
            return
        grace = float(self.cfg.graceful_timeout)
        self._ends_at = self._ends_at or time.monotonic() + grace
        if time.monotonic() >= self._ends_at - min(LAST_WORDS_SECONDS, grace / 2):
            self._has_said_last_words = True
            say_last_words(self.wsgi)

    def accept(self, listener: socket.socket) -> None:
        now = time.monotonic()
        has_waited = now - self._waits_until < WAITED_SECONDS
        if not has_waited and self._is_fuller_than_another():
            self._waits_until = now + PATIENCE_SECONDS
            self.set_accept_enabled(False)
            return
        self._waits_until = 0.0
        super().accept(listener)
        self._tell()

    def set_accept_enabled(self, enabled: bool) -> None:
        # Called before each wait for events.
        if not (enabled and self._seconds_to_wait() > 0 and self._is_fuller_than_another()):
            super().set_accept_enabled(enabled)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        self._tell()
        seconds = self._seconds_to_wait()
        super().wait_for_and_dispatch_events(min(timeout, seconds) if seconds > 0 else timeout)

    def _seconds_to_wait(self) -> float:
        return self._waits_until - time.monotonic()

    def _is_fuller_than_another(self) -> bool:
        return self.place is not None and self.place.another_has_fewer_than(self.nr_conns)

    def _tell(self) -> None:
        if self.place is None:
            return
        if self.alive and self.nr_conns < self.worker_connections:
            self.place.tell(self.nr_conns)
        else:
            self.place.leave()

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
