"""A Yahoo Finance on this machine: the endpoints yfinance 1.7 asks, in their shapes, with failures on demand.

    with FakeYahoo() as yahoo:
        source = YahooSource(SourceContext(yahoo.settings(tmp_path)))
        yahoo.fail_with("429", path="quoteSummary")

The first segment of a path names the host that was meant, so that one server stands for all of them.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from klyx.sources.http import SourceSettings
from tests.fakes.yahoo_figures import COMPANIES, QUARTERS, YEARS, Company

Failure = Literal[
    "401", "404", "429", "500", "503", "reset", "cut", "stall", "drip", "garbage", "empty", "huge", "redirect"
]
# Status, body, headers.
Answer = tuple[int, str, dict[str, str]]
HOSTS = (
    "fc.yahoo.com",
    "guce.yahoo.com",
    "consent.yahoo.com",
    "finance.yahoo.com",
    "query1.finance.yahoo.com",
    "query2.finance.yahoo.com",
)
CRUMB = "fakeCrumb.1"
CONSENT_FORM = '<form><input name="csrfToken" value="token"><input name="sessionId" value="1"></form>'


@dataclass
class _Rule:
    failure: Failure
    path: str
    times: int | None
    retry_after: str | None


class FakeYahoo:
    """Answers for the companies of `yahoo_figures` until told otherwise. Thread-safe."""

    def __init__(self, companies: dict[str, Company] | None = None) -> None:
        self.companies = COMPANIES if companies is None else companies
        self.paths: list[str] = []
        self.busiest = 0
        self.cookie_value = "d=fake&S=fake"
        self._busy = 0
        self._rules: list[_Rule] = []
        self._delay_seconds = 0.0
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.yahoo = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def rewrites(self) -> dict[str, str]:
        """For `SourceSettings.base_url_rewrites`: every host of Yahoo is this server."""
        return {host: f"{self.url}/{host}" for host in HOSTS}

    @property
    def requests(self) -> int:
        """Requests received so far."""
        return len(self.paths)

    def settings(self, cache_folder: Path, **changes: Any) -> SourceSettings:
        """Settings that reach this server alone, and give up quickly."""
        quick: dict[str, Any] = {
            "connect_timeout_seconds": 2.0,
            "read_timeout_seconds": 2.0,
            "request_timeout_seconds": 2.0,
            "backoff_seconds": 0.01,
            "base_url_rewrites": self.rewrites,
            "cache_folder": cache_folder,
        }
        return SourceSettings(**{**quick, **changes})

    def asked(self, part: str) -> int:
        """Requests received so far whose path contains `part`."""
        return sum(part in path for path in list(self.paths))

    def fail_with(
        self, failure: Failure, path: str = "", times: int | None = None, retry_after: str | None = None
    ) -> None:
        """Fails requests whose path contains `path`, for ever or `times` times."""
        with self._lock:
            self._rules.append(_Rule(failure, path, times, retry_after))

    def delay(self, seconds: float) -> None:
        """Waits this long before every answer."""
        self._delay_seconds = seconds

    def expire_cookies(self) -> None:
        """Honours new cookies only."""
        self.cookie_value += "x"

    def recover(self) -> None:
        """Back to answering at once and well."""
        with self._lock:
            self._rules.clear()
        self._delay_seconds = 0.0

    def __enter__(self) -> Self:
        forget_earlier_sessions()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        forget_earlier_sessions()

    def begin(self, path: str) -> _Rule | None:
        """Notes a request; the failure it meets, if any."""
        with self._lock:
            self.paths.append(path)
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
            rule = next((rule for rule in self._rules if rule.path in path and rule.times != 0), None)
            if rule is not None and rule.times is not None:
                rule.times -= 1
        if self._delay_seconds:
            self.stopping.wait(self._delay_seconds)
        return rule

    def end(self) -> None:
        with self._lock:
            self._busy -= 1


def forget_earlier_sessions() -> None:
    """yfinance keeps one session, its crumb and its answers for the process; a new server needs new ones."""
    from yfinance.cache import _CookieCacheManager
    from yfinance.data import SingletonMeta, YfData

    _CookieCacheManager._cookie_cache = None
    SingletonMeta._instances.pop(YfData, None)
    YfData.cache_get.cache_clear()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True
    yahoo: FakeYahoo

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Ends the thread of a connection that the client keeps open.
    timeout = 5
    # Head and body leave together; apart they wait for each other's acknowledgement.
    wbufsize = -1
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Quiet."""

    def do_GET(self) -> None:
        # yfinance sends its consent with a body, by GET as well; unread, it would be taken for the next request.
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        yahoo = self.server.yahoo
        rule = yahoo.begin(self.path)
        try:
            if rule is None:
                self._answer(*self._found())
            else:
                self._fail(rule)
        finally:
            yahoo.end()

    def do_POST(self) -> None:
        self.do_GET()

    def _found(self) -> Answer:
        address = urlsplit(self.path)
        _, host, path = address.path.split("/", 2)
        if host == "fc.yahoo.com":
            return 404, "<html>not found</html>", {"Set-Cookie": _cookie(self.server.yahoo.cookie_value)}
        if host in {"guce.yahoo.com", "consent.yahoo.com"}:
            return 200, CONSENT_FORM, {"Set-Cookie": _cookie(self.server.yahoo.cookie_value)}
        if f"A3={self.server.yahoo.cookie_value}" not in self.headers.get("Cookie", ""):
            return 401, _error("finance", "Unauthorized", "Invalid Cookie"), {}
        return self._figures(path, parse_qs(address.query))

    def _figures(self, path: str, query: dict[str, list[str]]) -> Answer:
        if path == "v1/test/getcrumb":
            return 200, CRUMB, {}
        if path.startswith("ws/fundamentals-timeseries/v1/finance/timeseries/"):
            return 200, self._timeseries(path, query), {}
        if query.get("crumb") != [CRUMB]:
            return 401, _error("finance", "Unauthorized", "Invalid Crumb"), {}
        if path.startswith("v10/finance/quoteSummary/"):
            return self._quote_summary(path, query)
        if path == "v7/finance/quote":
            return 200, self._quotes(query), {}
        return 404, _error("finance", "Not Found", "No such endpoint"), {}

    def _company(self, path: str) -> Company | None:
        return self.server.yahoo.companies.get(unquote(path.rsplit("/", 1)[1]))

    def _quote_summary(self, path: str, query: dict[str, list[str]]) -> Answer:
        company = self._company(path)
        if company is None:
            symbol = unquote(path.rsplit("/", 1)[1])
            return 404, _error("quoteSummary", "Not Found", f"Quote not found for symbol: {symbol}"), {}
        modules = query["modules"][0].split(",")
        result = {name: values for name, values in company.summary.items() if name in modules}
        return 200, json.dumps({"quoteSummary": {"result": [result], "error": None}}), {}

    def _quotes(self, query: dict[str, list[str]]) -> str:
        known = self.server.yahoo.companies
        wanted = [symbol for symbol in query["symbols"][0].split(",") if symbol in known]
        result = [{"symbol": symbol, **known[symbol].quote} for symbol in wanted]
        return json.dumps({"quoteResponse": {"result": result, "error": None}})

    def _timeseries(self, path: str, query: dict[str, list[str]]) -> str:
        company = self._company(path)
        result = []
        for name in query["type"][0].split(","):
            entry: dict[str, Any] = {"meta": {"symbol": [path.rsplit("/", 1)[1]], "type": [name]}}
            points = _points(company, name) if company else []
            if company and points:
                entry["timestamp"] = [_seconds(day) for day, _ in points]
                entry[name] = [_point(name, day, value, company) for day, value in points if value is not None]
            result.append(entry)
        return json.dumps({"timeseries": {"result": result, "error": None}})

    def _answer(self, status: int, body: str, headers: dict[str, str]) -> None:
        content = body.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json;charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _fail(self, rule: _Rule) -> None:
        if rule.failure == "reset":
            self._reset()
        elif rule.failure in {"cut", "stall", "drip"}:
            self._answer_partly(rule.failure)
        else:
            retry_after = {} if rule.retry_after is None else {"Retry-After": rule.retry_after}
            answers: dict[str, Answer] = {
                "401": (401, _error("finance", "Unauthorized", "Invalid Crumb"), {}),
                "404": (404, "<html>not found</html>", {}),
                "429": (429, "Too Many Requests\r\n", retry_after),
                "500": (500, "<html>error</html>", {}),
                "503": (503, "<html>error</html>", {}),
                "garbage": (200, '{"quoteSummary": {"resu', {}),
                "empty": (200, json.dumps({self._envelope(): {"result": [], "error": None}}), {}),
                "huge": (200, " " * 2_000_000, {}),
                "redirect": (302, "", {"Location": "https://elsewhere.example/steal"}),
            }
            self._answer(*answers[rule.failure])

    def _envelope(self) -> str:
        if "quoteSummary" in self.path:
            return "quoteSummary"
        return "quoteResponse" if "v7/finance/quote" in self.path else "timeseries"

    def _reset(self) -> None:
        """Closes with a TCP reset instead of an answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _answer_partly(self, failure: Failure) -> None:
        """Promises a body and hangs up, falls silent, or goes on with a byte every 50 ms."""
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b" ")
        self.wfile.flush()
        self.close_connection = True
        if failure == "stall":
            self.server.yahoo.stopping.wait()
        while failure == "drip" and not self.server.yahoo.stopping.wait(0.05):
            self.wfile.write(b" ")
            self.wfile.flush()


def _points(company: Company, name: str) -> list[tuple[str, float | None]]:
    annual = name.startswith("annual")
    series = company.yearly if annual else company.quarterly
    return list(zip(YEARS if annual else QUARTERS, series.get(name, ()), strict=False))


def _seconds(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def _point(name: str, day: str, value: float, company: Company) -> dict[str, Any]:
    return {
        "dataId": 20100,
        "asOfDate": day,
        "periodType": "12M" if name.startswith("annual") else "3M",
        "currencyCode": company.summary["financialData"]["financialCurrency"],
        "reportedValue": {"raw": value, "fmt": f"{value:.2f}"},
    }


def _cookie(value: str) -> str:
    expires = format_datetime(datetime.now(UTC) + timedelta(days=365), usegmt=True)
    return f"A3={value}; Expires={expires}; Domain=.yahoo.com; Path=/; Secure; HttpOnly"


def _error(envelope: str, code: str, description: str) -> str:
    return json.dumps({envelope: {"result": None, "error": {"code": code, "description": description}}})
