"""How often an answer is worked out that 200 clients ask for at the same moment, when nobody has it yet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from bench.speed import paths
from bench.speed.client import Request
from bench.speed.figures import Effort, Measurement, Missing, Spread
from bench.speed.stand import Stand, Web
from bench.speed.statements import reads_of_stocks

CLIENTS = 200
TIMEOUT_SECONDS = 60.0


def measure(stand: Stand, effort: Effort) -> Iterator[Measurement]:
    with stand.application() as web:
        with web.connect() as connection:
            # Every thread that works one out needs a connection to the database; some are open before.
            connection.milliseconds([Request(f"{paths.LIST}&offset={1_000 + number}") for number in range(20)])
            routes = {
                "list": [f"{paths.LIST}&offset={number}" for number in range(1, effort.cold_rounds + 1)],
                "details": [paths.details(symbol) for symbol in paths.symbols(200)[-effort.cold_rounds :]],
            }
            try:
                routes["preset"] = [paths.preset(name) for name in paths.preset_ids(connection)[: effort.cold_rounds]]
            except Missing as missing:
                yield Measurement("identical cold requests for a preset", f"not measured: {missing}")
        for what, cold in routes.items():
            yield _route(stand, web, what, cold)


def _route(stand: Stand, web: Web, what: str, cold: list[str]) -> Measurement:
    computations: list[float] = []
    failures = different = 0
    for path in cold:
        with stand.statements.recording() as sent:
            answers = asyncio.run(_at_once(web.port, path))
        computations.append(len(reads_of_stocks(sent)))
        failures += sum(status != 200 for status, _ in answers)
        different += len({body for _, body in answers}) - 1
    spread = Spread.of(computations)
    return Measurement(
        f"{CLIENTS} identical cold requests for a {what}: computations",
        spread.text(0),
        "1",
        spread.high == 1 and failures == 0,
        (f"{failures} of {CLIENTS * len(cold)} answers were not 200; {different} bodies differed",
         "counted as statements that read stocks, in PostgreSQL's own log"),
    )  # fmt: skip


async def _at_once(port: int, path: str) -> list[tuple[int, bytes]]:
    """Status and body of each; all connections are asked for before the first request is sent."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
    opened = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(CLIENTS)))
    for _, writer in opened:
        writer.write(request)
    return await asyncio.gather(*(_answer(reader, writer) for reader, writer in opened))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, bytes]:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return _status_and_body(await reader.read())
    except (OSError, TimeoutError):
        return 0, b""
    finally:
        # At once: gunicorn counts the connection until this end is closed too, and takes no others meanwhile.
        writer.close()


def _status_and_body(raw: bytes) -> tuple[int, bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    first = head.split(None, 2)
    return (int(first[1]) if len(first) > 1 else 0), body
