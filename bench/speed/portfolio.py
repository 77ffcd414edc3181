"""A portfolio of ten stocks: in one batch, and as frontend A asks for it, one search a stock."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from statistics import median

from bench.speed import paths
from bench.speed.client import Connection, Request
from bench.speed.figures import Effort, Measurement, Spread, at_least, at_most
from bench.speed.stand import Stand, Web

SIZE = 10
BROWSER_CONNECTIONS = 6
GOAL_RATIO, GOAL_WARM_MILLISECONDS = 5.0, 60.0
ACCOUNT = {"email": "bench@example.com", "password": "Measured-2026", "name": "Bench"}


class Browser:
    """Six kept connections, as browsers open to one host; the searches are sent as soon as one is free."""

    def __init__(self, connections: Sequence[Connection], threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._free: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        for connection in connections:
            self._free.put(connection)

    def milliseconds(self, first: Request, then: Sequence[Request]) -> float:
        """Until all have been answered: `first`, whose answer names the others, then those."""
        started = time.perf_counter()
        self._send(first)
        list(self._threads.map(self._send, then))
        return (time.perf_counter() - started) * 1000

    def _send(self, request: Request) -> None:
        connection = self._free.get()
        try:
            connection.send(request)
        finally:
            self._free.put(connection)


def measure(stand: Stand, effort: Effort) -> Iterator[Measurement]:
    names = paths.portfolio(SIZE)
    searches = [Request(paths.search(name, limit=1)) for name in names]
    batch = Request.post(paths.BATCH, {"stock_names": names})
    in_batch: list[float] = []
    in_parallel: list[float] = []
    in_sequence: list[float] = []
    with stand.application(is_cached=False) as web, _browser(web) as browser, web.connect() as connection:
        own_names = _with_portfolio(connection, names)
        connection.milliseconds([own_names, *searches, batch] * 3)
        browser.milliseconds(own_names, searches)
        for _ in range(effort.rounds):
            tries = range(max(effort.samples // 4, 3))
            in_batch.append(median(connection.milliseconds([batch] * effort.samples)))
            in_parallel.append(median(browser.milliseconds(own_names, searches) for _ in tries))
            in_sequence.append(median(sum(connection.milliseconds([own_names, *searches])) for _ in tries))
    yield at_least(
        f"portfolio of {SIZE}, uncached: 1 + {SIZE} requests of A over one batch",
        [many / one for many, one in zip(in_parallel, in_batch, strict=True)],
        GOAL_RATIO,
        f"batch {Spread.of(in_batch).text()} ms; A over {BROWSER_CONNECTIONS} connections "
        f"{Spread.of(in_parallel).text()} ms, one after another {Spread.of(in_sequence).text()} ms",
        "judged by the way over parallel connections, which is how a browser does it",
    )
    yield _warm(stand, effort, names, searches)


def _warm(stand: Stand, effort: Effort, names: list[str], searches: list[Request]) -> Measurement:
    with stand.application() as web, _browser(web) as browser, web.connect() as connection:
        own_names = _with_portfolio(connection, names)
        for _ in range(4):
            browser.milliseconds(own_names, searches)
        in_parallel = [browser.milliseconds(own_names, searches) for _ in range(effort.samples)]
        in_sequence = [sum(connection.milliseconds([own_names, *searches])) for _ in range(effort.samples // 2)]
    return at_most(
        f"portfolio of {SIZE} as A asks for it, warm: all {SIZE + 1} requests",
        in_parallel,
        GOAL_WARM_MILLISECONDS,
        "ms",
        f"one after another {Spread.of(in_sequence).text()} ms",
    )


@contextmanager
def _browser(web: Web) -> Iterator[Browser]:
    with ThreadPoolExecutor(BROWSER_CONNECTIONS) as threads, ExitStack() as open_connections:
        connections = [open_connections.enter_context(web.connect()) for _ in range(BROWSER_CONNECTIONS)]
        yield Browser(connections, threads)


def _with_portfolio(connection: Connection, names: list[str]) -> Request:
    """The request for the names of a new or known person's portfolio, which holds the stocks named."""
    connection.send(Request.post("/api/auth/register", ACCOUNT), expected_status=None)
    session = connection.send(Request.post("/api/auth/login", ACCOUNT)).json()["data"]
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    for name in names:
        connection.send(Request.post("/api/portfolio/add", {"stock_name": name}, headers))
    return Request("/api/portfolio", headers=headers)
