"""`python -m bench.chat`: what open streams cost everybody else, and how soon an answer begins.

A simulated model writes at the pace of a real one. While `--streams` readers listen, wrk reads the stock list from the
other server; beside that: the time to the first word, and how soon the model's work ends when a reader leaves.
Model and readers leave the processors to the servers where this program leads its session:
`setsid --wait python -m bench.chat`.
"""

from __future__ import annotations

import json
import statistics
import time
from contextlib import ExitStack

import click
import requests

from bench.chat_world import KEY, Readers, World, question, register
from bench.speed import paths
from bench.speed.figures import Spread
from bench.speed.stand import Stand, Web
from bench.speed.wrk import Load, load, require_wrk
from klyx.priority import give_way
from klyx.stack.guardian import start_guardian

CONNECTIONS = 4


def described(name: str, one: Load) -> str:
    return (
        f"{name:<18} p50 {one.p50_us / 1000:6.2f}  p95 {one.p95_us / 1000:6.2f}  p99 {one.p99_us / 1000:6.2f} ms  "
        f"{one.per_second:7,.0f} requests/s  {one.failures} failures"
    )


def measure_streams(world: World, web: Web, chat: Web, streams: int, seconds: float, rounds: int) -> None:
    load(web.url, [paths.LIST], seconds, connections=CONNECTIONS)
    ratios = []
    for number in range(1, rounds + 1):
        quiet = load(web.url, [paths.LIST], seconds, connections=CONNECTIONS)
        with Readers(world, web, chat, streams) as readers:
            while len(readers.first_word_seconds) < streams and not readers.failures:
                time.sleep(0.05)
            asked_before = len(readers.first_word_seconds)
            busy = load(web.url, [paths.LIST], seconds, connections=CONNECTIONS)
            asked = len(readers.first_word_seconds) - asked_before
        ratios.append(busy.p95_us / quiet.p95_us)
        waits = sorted(readers.first_word_seconds)
        click.echo(described(f"{number}. no streams", quiet))
        click.echo(described(f"   {streams} streams", busy))
        p50, p95 = statistics.median(waits) * 1000, waits[int(len(waits) * 0.95)] * 1000
        click.echo(
            f"   {asked / seconds:.0f} answers begun a second meanwhile; first word after p50 {p50:.0f} ms, "
            f"p95 {p95:.0f} ms; {len(readers.failures)} failed {readers.failures[:1]}"
        )
    click.echo(f"p95 with {streams} streams against none: {Spread.of(ratios).text()} (goal 1.5)")


def measure_leaving(world: World, web: Web, chat: Web) -> None:
    """From the reader's leaving to the end of the model's work, and until what was written is kept."""
    token = register(web)
    body = question("Tell me all")
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.post(f"{chat.url}/api/ai/chat", json=body, headers=headers, stream=True, timeout=60)
    next(answer.iter_lines(chunk_size=None))
    left_before = len(world.left_at)
    answer.close()
    left_at = time.monotonic()
    kept_at = None
    while kept_at is None or len(world.left_at) == left_before:
        thread = requests.get(f"{chat.url}/api/chat/threads/{body['threadId']}", headers=headers, timeout=10).json()
        if kept_at is None and len(thread["data"]["messages"]) == 2:
            kept_at = time.monotonic()
        if time.monotonic() - left_at > 20:
            click.echo("the model's work did not end within 20 s of the reader's leaving")
            return
        time.sleep(0.01)
    click.echo(
        f"reader leaves: the model's work ended after {(world.left_at[-1] - left_at) * 1000:.0f} ms, "
        f"what was written was kept after {(kept_at - left_at) * 1000:.0f} ms"
    )


@click.command(help=__doc__)
@click.option("--streams", default=64, show_default=True)
@click.option("--seconds", default=4.0, show_default=True, help="Length of one stretch of load.")
@click.option("--rounds", default=5, show_default=True)
def main(streams: int, seconds: float, rounds: int) -> None:
    require_wrk()
    guardian = start_guardian()
    with ExitStack() as ending:
        ending.callback(guardian.dismiss)
        stand = ending.enter_context(Stand(guardian))
        world = ending.enter_context(World())
        settings = {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": world.model_url,
            "MAX_CHAT_STREAMS": str(max(64, streams)),
            "CHAT_THREADS": str(max(64, streams) + 32),
            "RATE_LIMIT_CHAT": "100000 per minute",
            "RATE_LIMIT_REGISTER": "100000 per minute",
            "CHAT_ANSWERS_PER_DAY": "1000000",
            "CHAT_TOKENS_PER_DAY": "1000000000",
            "CHAT_USD_PER_DAY": "100000",
            "CHAT_USD_PER_DAY_IN_ALL": "0",
        }
        with stand.application_with_chat(settings) as (web, chat):
            # The model and the readers are elsewhere in the world; here they must not take the servers' place.
            give_way(10)
            measure_streams(world, web, chat, streams, seconds, rounds)
            measure_leaving(world, web, chat)
            click.echo(json.dumps({"questions to the model": world.asked}))


if __name__ == "__main__":
    main()
