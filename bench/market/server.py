"""All five sources on this machine, in one process: `python -m bench.market.server` prints how to use them.

with Simulator(Market.generated(100)) as simulator:
    simulator.delays["yahoo"] = 1.0
    simulator.fail("429", slug="nse", retry_after="5")
    settings = SourceSettings(base_url_rewrites=simulator.rewrites)
"""

from __future__ import annotations

import gzip
import io
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import click

from bench.market import Answer, Company, Market, State
from bench.market.arrivals import Arrivals
from bench.market.catalogue import OLDER_DELAYS, Documents, documents, share_of_delay
from bench.market.failures import HUGE_BYTES, PARTIAL, Kind, Rule, spoiled
from bench.market.stamps import StampedReader

_PIECE = b" " * 65_536
# Smaller bodies are not worth it, and real servers think so too.
_COMPRESSED_FROM_BYTES = 2_000


class Simulator:
    """Answers for every host of the sources that have documents. Thread-safe.

    `delays` are seconds for a whole fetch from a source, by its slug: every request takes its share of them.
    """

    def __init__(self, market: Market, port: int = 0, sources: Mapping[str, Documents] | None = None) -> None:
        self.market = market
        self.arrivals = Arrivals()
        self.delays: dict[str, float] = {}
        self.stopping = threading.Event()
        self._by_host: Mapping[str, Documents] = documents() if sources is None else sources
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.simulator = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def rewrites(self) -> dict[str, str]:
        """For `SourceSettings.base_url_rewrites`: every host of every source is this server."""
        return {host: f"{self.url}/{host}" for host in self._by_host}

    @property
    def environment(self) -> dict[str, str]:
        """SOURCE_REWRITES for programs that are to ask this server."""
        return {"SOURCE_REWRITES": ",".join(f"{host}={url}" for host, url in self.rewrites.items())}

    def fail(
        self,
        kind: Kind,
        *,
        slug: str | None = None,
        path: str = "",
        symbol: str | None = None,
        times: int | None = None,
        retry_after: str | None = None,
    ) -> None:
        """Fails these requests, for ever or `times` times, until `recover`."""
        with self._lock:
            self._rules.append(Rule(kind, slug, path, symbol, times, retry_after))

    def recover(self) -> None:
        with self._lock:
            self._rules.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def documents_of(self, host: str) -> Documents | None:
        return self._by_host.get(host)

    def wait(self, slug: str, path: str, company: Company | None) -> None:
        """As long as this request takes of its source's delay."""
        seconds = self.delays.get(slug, 0.0) * share_of_delay(slug, path, company)
        if seconds:
            self.stopping.wait(seconds)

    def rule_for(self, slug: str, path: str, symbol: str | None) -> Rule | None:
        """The failure that a request meets, if any; one of those it may still meet is used up."""
        with self._lock:
            rule = next((rule for rule in self._rules if rule.meets(slug, path, symbol)), None)
            if rule is not None and rule.times is not None:
                rule.times -= 1
            return rule


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    simulator: Simulator

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is part of the measurements."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Ends the thread of a connection that the client keeps open and does not use.
    timeout = 60
    # Head and body leave together; apart they wait for each other's acknowledgement.
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._reader = StampedReader(self.connection)
        self.rfile.close()
        self.rfile = io.BufferedReader(self._reader)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Quiet."""

    def do_GET(self) -> None:
        # yfinance sends a body by GET as well; unread, it would be taken for the next request.
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def do_POST(self) -> None:
        self.do_GET()

    def _serve(self, body: bytes) -> None:
        simulator, arrived = self.server.simulator, self._reader.arrived()
        address = urlsplit(self.path)
        host, _, quoted = address.path.lstrip("/").partition("/")
        source = simulator.documents_of(host)
        if source is None:
            self._send((404, {"Content-Type": "text/plain"}, b"No source has this host."))
            return
        path, query = unquote(quoted), parse_qs(address.query)
        symbol = source.symbol_of(host, path, query)
        simulator.arrivals.note(arrived, source.slug, host, path, query, symbol)
        rule = simulator.rule_for(source.slug, path, symbol)
        if rule is not None and rule.kind in PARTIAL:
            self._send_partly(rule.kind)
            return
        company = None if symbol is None else simulator.market.company(symbol)
        simulator.wait(source.slug, path, company)
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = source.answer(company, host, path, query, State(simulator.market, headers, body))
        self._send(answer if rule is None else spoiled(rule, answer))

    def _send(self, answer: Answer) -> None:
        status, headers, body = answer
        headers = dict(headers)
        accepts_gzip = "gzip" in self.headers.get("Accept-Encoding", "")
        if accepts_gzip and "Content-Encoding" not in headers and len(body) >= _COMPRESSED_FROM_BYTES:
            headers["Content-Encoding"], body = "gzip", gzip.compress(body, 1)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_partly(self, kind: Kind) -> None:
        """Says nothing, hangs up, or promises a body and does not keep its word."""
        stopping = self.server.simulator.stopping
        self.close_connection = True
        if kind == "silence":
            stopping.wait()
            return
        if kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(HUGE_BYTES if kind == "huge" else 100_000))
        self.end_headers()
        for piece, pause_seconds in _pieces(kind):
            self.wfile.write(piece)
            self.wfile.flush()
            if stopping.wait(pause_seconds):
                return


def _pieces(kind: Kind) -> Iterator[tuple[bytes, float | None]]:
    """What is sent, and how long to wait after it; None is until the server ends."""
    if kind == "half_way":
        yield b'{"info": {"symbol": "', None
    elif kind == "drip":
        for _ in range(100_000):
            yield b" ", 0.05
    else:
        for _ in range(HUGE_BYTES // len(_PIECE)):
            yield _PIECE, 0.0


@click.command()
@click.option("--stocks", default=200, show_default=True, help="Companies on the exchange.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder with EQUITY_L.csv to serve.")
@click.option("--port", default=8765, show_default=True)
@click.option("--slow", is_flag=True, help="Answer as slowly as the real sources did.")
def main(stocks: int, data: Path | None, port: int, slow: bool) -> None:
    """Serve simulated sources until Ctrl-C."""
    today = datetime.now(UTC).date()
    market = Market.from_folder(data, today) if data else Market.generated(stocks, today)
    with Simulator(market, port) as simulator:
        simulator.delays.update(OLDER_DELAYS if slow else {})
        click.echo(f"{len(market)} companies at {simulator.url}. For `make run`:")
        for name, value in simulator.environment.items():
            click.echo(f"export {name}='{value}'")
        with suppress(KeyboardInterrupt):
            simulator.stopping.wait()


if __name__ == "__main__":
    main()
