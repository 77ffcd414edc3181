from __future__ import annotations

import os
import signal
import threading

import pytest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import update

from klyx.caching.versions import KEY_PREFIX
from klyx.database.models import DataVersion
from klyx.database.versions import STOCKS, portfolio_of, read_version
from klyx.runtime import Runtime
from tests.caching.conftest import BuildRuntime
from tests.servers import ThrowAwayRedis
from tests.stock_rows import add_stock

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def reader(runtime_of: BuildRuntime) -> Runtime:
    return runtime_of()


@pytest.fixture
def writer(runtime_of: BuildRuntime) -> Runtime:
    return runtime_of()


def write(writer: Runtime) -> int:
    """A change of the stocks; their version after it."""
    with writer.database.begin() as session:
        add_stock(session, "Some Ltd.", None)
    with writer.database.read() as session:
        return read_version(session, STOCKS)


def copy_in(redis: ThrowAwayRedis) -> int | None:
    with redis.client() as client:
        value = client.select(1) and client.get(f"{KEY_PREFIX}{STOCKS}")
    return None if value is None else int(value)


def gets_of(redis: ThrowAwayRedis) -> int:
    with redis.client() as client:
        return int(client.info("commandstats").get("cmdstat_get", {}).get("calls", 0))


def test_data_never_written_has_version_0(reader: Runtime) -> None:
    assert reader.versions.current(STOCKS) == 0
    assert reader.versions.current(portfolio_of("nobody")) == 0


def test_another_process_knows_a_new_version_at_once(reader: Runtime, writer: Runtime) -> None:
    for _ in range(200):
        assert write(writer) == reader.versions.current(STOCKS)


def test_an_unchanged_version_is_not_asked_for_again(
    reader: Runtime, writer: Runtime, own_redis: ThrowAwayRedis
) -> None:
    version = write(writer)
    reader.versions.current(STOCKS)
    before = gets_of(own_redis)
    assert {reader.versions.current(STOCKS) for _ in range(500)} == {version}
    assert gets_of(own_redis) - before < 20


def test_a_lost_copy_is_made_again(reader: Runtime, writer: Runtime, own_redis: ThrowAwayRedis) -> None:
    version = write(writer)
    assert reader.versions.current(STOCKS) == version
    with own_redis.client() as client:
        client.flushall()
    assert reader.versions.current(STOCKS) == version
    assert copy_in(own_redis) == version


def test_a_slow_reader_does_not_bring_an_old_version_back(
    reader: Runtime, writer: Runtime, own_redis: ThrowAwayRedis
) -> None:
    version = write(writer)
    writer.versions.settle({STOCKS: version - 1}, (), None)
    assert copy_in(own_redis) == version


