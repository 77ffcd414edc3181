"""`python -m bench.chat`: what open streams cost everybody else, and how soon an answer begins.

A simulated model writes at the pace of a real one. While `--streams` readers listen, wrk reads the stock list from the
other server; beside that: the time to the first word, and how soon the model's work ends when a reader leaves.
Model and readers leave the processors to the servers where this program leads its session:
`setsid --wait python -m bench.chat`.
"""

from __future__ import annotations

import json
import random
import statistics
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import click
import requests

from bench.speed import paths
from bench.speed.figures import Spread
from bench.speed.stand import Stand, Web
from bench.speed.wrk import Load, load, require_wrk
from klyx.priority import give_way
from klyx.stack.guardian import start_guardian
from tests.fakes.model import KEY, FakeModel, Handler, Reply, says

# Answers of 21, 42, 63, 84 and 105 tokens of four characters, twenty a second: three seconds of writing on average,
# then the next question. People neither ask at the same moment nor are told equally much.
SENTENCE = "The company earns well, owes little and is priced as its peers are; see the figures. "
SENTENCES = (1, 2, 3, 4, 5)
PAUSE_SECONDS, FRAGMENT = 0.05, 4
ASKING_BEGINS_WITHIN_SECONDS = 3.0
CONNECTIONS = 4
USERS_FOR_ONE = 3


class Readers:
    """Keeps streams open, each with one question after the other, until stopped."""

    def __init__(self, web: Web, chat: Web, streams: int) -> None:
        self._chat = chat
        self._stopping = threading.Event()
        self._tokens = [register(web) for _ in range(-(-streams // USERS_FOR_ONE))]
        self._streams = streams
        self.first_word_seconds: list[float] = []
        self.failures: list[str] = []

    def run(self) -> None:
        with ThreadPoolExecutor(self._streams) as executor:
            list(executor.map(self._read, range(self._streams)))

    def stop(self) -> None:
        self._stopping.set()

    def _read(self, place: int) -> None:
        self._stopping.wait(ASKING_BEGINS_WITHIN_SECONDS * place / self._streams)
        token = self._tokens[place // USERS_FOR_ONE]
        while not self._stopping.is_set():
            try:
                self._read_one(token)
            except requests.RequestException as error:
                self.failures.append(repr(error)[:200])

    def _read_one(self, token: str) -> None:
        asked_at = time.monotonic()
        with closing(ask(self._chat, token)) as answer:
            answer.raise_for_status()
            last = b""
            for line in answer.iter_lines(chunk_size=None):
                if line.startswith(b'data: {"content"') and not last:
                    self.first_word_seconds.append(time.monotonic() - asked_at)
                last = line or last
                if self._stopping.is_set():
                    return
            if last != b"data: [DONE]":
                self.failures.append(f"ended with {last[:100]!r}")


def answers_of_several_lengths() -> Reply:
    replies = [says(SENTENCE * count, pause_seconds=PAUSE_SECONDS, fragment=FRAGMENT) for count in SENTENCES]
    # Not in turn: then readers who fell into step would stay in it.
    choose = random.Random(1).choice  # noqa: S311 - no secret

    def reply(handler: Handler) -> None:
        choose(replies)(handler)

    return reply


def register(web: Web) -> str:
    person = {"email": f"{uuid.uuid4().hex}@example.org", "password": "correct horse", "name": "Reader"}
    answer = requests.post(f"{web.url}/api/auth/register", json=person, timeout=30)
    return str(answer.json()["data"]["access_token"])


def ask(chat: Web, token: str, question: str = "How is TCS?") -> requests.Response:
    body = {"prompt": {"role": "user", "content": question}, "threadId": str(uuid.uuid4())}
    headers = {"Authorization": f"Bearer {token}"}
    return requests.post(f"{chat.url}/api/ai/chat", json=body, headers=headers, stream=True, timeout=60)


def described(name: str, one: Load) -> str:
    return (
        f"{name:<18} p50 {one.p50_us / 1000:6.2f}  p95 {one.p95_us / 1000:6.2f}  p99 {one.p99_us / 1000:6.2f} ms  "
        f"{one.per_second:7,.0f} requests/s  {one.failures} failures"
    )


def measure_streams(web: Web, chat: Web, streams: int, seconds: float, rounds: int) -> None:
    load(web.url, [paths.LIST], seconds, connections=CONNECTIONS)
    ratios = []
    for number in range(1, rounds + 1):
        quiet = load(web.url, [paths.LIST], seconds, connections=CONNECTIONS)
        readers = Readers(web, chat, streams)
        thread = threading.Thread(target=readers.run)
        thread.start()
        while len(readers.first_word_seconds) < streams and not readers.failures:
            time.sleep(0.05)
        busy = load(web.url, [paths.LIST], seconds, connections=CONNECTIONS)
        readers.stop()
        thread.join()
        ratios.append(busy.p95_us / quiet.p95_us)
        waits = sorted(readers.first_word_seconds)
        click.echo(described(f"{number}. no streams", quiet))
        click.echo(described(f"   {streams} streams", busy))
        p50, p95 = statistics.median(waits) * 1000, waits[int(len(waits) * 0.95)] * 1000
        click.echo(
            f"   first word after p50 {p50:.0f} ms, p95 {p95:.0f} ms of {len(waits)} answers; "
            f"{len(readers.failures)} failed {readers.failures[:1]}"
        )
    click.echo(f"p95 with {streams} streams against none: {Spread.of(ratios).text()} (goal 1.5)")


def measure_leaving(web: Web, chat: Web, model: FakeModel) -> None:
    """From the reader's leaving to the end of the model's work, and until what was written is kept."""
    token = register(web)
    body = {"prompt": {"role": "user", "content": "Tell me all"}, "threadId": str(uuid.uuid4())}
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.post(f"{chat.url}/api/ai/chat", json=body, headers=headers, stream=True, timeout=60)
    next(answer.iter_lines(chunk_size=None))
    left_before = len(model.left_at)
    answer.close()
    left_at = time.monotonic()
    kept_at = None
    while kept_at is None or len(model.left_at) == left_before:
        thread = requests.get(f"{chat.url}/api/chat/threads/{body['threadId']}", headers=headers, timeout=10).json()
        if kept_at is None and len(thread["data"]["messages"]) == 2:
            kept_at = time.monotonic()
        if time.monotonic() - left_at > 20:
            click.echo("the model's work did not end within 20 s of the reader's leaving")
            return
        time.sleep(0.01)
    click.echo(
        f"reader leaves: the model's work ended after {(model.left_at[-1] - left_at) * 1000:.0f} ms, "
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
        model = ending.enter_context(FakeModel([answers_of_several_lengths()]))
        settings = {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": model.url,
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
            measure_streams(web, chat, streams, seconds, rounds)
            measure_leaving(web, chat, model)
            click.echo(json.dumps({"questions to the model": len(model.requests)}))


if __name__ == "__main__":
    main()
