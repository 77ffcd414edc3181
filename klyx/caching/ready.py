"""Answers that leave before Flask: a request seen before, for data that has not changed since, gets the same bytes.

The first answer goes the whole way; what it looked like in the end, security headers and all, is remembered
here with the request it belongs to. From then on such a request costs one look at the version.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from cachetools import LRUCache

from klyx.caching.answers import READY_MARK, Answers, ReadyMark, accepts_gzip, matching_etag
from klyx.caching.entry import Entry
from klyx.errors import KlyxError
from klyx.logs import accepted_request_id, request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from klyx.flood_guard import FloodGuard
    from klyx.request_log import RequestLog

_MOST_REQUESTS = 2000
_LONGEST_REQUEST = 600
_HEADER_SETS = 100
# What belongs to one exchange or one coding of the body.
_OWN_HEADERS = frozenset({"x-request-id", "content-length", "content-encoding", "etag"})

Headers = list[tuple[str, str]]
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """Where the entry lies, not the entry: the store alone decides how much memory entries have."""

    namespace: str
    entry_key: str
    headers: tuple[tuple[str, str], ...]
    route: str


class ReadyAnswers:
    """WSGI middleware next to Flask, inside whatever changes the environment (proxy headers, versions)."""

    def __init__(self, app: WSGIApplication, answers: Answers, guard: FloodGuard, log: RequestLog) -> None:
        self._app = app
        self._answers = answers
        self._guard = guard
        self._log = log
        self._ready: LRUCache[Key, Ready] = LRUCache(_MOST_REQUESTS)
        # Nearly all answers have the same headers, which would be most of what is remembered.
        self._headers: LRUCache[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] = LRUCache(_HEADER_SETS)
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        key = _key(environ)
        if key is None:
            return self._app(environ, start_response)
        with self._lock:
            ready = self._ready.get(key)
        started = self._log.now()
        entry = self._answers.store.at_hand(ready.entry_key) if ready is not None else None
        if ready and entry and self._guard.lets_pass_early(environ) and self._is_current(ready, entry):
            request_id.set(accepted_request_id(environ.get("HTTP_X_REQUEST_ID")))
            status, headers, body = _answer(ready, entry, environ)
            headers.append(("X-Request-ID", request_id.get() or ""))
            self._log.write("GET", ready.route, int(status[:3]), started)
            start_response(status, headers)
            return [body] if body else []
        return self._app(environ, self._remembering(key, environ, start_response))

    def _is_current(self, ready: Ready, entry: Entry) -> bool:
        # When nobody can say, the application goes and tells the client.
        with suppress(KlyxError):
            return self._answers.versions.current(ready.namespace) == entry.version
        return False

    def _remembering(self, key: Key, environ: WSGIEnvironment, start_response: StartResponse) -> StartResponse:
        def start(status: str, headers: Headers, *others: Any) -> Callable[[bytes], object]:
            mark: ReadyMark | None = environ.get(READY_MARK)
            if mark is not None and status.startswith("200") and _may_be_shared(headers):
                common = tuple(header for header in headers if header[0].lower() not in _OWN_HEADERS)
                with self._lock:
                    common = self._headers.setdefault(common, common)
                    self._ready[key] = Ready(mark.namespace, mark.entry_key, common, mark.route)
            return start_response(status, headers, *others)

        return cast("StartResponse", start)


def _key(environ: WSGIEnvironment) -> Key | None:
    """All that an answer can depend on; None when the request is not one to be remembered."""
    if environ["REQUEST_METHOD"] != "GET" or "HTTP_AUTHORIZATION" in environ:
        return None
    key = (
        environ.get("PATH_INFO", ""),
        environ.get("QUERY_STRING", ""),
        environ.get("HTTP_ORIGIN", ""),
        environ.get("wsgi.url_scheme", ""),
        environ.get("HTTP_X_FORWARDED_PROTO", ""),
    )
    return key if sum(map(len, key)) <= _LONGEST_REQUEST else None


def _may_be_shared(headers: Headers) -> bool:
    return not any(name.lower() == "set-cookie" for name, _ in headers)


def _answer(ready: Ready, entry: Entry, environ: WSGIEnvironment) -> tuple[str, Headers, bytes]:
    if offered := matching_etag(environ.get("HTTP_IF_NONE_MATCH", ""), entry.etag):
        headers = [header for header in ready.headers if header[0] != "Content-Type"]
        return "304 NOT MODIFIED", [*headers, ("ETag", f'"{offered}"')], b""
    if entry.gzipped and accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
        body, own = entry.gzipped, [("ETag", f'"{entry.etag}-gzip"'), ("Content-Encoding", "gzip")]
    else:
        body, own = entry.body, [("ETag", f'"{entry.etag}"')]
    return "200 OK", [*ready.headers, *own, ("Content-Length", str(len(body)))], body
