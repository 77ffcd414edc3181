"""A language model's service on this machine: OpenAI's streamed chat completions, with failures on demand.

    with FakeModel([calls(("get_stock_price", '{"ticker": "TCS"}')), says("TCS trades at ...")]) as model:
        ...
        model.requests[1]["messages"]

Each question takes the next of the scripted replies; the last one is given again and again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

KEY = "test-key"
# Writes one reply; ends early when the reader is gone.
Reply = Callable[["Handler"], None]


def says(
    text: str,
    *,
    usage: tuple[int, int] | None = (100, 20),
    pause_seconds: float = 0.0,
    fragment: int = 7,
    reason: str = "stop",
) -> Reply:
    """Text in fragments, then the reason it ended, then a chunk without choices that counts tokens."""

    def reply(handler: Handler) -> None:
        handler.begin_stream()
        handler.chunk({"role": "assistant", "content": ""})
        for start in range(0, len(text), fragment):
            handler.chunk({"content": text[start : start + fragment]})
            if pause_seconds:
                time.sleep(pause_seconds)
        handler.end_stream(reason, usage)

    return reply


def says_escaped(text: str) -> Reply:
    """Text in one chunk of plain ASCII: it may hold what only an escape can say, such as half a surrogate pair."""

    def reply(handler: Handler) -> None:
        handler.begin_stream()
        handler.event(json.dumps({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}))
        handler.end_stream("stop", None)

    return reply


def calls(*wanted: tuple[str, str], text: str = "", usage: tuple[int, int] | None = (100, 20)) -> Reply:
    """Parallel tool calls whose arguments arrive in fragments, one after another of all calls."""

    def reply(handler: Handler) -> None:
        handler.begin_stream()
        if text:
            handler.chunk({"content": text})
        for index, (name, _) in enumerate(wanted):
            call = {"index": index, "id": f"call_{index}", "type": "function"}
            handler.chunk({"tool_calls": [{**call, "function": {"name": name, "arguments": ""}}]})
        longest = max(len(arguments) for _, arguments in wanted)
        for start in range(0, longest, 5):
            for index, (_, arguments) in enumerate(wanted):
                if piece := arguments[start : start + 5]:
                    handler.chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        handler.end_stream("tool_calls", usage)

    return reply


def fails(status: int, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    def reply(handler: Handler) -> None:
        body = json.dumps({"error": {"message": "no", "type": "server_error"}}).encode()
        handler.send_response(status)
        for name, value in (*headers, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def error_inside(text: str = "") -> Reply:
    """200, perhaps some text, then an error instead of a chunk."""

    def reply(handler: Handler) -> None:
        handler.begin_stream()
        if text:
            handler.chunk({"content": text})
        handler.event(json.dumps({"error": {"message": "overloaded"}}))

    return reply


def broken_inside(text: str) -> Reply:
    """200, some text, then JSON that is no chunk."""

    def reply(handler: Handler) -> None:
        handler.begin_stream()
        handler.chunk({"content": text})
        handler.event(json.dumps({"choices": ["nonsense"]}))

    return reply


def cut_off(text: str) -> Reply:
    """The connection ends in the middle."""

    def reply(handler: Handler) -> None:
        handler.begin_stream()
        handler.chunk({"content": text})
        handler.write(b'data: {"choices": [{"del')

    return reply


def hangs(text: str = "", seconds: float = 30.0) -> Reply:
    """Some text, then silence until the reader is gone."""

    def reply(handler: Handler) -> None:
        handler.begin_stream()
        if text:
            handler.chunk({"content": text})
        handler.wait_for_reader_to_leave(seconds)

    return reply


def thinks(seconds: float = 30.0) -> Reply:
    """Nothing at all, not even headers, until the reader is gone."""

    def reply(handler: Handler) -> None:
        handler.wait_for_reader_to_leave(seconds)

    return reply


class FakeModel:
    """`requests` are the bodies received so far, `left_at` when readers left, on the monotonic clock."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self.requests: list[dict[str, Any]] = []
        self.left_at: list[float] = []
        self._replies = list(replies)
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.model = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def next_reply(self, body: dict[str, Any]) -> Reply:
        with self._lock:
            self.requests.append(body)
            return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    model: FakeModel

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that leaves is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """Streams in chunks of HTTP/1.1, each event one chunk, as the real service does."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/chat/completions" or self.headers.get("Authorization") != f"Bearer {KEY}":
            fails(401)(self)
            return
        try:
            self.server.model.next_reply(body)(self)
        except OSError:
            self.server.model.left_at.append(time.monotonic())

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        # What ends without its last chunk ends with the connection.
        self.send_header("Connection", "close")
        self.end_headers()

    def event(self, payload: str) -> None:
        self.write(f"data: {payload}\n\n".encode())

    def write(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        self.event(json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}, ensure_ascii=False))

    def end_stream(self, reason: str, usage: tuple[int, int] | None) -> None:
        self.chunk({}, reason)
        if usage is not None:
            prompt, completion = usage
            counted = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
            self.event(json.dumps({"id": "c", "choices": [], "usage": counted}))
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def wait_for_reader_to_leave(self, seconds: float) -> None:
        self.connection.settimeout(seconds)
        try:
            if self.connection.recv(1) == b"":
                raise ConnectionResetError
        except TimeoutError:
            return


