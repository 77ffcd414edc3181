"""A model that writes and people who read, many at once: elsewhere in the world, so here they may cost next to nothing.

All of it is one thread with an event loop; threads of tests.fakes.model and requests take three times the processor.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
import uuid
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Self, TypeVar

import requests

from bench.speed.stand import Web

T = TypeVar("T")

KEY = "bench-key"
# Answers of 21, 42, 63, 84 and 105 tokens of four characters, twenty a second: three seconds of writing on average,
# then the next question. People neither ask at the same moment nor are told equally much.
SENTENCE = "The company earns well, owes little and is priced as its peers are; see the figures. "
SENTENCES = (1, 2, 3, 4, 5)
PAUSE_SECONDS, FRAGMENT = 0.05, 4
ASKING_BEGINS_WITHIN_SECONDS = 3.0
USERS_FOR_ONE = 3
FIRST_WORD, ERROR, END = b'data: {"content"', b'data: {"error"', b"data: [DONE]\n\n\r\n0\r\n\r\n"
READ_SIZE = 64 * 1024
HEAD_END = b"\r\n\r\n"


class World:
    """Runs what happens in it; and the model, OpenAI's streamed chat completions in chunks of HTTP/1.1, at `model_url`.

    `asked` is how many questions came to it, `left_at` when readers left in the middle, on the monotonic clock.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.left_at: list[float] = []
        self._choose = random.Random(1).choice  # noqa: S311 - no secret
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        server = self.happening(asyncio.start_server(self._answer, "127.0.0.1", 0)).result(10)
        self.model_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def happening(self, what: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(what, self._loop)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _request_body(reader)
            self.asked += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            text = SENTENCE * self._choose(SENTENCES)
            for start in range(0, len(text), FRAGMENT):
                writer.write(_chunk({"content": text[start : start + FRAGMENT]}))
                await asyncio.sleep(PAUSE_SECONDS)
                if reader.at_eof() or writer.is_closing():
                    self.left_at.append(time.monotonic())
                    return
            writer.write(_chunk({}, "stop") + _event("[DONE]") + b"0\r\n\r\n")
            await writer.drain()
        except (OSError, EOFError):
            self.left_at.append(time.monotonic())
        finally:
            writer.close()


class Readers:
    """Keep streams open, each with one question after the other, within the block."""

    def __init__(self, world: World, web: Web, chat: Web, streams: int) -> None:
        self._world = world
        self._port = chat.port
        self._tokens = [register(web) for _ in range(-(-streams // USERS_FOR_ONE))]
        self._streams = streams
        self.first_word_seconds: list[float] = []
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        self._reading = [self._world.happening(self._read(place)) for place in range(self._streams)]
        return self

    def __exit__(self, *_: object) -> None:
        for future in self._reading:
            future.cancel()

    async def _read(self, place: int) -> None:
        await asyncio.sleep(ASKING_BEGINS_WITHIN_SECONDS * place / self._streams)
        token = self._tokens[place // USERS_FOR_ONE]
        while True:
            try:
                await self._read_one(token)
            except (OSError, EOFError) as error:
                self.failures.append(repr(error)[:200])

    async def _read_one(self, token: str) -> None:
        asked_at = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(question_bytes(token))
            head = await reader.readuntil(HEAD_END)
            if not head.startswith(b"HTTP/1.1 200 "):
                raise OSError(head[:100])
            told = b""
            while not told.endswith(END):
                piece = await reader.read(READ_SIZE)
                if not piece:
                    raise EOFError(told[-100:])
                if FIRST_WORD in piece and FIRST_WORD not in told:
                    self.first_word_seconds.append(time.monotonic() - asked_at)
                told += piece
            if ERROR in told:
                raise EOFError(told[-200:])
        finally:
            writer.close()


def question_bytes(token: str) -> bytes:
    body = json.dumps(question()).encode()
    head = (
        "POST /api/ai/chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def question(text: str = "How is TCS?") -> dict[str, Any]:
    return {"prompt": {"role": "user", "content": text}, "threadId": str(uuid.uuid4())}


def register(web: Web) -> str:
    person = {"email": f"{uuid.uuid4().hex}@example.org", "password": "correct horse", "name": "Reader"}
    answer = requests.post(f"{web.url}/api/auth/register", json=person, timeout=30)
    return str(answer.json()["data"]["access_token"])


async def _request_body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(HEAD_END)
    length = next(int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if b"content-length" in line)
    return await reader.readexactly(length)


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return _event(json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}))


def _event(payload: str) -> bytes:
    event = f"data: {payload}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(event), event)