def test_nobody_is_told_an_old_version_after_an_announced_commit(
    reader: Runtime, writer: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = write(writer)
    assert reader.versions.current(STOCKS) == old
    # The moment between the commit and its news, as long as it takes.
    told: list[tuple[object, ...]] = []
    monkeypatch.setattr(writer.versions, "settle", lambda *news: told.append(news))
    with writer.database.begin(STOCKS) as session:
        assert reader.versions.current(STOCKS) == old
        add_stock(session, "Announced Ltd.", None)
    with writer.database.read() as session:
        new = read_version(session, STOCKS)
    assert new > old
    assert [reader.versions.current(STOCKS) for _ in range(3)] == [new] * 3
    monkeypatch.undo()
    writer.versions.settle(*told[0])  # type: ignore[arg-type]
    assert reader.versions.current(STOCKS) == new


def test_a_writer_that_died_is_waited_for_and_then_forgotten(
    reader: Runtime, writer: Runtime, own_redis: ThrowAwayRedis
) -> None:
    write(writer)
    mark = writer.versions.announce([STOCKS])
    assert mark
    before = gets_of(own_redis)
    for _ in range(5):
        reader.versions.current(STOCKS)
    assert gets_of(own_redis) == before + 5
    with own_redis.client() as client:
        client.select(1)
        assert 0 < client.ttl(f"{KEY_PREFIX}{STOCKS}:writers") <= 60
        client.delete(f"{KEY_PREFIX}{STOCKS}:writers")
    for _ in range(3):
        reader.versions.current(STOCKS)
    before = gets_of(own_redis)
    for _ in range(5):
        reader.versions.current(STOCKS)
    assert gets_of(own_redis) == before


def test_several_writers_at_once_do_not_end_each_others_mark(reader: Runtime, writer: Runtime) -> None:
    old = write(writer)
    writer.versions.announce([STOCKS])
    with writer.database.begin(STOCKS) as session:
        add_stock(session, "Another Ltd.", None)
    with writer.database.read() as session:
        assert reader.versions.current(STOCKS) == read_version(session, STOCKS) > old
    # Unannounced to the cache, as a writer between its commit and its news is.
    with writer.database.engine.begin() as connection:
        connection.execute(update(DataVersion).values(version=old + 10_000_000_000))
    assert reader.versions.current(STOCKS) == old + 10_000_000_000


def test_without_any_redis_the_database_is_asked(runtime_of: BuildRuntime) -> None:
    reader, writer = (runtime_of(cache_redis_url="memory://") for _ in range(2))
    for _ in range(3):
        assert write(writer) == reader.versions.current(STOCKS)


def test_changes_while_redis_is_down_are_known_then_and_after_it_came_back(
    reader: Runtime, writer: Runtime, own_redis: ThrowAwayRedis
) -> None:
    old = write(writer)
    assert reader.versions.current(STOCKS) == old
    own_redis.kill()
    new = write(writer)
    assert reader.versions.current(STOCKS) == new
    own_redis.start()
    # It kept its data, so it still says the old one.
    assert copy_in(own_redis) in (old, None)
    assert reader.versions.current(STOCKS) == new


def test_a_restart_nobody_noticed_is_not_trusted(
    reader: Runtime, writer: Runtime, own_redis: ThrowAwayRedis
) -> None:
    old = write(writer)
    assert reader.versions.current(STOCKS) == old
    own_redis.kill()
    new = write(writer)
    own_redis.start()
    with own_redis.client() as client:
        client.select(1)
        client.set(f"{KEY_PREFIX}{STOCKS}", old)
    assert reader.versions.current(STOCKS) == new


def test_changes_while_redis_hangs_are_known(reader: Runtime, writer: Runtime, own_redis: ThrowAwayRedis) -> None:
    reader.versions.current(STOCKS)
    os.kill(own_redis.pid, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (own_redis.pid, signal.SIGCONT)).start()
    new = write(writer)
    assert reader.versions.current(STOCKS) == new


def test_a_full_redis_is_no_obstacle(reader: Runtime, writer: Runtime, own_redis: ThrowAwayRedis) -> None:
    old = write(writer)
    assert reader.versions.current(STOCKS) == old
    with own_redis.client() as client:
        client.config_set("maxmemory", "1")
        with pytest.raises(RedisError):
            client.set("more", "x")
    new = write(writer)
    assert reader.versions.current(STOCKS) == new
    assert copy_in(own_redis) is None


def test_a_redis_that_tells_nothing_is_asked_each_time(
    reader: Runtime, writer: Runtime, own_redis: ThrowAwayRedis
) -> None:
    with own_redis.client() as client:
        client.execute_command("ACL", "SETUSER", "default", "-client|tracking")
    for _ in range(3):
        assert write(writer) == reader.versions.current(STOCKS)
    before = gets_of(own_redis)
    for _ in range(5):
        reader.versions.current(STOCKS)
    assert gets_of(own_redis) == before + 5


def test_many_threads_never_see_an_older_version_than_the_last_written(reader: Runtime, writer: Runtime) -> None:
    written = [0]
    stop = threading.Event()
    behind: list[tuple[int, int]] = []

    def read() -> None:
        while not stop.is_set():
            expected = written[0]
            got = reader.versions.current(STOCKS)
            if got < expected:
                behind.append((got, expected))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        written[0] = write(writer)
    stop.set()
    for thread in threads:
        thread.join()
    assert behind == []


def test_clients_leave_nothing_open(runtime_of: BuildRuntime, own_redis: ThrowAwayRedis) -> None:
    runtime = runtime_of()
    write(runtime)
    runtime.versions.current(STOCKS)
    with Redis.from_url(own_redis.url) as client:
        assert len(client.client_list()) > 1
        runtime.close()
        assert len(client.client_list()) == 1
