"""`@cached`: a view whose answers are kept ready under the version of the data they were made of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial, wraps
from http import HTTPStatus
from typing import Any, ParamSpec, cast

import orjson
from flask import Response, current_app, request
from werkzeug.http import parse_accept_header

from klyx.caching.build import build_id
from klyx.caching.entry import Entry, make_entry
from klyx.caching.flights import Flights
from klyx.caching.store import Store
from klyx.caching.versions import Versions

P = ParamSpec("P")

EXTENSION_KEY = "klyx_answers"
# A namespace for answers made of code alone; another deployment has other keys anyway.
NEVER_CHANGES = "code"
READY_MARK = "klyx.ready_answer"
# How much longer than fresh an answer is kept, to be served while one request works out the next.
STALE_SECONDS = 60
# In If-None-Match: whatever answer there is, the client has one already.
ANY_ETAG = "*"


@dataclass(frozen=True, slots=True)
class Answers:
    """What `@cached` works with, one for each application."""

    versions: Versions
    store: Store
    flights: Flights[Entry | None]
    enabled: bool
    build: str = field(default_factory=build_id)

    def key(self, namespace: str, version: int, *question: Any) -> str:
        """What an answer to `question`, made by this code of this version of the data, is kept under."""
        asked = orjson.dumps((self.build, *question), option=orjson.OPT_SORT_KEYS)
        return f"{namespace}:{version}:{hashlib.blake2b(asked, digest_size=16).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Policy:
    """How the answers of one view are kept. `browser_seconds` is how long a client need not ask again."""

    ttl_seconds: int
    browser_seconds: int
    is_personal: bool

    @property
    def cache_control(self) -> str:
        scope = "private" if self.is_personal else "public"
        age = f"max-age={self.browser_seconds}"
        return f"{scope}, {age}" if self.browser_seconds else f"{scope}, {age}, must-revalidate"


@dataclass(frozen=True, slots=True)
class ReadyMark:
    """Left in the WSGI environment for klyx.caching.ready: this answer may be given again as it is."""

    namespace: str
    entry_key: str
    route: str


def cached(
    namespace: str | Callable[[], str], *, ttl_seconds: int, browser_seconds: int = 0
) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Keep the 200 answers of a view, which must depend on its arguments and on the data of `namespace` only.

    Place it under the decorators that parse the arguments and above the one that shapes the answer. A
    callable gives a namespace that belongs to the caller alone; such answers are private.
    """

    def decorate(view: Callable[P, Response]) -> Callable[P, Response]:
        policy = Policy(ttl_seconds, browser_seconds, is_personal=callable(namespace))

        @wraps(view)
        def answer(*args: P.args, **kwargs: P.kwargs) -> Response:
            answers = cast(Answers, current_app.extensions[EXTENSION_KEY])
            if not answers.enabled:
                return view(*args, **kwargs)
            name = namespace() if callable(namespace) else namespace
            make = partial(_made, view, *args, **kwargs)
            return _answer(answers, policy, name, (args, kwargs), make)

        return answer

    return decorate


def _made(view: Callable[P, Response], *args: P.args, **kwargs: P.kwargs) -> Response:
    return current_app.make_response(view(*args, **kwargs))


def _answer(
    answers: Answers, policy: Policy, namespace: str, arguments: Any, make: Callable[[], Response]
) -> Response:
    # Before the data is read: what is kept under this version is at least as new as it says.
    version = answers.versions.current(namespace)
    key = answers.key(namespace, version, request.endpoint, arguments)
    etag = hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
    is_safe = request.method in ("GET", "HEAD")
    if_none_match = request.headers.get("If-None-Match", "")
    if is_safe and if_none_match.strip() != ANY_ETAG and (offered := matching_etag(if_none_match, etag)):
        return _with_headers(Response(status=HTTPStatus.NOT_MODIFIED), policy, offered)
    refused: list[Response] = []

    def compute() -> Entry | None:
        response = make()
        if response.status_code != HTTPStatus.OK:
            refused.append(response)
            return None
        entry = make_entry(
            response.get_data(),
            content_type=response.content_type or "application/json",
            disposition=response.headers.get("Content-Disposition", ""),
            etag=etag,
            version=version,
            ttl_seconds=policy.ttl_seconds,
            compress=not policy.is_personal,
        )
        answers.store.put(key, entry, policy.ttl_seconds + STALE_SECONDS)
        return entry

    entry = answers.store.get(key)
    if entry is None or not entry.is_fresh:
        entry = answers.flights.join(key, lambda: answers.store.get_fresh(key), compute, meanwhile=entry)
    if entry is None:
        return refused[0] if refused else make()
    if not is_safe:
        response = _body_response(entry, entry.body)
        response.headers["Cache-Control"] = "no-store"
        return response
    # Whether there is an answer at all shows only now.
    if offered := matching_etag(if_none_match, entry.etag):
        return _with_headers(Response(status=HTTPStatus.NOT_MODIFIED), policy, offered)
    if not policy.is_personal:
        request.environ[READY_MARK] = ReadyMark(namespace, key, str(request.url_rule))
    return _ready_response(entry, policy)


def _ready_response(entry: Entry, policy: Policy) -> Response:
    if entry.gzipped and accepts_gzip(request.headers.get("Accept-Encoding", "")):
        response = _body_response(entry, entry.gzipped)
        response.headers["Content-Encoding"] = "gzip"
        return _with_headers(response, policy, f"{entry.etag}-gzip")
    return _with_headers(_body_response(entry, entry.body), policy, entry.etag)


def _body_response(entry: Entry, body: bytes) -> Response:
    response = Response(body, content_type=entry.content_type)
    if entry.disposition:
        response.headers["Content-Disposition"] = entry.disposition
    return response


def _with_headers(response: Response, policy: Policy, etag: str) -> Response:
    response.headers["ETag"] = f'"{etag}"'
    response.headers["Cache-Control"] = policy.cache_control
    response.vary.update(["Accept-Encoding", "Authorization"] if policy.is_personal else ["Accept-Encoding"])
    return response


def matching_etag(if_none_match: str, etag: str) -> str | None:
    """The ETag, of the plain or of the compressed body, that the client has already; None when it has neither."""
    if not if_none_match:
        return None
    if if_none_match.strip() == ANY_ETAG:
        return etag
    offered = {part.strip().removeprefix("W/").strip('"') for part in if_none_match.split(",")}
    return next((known for known in (etag, f"{etag}-gzip") if known in offered), None)


def accepts_gzip(accept_encoding: str) -> bool:
    if "gzip" not in accept_encoding:
        return False
    return ";" not in accept_encoding or parse_accept_header(accept_encoding)["gzip"] > 0
