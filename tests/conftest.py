"""Fixtures every test may use: throw-away servers, an empty database on each engine, the application over HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis

from klyx import create_app
from klyx.config import Settings, load_settings
from klyx.database import Database, DatabaseSettings, migrations
from klyx.web import EXTENSION_KEY
from tests.api import Api, serve
from tests.servers import ThrowAwayPostgres, ThrowAwayRedis

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[ThrowAwayPostgres]:
    with ThrowAwayPostgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: ThrowAwayPostgres) -> str:
    return postgres.make_template(initialise)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "klyx.sqlite3"
    initialise(f"sqlite:///{path}")
    return path


def initialise(url: str) -> None:
    database = Database(DatabaseSettings(url=url))
    try:
        migrations.initialise(database)
    finally:
        database.dispose()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[ThrowAwayRedis]:
    with ThrowAwayRedis() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[ThrowAwayRedis]:
    """A server for this test alone, to be stopped and killed; it keeps its data over a restart."""
    with ThrowAwayRedis(appendonly=True) as server:
        yield server


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The database engine of this test; parametrise it indirectly to narrow it to one."""
    return str(request.param)


@pytest.fixture
def database_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database with the current schema."""
    if engine == "sqlite":
        path = tmp_path / "klyx.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: ThrowAwayPostgres = request.getfixturevalue("postgres")
    url = server.create_database(request.getfixturevalue("postgres_template"))
    yield url
    server.drop_database(url)


@pytest.fixture
def app_settings(engine: str, database_url: str, redis_server: ThrowAwayRedis, tmp_path: Path) -> Settings:
    with Redis.from_url(redis_server.url) as redis:
        redis.flushall()
    return load_settings(
        {
            "FLASK_ENV": "testing",
            "INSTANCE_FOLDER": str(tmp_path),
            "POSTGRES_URL": database_url if engine == "postgresql" else "",
            "REDIS_URL": redis_server.url,
            "BCRYPT_ROUNDS": "4",
            "RATE_LIMIT_REGISTER": "1000 per minute",
            "SOURCES_ENABLED": "none",
            "YAHOO_ENABLED": "false",
        }
    )


@pytest.fixture
def fresh_app() -> Iterator[Callable[[Settings], Flask]]:
    """Makes applications; whatever they opened is closed after the test."""
    made: list[Flask] = []

    def make(settings: Settings) -> Flask:
        made.append(create_app(settings))
        return made[-1]

    yield make
    for app in made:
        app.extensions[EXTENSION_KEY].close()


@pytest.fixture
def api(app_settings: Settings, fresh_app: Callable[[Settings], Flask]) -> Iterator[Api]:
    """A running application on an empty database, once on each engine."""
    app = fresh_app(app_settings)
    with serve(app) as url, Api(url, app) as client:
        yield client
