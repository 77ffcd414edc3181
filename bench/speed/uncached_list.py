"""A list of 50 stocks worked out anew, against its own SQL and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import psycopg2

from bench.speed import paths
from bench.speed.client import Request, UnexpectedAnswer
from bench.speed.figures import Effort, Measurement, Spread, at_most
from bench.speed.stand import FEW, Stand
from bench.speed.statements import reads_of_stocks
from klyx.database.connection import PooledConnection

GOAL = 2.0


def measure(stand: Stand, effort: Effort) -> Iterator[Measurement]:
    request = Request(paths.LIST)
    with stand.application(is_cached=False) as web, web.connect() as http:
        # Both processes have opened their connections, and counted what they count once, before this.
        http.milliseconds([request] * 20)
        with stand.statements.recording() as sent:
            http.send(request)
        statements = reads_of_stocks(sent)
        if not statements:
            raise UnexpectedAnswer(f"GET {request.path} read no stocks: is it answered from a cache?")
        # The application's kind of connection: figures arrive as the same Python objects.
        database = psycopg2.connect(stand.database_url(FEW), connection_factory=PooledConnection)
        try:
            _seconds_of_sql(database, statements, 20)
            ours: list[float] = []
            bare: list[float] = []
            for _ in range(effort.rounds):
                bare.append(median(_seconds_of_sql(database, statements, effort.samples)) * 1000)
                ours.append(median(http.milliseconds([request] * effort.samples)))
        finally:
            database.close()
    ratios = [one / least for one, least in zip(ours, bare, strict=True)]
    yield at_most(
        "uncached list of 50: p50 of HTTP against its SQL in psycopg2",
        ratios,
        GOAL,
        "x",
        f"{Spread.of(ours).text()} ms against {Spread.of(bare).text()} ms; {len(statements)} of the "
        f"{len(sent)} statements of a request read stocks",
    )


def _seconds_of_sql(database: Any, statements: list[str], times: int) -> list[float]:
    taken: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        with database.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                cursor.fetchall()
        database.rollback()
        taken.append(time.perf_counter() - started)
    return taken
