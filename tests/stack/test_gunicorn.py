"""deploy/gunicorn.conf.py, as production uses it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.message import Message
from pathlib import Path

import pytest
import requests

from klyx.stack.ports import free_port
from tests.stack.conftest import Run, Start, eventually

SPEAKS = """
import os

def app(environ, start_response):
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("a secret")
    said = str(os.getpid()) if environ["PATH_INFO"] == "/pid" else environ["wsgi.url_scheme"]
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(said)))])
    return [said.encode()]
"""
GUNICORN = ("-m", "gunicorn", "--config", "deploy/gunicorn.conf.py")


def serve_with_gunicorn(start: Start, folder: Path, role: str = "web", workers: int = 1) -> tuple[Run, int]:
    """A server of SPEAKS, and its port."""
    (folder / "speaks.py").write_text(SPEAKS)
    port = free_port()
    binds = {"HTTP_ROLE": role, "CHAT_BINDS" if role == "chat" else "HTTP_BINDS": f"127.0.0.1:{port}"}
    environ = {**binds, "INSTANCE_FOLDER": str(folder), "WEB_WORKERS": str(workers)}
    run = start(*GUNICORN, "--pythonpath", str(folder), "speaks:app", environ=environ)
    assert eventually(lambda: run.output.count("Booting worker") == workers), run.output
    return run, port


def test_it_believes_nobody_about_the_scheme_and_logs_in_our_format(start: Start, tmp_path: Path) -> None:
    run, port = serve_with_gunicorn(start, tmp_path)

    answer = requests.get(f"http://127.0.0.1:{port}/", headers={"X-Forwarded-Proto": "https"}, timeout=10)

    assert answer.text == "http"
    assert all(line.startswith('{"time":') for line in run.lines), run.output
    run.process.terminate()
    assert run.wait() == 0


FIRST = b"GET / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("role", ["web", "chat"])
def test_its_own_refusals_are_the_envelope(start: Start, tmp_path: Path, role: str) -> None:
    _, port = serve_with_gunicorn(start, tmp_path, role)
    requests_and_statuses = (
        (b"GET /?" + b"x" * 8000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
        (b"GET /?" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (FIRST + b"Cookie: " + b"x" * 9000 + b"\r\n\r\n", 431),
        (FIRST + b"X: y\r\n" * 200 + b"\r\n", 431),
        (FIRST + b"Content-Length: many\r\n\r\n", 400),
        (FIRST + b"Transfer-Encoding: rot13\r\n\r\n", 501),
        (b"hello\r\n\r\n", 400),
    )
    for request, status in requests_and_statuses:
        code, headers, body = exchange(port, request)
        assert code == status, (request[:40], body)
        if status != 200:
            assert headers["Content-Type"] == "application/json"
            assert headers["Access-Control-Allow-Origin"] == "*"
            told = json.loads(body)
            assert told["status"] == "error"
            assert told["message"]


def test_what_breaks_outside_the_application_is_logged_under_the_id_that_is_told(start: Start, tmp_path: Path) -> None:
    run, port = serve_with_gunicorn(start, tmp_path)
    code, _, body = exchange(port, b"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n")
    assert code == 500
    assert b"secret" not in body
    request_id = json.loads(body)["request_id"]
    assert eventually(lambda: "a secret" in run.output)
    logged = [json.loads(line) for line in run.lines if "a secret" in line]
    assert [line["request_id"] for line in logged] == [request_id]


def exchange(port: int, request: bytes) -> tuple[int, Message, bytes]:
    """Status, headers and body of what comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.headers, answer.read()


def test_a_process_with_fewer_connections_takes_the_next_ones(start: Start, tmp_path: Path) -> None:
    port, first, second = serve_with_two_processes(start, tmp_path)
    with ExitStack() as ending:
        os.kill(second, signal.SIGSTOP)
        ending.callback(os.kill, second, signal.SIGCONT)
        assert eventually(lambda: state_of(second) == "T")
        # Whoever does not come for a connection keeps nobody waiting.
        ten = ending.enter_context(connections(port, 10))
        assert {pid_behind(one) for one in ten} == {first}
        os.kill(second, signal.SIGCONT)
        # A busy machine may let it be late for some.
        assert any(pids_of_ten_more(port).count(second) >= 8 for _ in range(3))


def pids_of_ten_more(port: int) -> list[int]:
    """Who takes ten connections that are made one after another and kept until the last is made."""
    with ExitStack() as ending:
        return [pid_behind(ending.enter_context(connections(port, 1))[0]) for _ in range(10)]


def test_nobody_waits_for_a_process_that_was_killed(start: Start, tmp_path: Path) -> None:
    port, killed, left = serve_with_two_processes(start, tmp_path)
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: len(pids(port) | {killed}) == 3)
    assert eventually(lambda: left in pids(port))


def serve_with_two_processes(start: Start, folder: Path) -> tuple[int, int, int]:
    """Its port, and the processes that answer there."""
    _, port = serve_with_gunicorn(start, folder, workers=2)
    seen: set[int] = set()

    def have_both_answered() -> bool:
        seen.update(pids(port))
        return len(seen) == 2

    assert eventually(have_both_answered)
    first, second = seen
    return port, first, second


def state_of(pid: int) -> str:
    """As Linux tells it: T for one that was stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def pids(port: int) -> set[int]:
    """Of the processes that take two connections."""
    with connections(port, 2) as two:
        return set(map(pid_behind, two))


@contextmanager
def connections(port: int, count: int) -> Iterator[list[http.client.HTTPConnection]]:
    """So many, open at the same time."""
    with ExitStack() as ending:
        many = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(count)]
        for one in many:
            one.connect()
            ending.callback(one.close)
        yield many


def pid_behind(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/pid")
    return int(connection.getresponse().read())


def test_production_without_a_secret_opens_no_port(start: Start, tmp_path: Path) -> None:
    environ = {"FLASK_ENV": "production", "JWT_SECRET_KEY": "", "INSTANCE_FOLDER": str(tmp_path)}

    run = start(*GUNICORN, "wsgi:app", environ=environ)

    assert run.wait() == 1
    assert eventually(lambda: len(run.lines) == 1)
    assert run.output.startswith("klyx: JWT_SECRET_KEY is missing")
