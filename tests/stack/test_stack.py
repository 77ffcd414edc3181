"""`python -m klyx.stack`, the real programs on free ports in a folder of their own."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from redis import Redis

from klyx.stack.health import is_healthy
from klyx.stack.ports import free_port
from klyx.stack.redis_server import answers
from tests.servers import ThrowAwayPostgres, ThrowAwayRedis
from tests.stack.conftest import Run, Start, eventually

START_SECONDS = 60.0
Stack = Callable[..., Run]


@pytest.fixture
def binds() -> tuple[str, str]:
    return f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"


@pytest.fixture
def start_stack(start: Start, binds: tuple[str, str], tmp_path: Path) -> Stack:
    """Starts the stack with the settings that are given; all others are the defaults, whatever our environment."""
    blank = dict.fromkeys(("REDIS_URL", "KV_URL", "POSTGRES_URL", "PORT", "JWT_SECRET_KEY", "FLASK_ENV"), "")

    def start_stack(**settings: str) -> Run:
        ports = {"HTTP_BINDS": binds[0], "CHAT_BINDS": binds[1]}
        environ = {**blank, **ports, "INSTANCE_FOLDER": str(tmp_path), **settings}
        return start("-m", "klyx.stack", environ=environ)

    return start_stack


def is_up(run: Run) -> bool:
    return "Klyx runs. Ctrl-C ends it.\n" in run.lines


def refused(run: Run) -> str:
    """The one line of a start that was refused."""
    assert run.wait() == 1
    assert run.living() == []
    assert eventually(lambda: bool(run.lines))
    (line,) = run.lines
    return line


def test_one_life_of_the_stack(start_stack: Stack, binds: tuple[str, str], tmp_path: Path) -> None:
    run = start_stack()
    assert eventually(lambda: is_up(run), START_SECONDS), run.output
    assert all(is_healthy(bind) for bind in binds)
    stocks = requests.get(f"http://{binds[1]}/api/database/stocks", timeout=10).json()
    assert stocks["status"] == "success"

    # A second start says that one is running.
    line = refused(start_stack())
    assert f"already running here (process {run.process.pid}): http://{binds[0]} http://{binds[1]}" in line

    # A killed worker is started again.
    calm = list(run.lines)
    worker = run.find("jobs.worker --queues klyx")
    os.kill(worker, signal.SIGKILL)
    assert eventually(lambda: "The interactive worker is started again" in run.output), run.output
    assert eventually(lambda: any_other(run, "jobs.worker --queues klyx", worker)), run.output

    # So is Redis, with its data.
    url = redis_url(tmp_path)
    with Redis.from_url(url) as client:
        client.rpush("kept", "yes")
        # Of what it has answered, a busy disk may hold back a second.
        assert eventually(lambda: client.info("persistence")["aof_buffer_length"] == 0)
        os.kill(client.info()["process_id"], signal.SIGKILL)
        assert eventually(lambda: "Redis is started again" in run.output), run.output
        assert eventually(lambda: answers(url)), run.output
        assert client.lrange("kept", 0, -1) == [b"yes"]

    # Ctrl-C ends everything.
    calm_again = len(run.lines)
    run.process.send_signal(signal.SIGINT)
    assert run.wait() == 0, run.output
    assert run.living() == []
    assert not any(is_healthy(bind) for bind in binds)
    assert eventually(lambda: run.lines[-1] == "klyx: Everything is stopped.\n"), run.output
    # A job of the killed worker, and whoever was talking to Redis when it was killed, may fail.
    assert [line for line in [*calm, *run.lines[calm_again:]] if "Traceback" in line] == []


def any_other(run: Run, words: str, pid: int) -> bool:
    try:
        return run.find(words) != pid
    except LookupError:
        return False


def redis_url(folder: Path) -> str:
    configuration = (folder / "redis" / "redis.conf").read_text()
    found = re.search(r"port (\d+)\nrequirepass (\S+)", configuration)
    assert found is not None
    return f"redis://:{found[2]}@127.0.0.1:{found[1]}/0"


def test_with_urls_it_runs_on_those_servers_and_a_sigkill_leaves_nothing(
    start_stack: Stack, postgres: ThrowAwayPostgres, redis_server: ThrowAwayRedis
) -> None:
    url = postgres.create_database()
    run = start_stack(POSTGRES_URL=url, REDIS_URL=redis_server.url)
    assert eventually(lambda: is_up(run), START_SECONDS), run.output
    assert f"postgresql://127.0.0.1:{postgres.port}/" in run.output
    assert f"redis://127.0.0.1:{redis_server.port}/0" in run.output
    with pytest.raises(LookupError):
        run.find("redis.conf")

    run.process.kill()

    assert eventually(lambda: run.living() == []), run.living()
    postgres.drop_database(url)


def test_a_taken_port_is_named(start_stack: Stack, binds: tuple[str, str]) -> None:
    with ThrowAwayRedis() as other:
        taken = f"127.0.0.1:{other.port}"
        line = refused(start_stack(CHAT_BINDS=taken))
        holder = f"(process {other.pid})"

    assert line.startswith(f"klyx: {taken} is already in use by ")
    assert holder in line


def test_a_redis_that_does_not_answer_is_named(start_stack: Stack) -> None:
    line = refused(start_stack(REDIS_URL=f"redis://:secret@127.0.0.1:{free_port()}/0"))

    assert "REDIS_URL is set, but no server answers there" in line
    assert "secret" not in line


def test_production_without_a_secret_does_not_start(start_stack: Stack) -> None:
    line = refused(start_stack(FLASK_ENV="production"))

    assert line.startswith("klyx: JWT_SECRET_KEY is missing")


def test_a_database_that_does_not_answer_ends_the_start(start_stack: Stack) -> None:
    run = start_stack(POSTGRES_URL="postgresql://klyx@127.0.0.1:1/klyx")

    assert run.wait() == 1
    assert run.living() == []
    assert eventually(lambda: "klyx: The preparation of the database failed" in run.output), run.output
    assert "klyx: The database cannot be reached" in run.output
    assert "Traceback" not in run.output
