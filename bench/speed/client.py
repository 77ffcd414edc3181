"""A client that costs little itself: one kept connection, no redirects, no decoding."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import orjson

TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def post(cls, path: str, document: Any, headers: Mapping[str, str] | None = None) -> Request:
        return cls(path, orjson.dumps(document), {"Content-Type": "application/json", **(headers or {})})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float

    def json(self) -> Any:
        return orjson.loads(self.body)


class UnexpectedAnswer(Exception):
    """The application answered what a measurement cannot use."""


class Connection:
    """A kept connection to one server; opened again when the server closed it while idle."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, request: Request, expected_status: int | None = 200) -> Answer:
        """Raises UnexpectedAnswer for another status than the expected one (None: any will do)."""
        try:
            answer = self._send(request)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._http.close()
            answer = self._send(request)
        if expected_status is not None and answer.status != expected_status:
            raise UnexpectedAnswer(f"{request.path} answered {answer.status}: {answer.body[:300]!r}")
        return answer

    def milliseconds(self, requests: Sequence[Request]) -> list[float]:
        """How long each of the requests takes, one after another."""
        return [self.send(request).seconds * 1000 for request in requests]

    def _send(self, request: Request) -> Answer:
        started = time.perf_counter()
        method = "GET" if request.body is None else "POST"
        self._http.request(method, request.path, body=request.body, headers=dict(request.headers))
        response = self._http.getresponse()
        body = response.read()
        return Answer(response.status, response.headers, body, time.perf_counter() - started)
