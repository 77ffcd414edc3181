"""The one HTTP client for calls to the outside: known hosts, https, bounded in time, size and attempts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import ProxyManager

from klyx.sources.base import Deadline, SourceCircuitOpen, SourceRateLimited, SourceUnavailable
from klyx.sources.circuit import Circuit
from klyx.sources.limits import Pace, Turn
from klyx.sources.metrics import Tally
from klyx.sources.sending import telling, tells
from klyx.sources.settings import SourceSettings
from klyx.sources.unpacking import PACKED, DamagedAnswer, Unpacker

__all__ = ["SourceSettings", "bounded_by", "new_session", "retry_after_seconds"]

RETRIED_STATUSES = frozenset({502, 503, 504})
IDEMPOTENT_METHODS = frozenset({"GET", "HEAD"})
READ_SIZE = 64 * 1024
_deadline: ContextVar[Deadline | None] = ContextVar("outbound_deadline", default=None)


@contextmanager
def bounded_by(deadline: Deadline) -> Iterator[None]:
    """Bounds every outbound request of this thread by the deadline, also those a library makes for us."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def new_session(
    source_name: str,
    allowed_hosts: frozenset[str],
    settings: SourceSettings,
    circuit: Circuit,
    pace: Pace | None = None,
    tally: Tally | None = None,
) -> requests.Session:
    """A session that reaches the allowed hosts only, whatever URL or redirect it is given.

    Its requests raise `requests.RequestException` on failures of the connection; SourceUnavailable when the
    deadline has passed, the answer is too large or the host is not allowed; SourceRateLimited when its turn is
    after the deadline; and what `Circuit.check` raises. Every try takes a turn of `pace`; an answer 429 makes
    all processes rest.
    """
    session = requests.Session()
    # Proxies come from the settings; nothing, a .netrc included, comes from the environment.
    session.trust_env = False
    session.max_redirects = 5
    session.headers["User-Agent"] = settings.user_agent
    if settings.proxy_url:
        session.proxies = {"https": settings.proxy_url}
    adapter = GuardedAdapter(
        source_name,
        allowed_hosts,
        settings,
        circuit,
        pace or Pace(source_name, source_name),
        tally or Tally(source_name),
    )
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def retry_after_seconds(response: requests.Response, default: float, maximum: float = 3600.0) -> float:
    """The Retry-After header of an answer, given in seconds or as a date, within 1 and `maximum` seconds."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        seconds = float(text)
    else:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            seconds = default
    return min(max(seconds, 1.0), maximum)


class GuardedAdapter(HTTPAdapter):
    """Sends one request; every rule of this module is applied here, so that redirects obey them as well."""

    def __init__(
        self,
        source_name: str,
        allowed_hosts: frozenset[str],
        settings: SourceSettings,
        circuit: Circuit,
        pace: Pace,
        tally: Tally,
    ) -> None:
        # Several requests of one stock leave together; a connection is opened only when one is needed.
        super().__init__(pool_connections=len(allowed_hosts), pool_maxsize=4 * max(settings.parallelism, 1))
        self._source_name = source_name
        self._allowed_hosts = allowed_hosts
        self._settings = settings
        self._circuit = circuit
        self._pace = pace
        self._tally = tally

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        tells(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(*arguments, **options)
        tells(manager)
        return manager

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        outgoing, rewritten = self._addressed(request)
        if rewritten:
            options["proxies"] = None
        deadline = _deadline.get() or Deadline(self._settings.request_timeout_seconds)
        attempts = self._settings.max_attempts if request.method in IDEMPOTENT_METHODS else 1
        attempt = 1
        while True:
            last = attempt >= attempts
            try:
                response = self._attempt(outgoing, deadline, options)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                if last:
                    raise
            else:
                if last or response.status_code not in RETRIED_STATUSES:
                    break
            pause = self._settings.backoff_seconds * 2 ** (attempt - 1)
            threading.Event().wait(min(pause, deadline.remaining()))
            attempt += 1
        # The caller sees the address it asked for: cookies and relative redirects depend on it.
        response.url, response.request = request.url or "", request
        return response

    def _addressed(self, request: requests.PreparedRequest) -> tuple[requests.PreparedRequest, bool]:
        """The request as it leaves, and whether a rewrite sends it elsewhere."""
        address = urlsplit(request.url or "")
        host = address.hostname or ""
        if host not in self._allowed_hosts or address.scheme != "https" or address.port not in (None, 443):
            raise SourceUnavailable(f"{self._source_name} sent us to an address that is not allowed")
        base = self._settings.base_url_rewrites.get(host)
        if base is None:
            return request, False
        outgoing = request.copy()
        outgoing.url = base.rstrip("/") + request.path_url
        return outgoing, True

    def _attempt(
        self, request: requests.PreparedRequest, deadline: Deadline, options: Mapping[str, Any]
    ) -> requests.Response:
        turn = self._wait_for_turn(deadline)
        began = time.monotonic()
        failure: str | None = "cut_short"
        try:
            with telling(partial(self._pace.sent, turn)):
                response = self._answered(request, deadline, options)
            failure = f"status_{response.status_code}" if response.status_code >= 400 else None
        except requests.Timeout:
            failure = "timeout"
            raise
        except requests.ConnectionError:
            failure = "connection"
            raise
        except SourceUnavailable:
            failure = "refused"
            raise
        finally:
            self._tally.asked(failure, time.monotonic() - began, turn.waited)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self._circuit.limited(began)
            self._pace.cool_down(retry_after_seconds(response, self._settings.rate_limit_pause_seconds))
        return response

    def _wait_for_turn(self, deadline: Deadline) -> Turn:
        """Raises SourceError when the request must not be sent."""
        try:
            self._circuit.check()
            turn = self._pace.wait(deadline)
            if turn.waited:
                # Others may have found the source down meanwhile.
                self._circuit.check()
        except SourceCircuitOpen:
            self._tally.failed("circuit_open")
            raise
        except SourceRateLimited:
            self._tally.failed("not_its_turn")
            raise
        if deadline.expired:
            raise SourceUnavailable(f"{self._source_name} did not answer in time")
        return turn

    def _answered(
        self, request: requests.PreparedRequest, deadline: Deadline, options: Mapping[str, Any]
    ) -> requests.Response:
        allowed = Deadline(min(self._settings.request_timeout_seconds, deadline.remaining()))
        # urllib3 refuses a timeout of zero.
        longest = max(allowed.remaining(), 0.001)
        timeout = (
            min(self._settings.connect_timeout_seconds, longest),
            min(self._settings.read_timeout_seconds, longest),
        )
        try:
            response = super().send(request, **{**options, "stream": True, "timeout": timeout})
            body = self._read_body(response, allowed)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            self._circuit.failed()
            raise
        except SourceUnavailable:
            # Larger than anything we accept, and cut off there.
            self._circuit.misunderstood()
            raise
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._circuit.failed()
        elif response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            self._circuit.succeeded()
        # requests has no public way to hand over a body that was read already.
        vars(response).update(_content=body, _content_consumed=True)
        return response

    def _read_body(self, response: requests.Response, allowed: Deadline) -> bytes:
        """Reads what has arrived, piece by piece: a plain read waits for a slow drip as long as it lasts."""
        body = bytearray()
        with closing(response):
            for piece in self._pieces(response):
                body += piece
                if len(body) > self._settings.max_response_bytes:
                    raise SourceUnavailable(f"{self._source_name} sent a larger answer than we accept")
                if allowed.expired:
                    raise requests.ReadTimeout("The answer did not arrive in time", response=response)
        return bytes(body)

    @staticmethod
    def _pieces(response: requests.Response) -> Iterator[bytes]:
        ours = response.headers.get("Content-Encoding", "").strip().lower() in PACKED
        unpacker = Unpacker(READ_SIZE)
        try:
            while piece := response.raw.read1(READ_SIZE, decode_content=not ours):
                if ours:
                    yield from unpacker.unpack(piece)
                else:
                    yield piece
            unpacker.end()
        except urllib3.exceptions.ReadTimeoutError as error:
            raise requests.ReadTimeout(error, response=response) from error
        except (urllib3.exceptions.HTTPError, DamagedAnswer) as error:
            raise requests.exceptions.ChunkedEncodingError(error, response=response) from error
