"""What is measured and what it stands on: throw-away servers and real gunicorn processes, all gone at the end."""

from __future__ import annotations

import itertools
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from redis import Redis

from bench import ceiling
from bench.speed.client import Connection, Request
from bench.speed.statements import StatementLog
from bench.stocks import fill
from klyx.database import Database, DatabaseSettings, migrations
from klyx.stack import sessions
from klyx.stack.guardian import Guardian
from klyx.stack.health import is_healthy
from klyx.stack.ports import free_port
from tests.servers import ThrowAwayPostgres, ThrowAwayRedis

FEW, MANY = 2_400, 100_000
START_SECONDS = 30.0
STOP_SECONDS = 5.0
GUNICORN = (sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--graceful-timeout", "2")
# Far above what any load here reaches: every limit is counted and none refuses.
NO_LIMIT = "100000000 per minute"
# Database numbers of the one Redis server: two for each application, so that none finds another's answers.
_REDIS_DATABASES = 16


class Web:
    """A running gunicorn: the application or the ceiling."""

    def __init__(self, command: tuple[str, ...], environment: Mapping[str, str], port: int, log: Path) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def session(self) -> int:
        return self._process.pid

    def connect(self) -> Connection:
        return Connection(self.port)

    def worker_pids(self) -> list[int]:
        return [pid for pid in sessions.members(self.session) if pid != self.session]

    def wait_until_it_answers(self, path: str) -> None:
        """Raises RuntimeError with the end of its log when it does not in time."""
        deadline = time.monotonic() + START_SECONDS
        pause = threading.Event()
        while not self._answers(path):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"gunicorn did not start:\n{self.log.read_text()[-3000:]}")
            pause.wait(0.05)

    def end(self) -> None:
        sessions.end(self.session, STOP_SECONDS, sessions.wait)
        self._process.wait()

    def _answers(self, path: str) -> bool:
        if path == "/api/health":
            return is_healthy(f"127.0.0.1:{self.port}")
        try:
            with self.connect() as connection:
                return connection.send(Request(path), expected_status=None).status == 200
        except OSError:
            return False


class Stand:
    """The servers, the filled databases (each made once), and applications on them for as long as a row needs.

    `guardian` ends the gunicorn processes when this process is killed; the servers have watchdogs of their own.
    """

    def __init__(self, guardian: Guardian) -> None:
        self._guardian = guardian
        self._exit = ExitStack()
        self._numbers = itertools.count()
        self._databases: dict[int, str] = {}

    def __enter__(self) -> Self:
        with ExitStack() as exit_stack:
            self.folder = Path(exit_stack.enter_context(tempfile.TemporaryDirectory(prefix="klyx-bench-")))
            self.postgres = exit_stack.enter_context(ThrowAwayPostgres(shared_buffers="256MB"))
            self.redis = exit_stack.enter_context(ThrowAwayRedis(appendonly=True))
            self.statements = StatementLog(self.postgres.port, self.postgres.folder / "server.log")
            self._exit = exit_stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def database_url(self, count: int) -> str:
        """A database with so many generated stocks."""
        if count not in self._databases:
            url = self.postgres.create_database()
            database = Database(DatabaseSettings(url=url))
            try:
                migrations.initialise(database)
                fill(database, count)
            finally:
                database.dispose()
            self._databases[count] = url
        return self._databases[count]

    @contextmanager
    def application(self, count: int = FEW, *, is_cached: bool = True) -> Iterator[Web]:
        """The application as in production, with so many stocks, on its own part of Redis, emptied before."""
        environment = self._environment() | {
            "POSTGRES_URL": self.database_url(count),
            "ANSWER_CACHE_ENABLED": str(is_cached).lower(),
        }
        with self._running(environment, "wsgi:app", "/api/health") as web:
            yield web

    @contextmanager
    def application_with_chat(self, model: Mapping[str, str], count: int = FEW) -> Iterator[tuple[Web, Web]]:
        """The application and its server for streamed answers; `model` are the settings of the model it asks."""
        environment = self._environment() | {"POSTGRES_URL": self.database_url(count), **model}
        with (
            self._running(dict(environment), "wsgi:app", "/api/health") as web,
            self._running(environment | {"HTTP_ROLE": "chat"}, "wsgi:app", "/api/health") as chat,
        ):
            yield web, chat

    @contextmanager
    def ceiling(self, answers: Mapping[str, tuple[bytes, str]]) -> Iterator[Web]:
        """Bare views of these answers at `/<name>`, under the same gunicorn settings."""
        folder = self.folder / f"ceiling-{next(self._numbers)}"
        folder.mkdir()
        ceiling.write_answers(folder, answers)
        with self._running(
            self._environment(), f"bench.ceiling:create_app({str(folder)!r})", f"/{next(iter(answers))}"
        ) as web:
            yield web

    @contextmanager
    def _running(self, environment: dict[str, str], app: str, health: str) -> Iterator[Web]:
        port = free_port()
        environment["CHAT_BINDS" if environment.get("HTTP_ROLE") == "chat" else "HTTP_BINDS"] = f"127.0.0.1:{port}"
        web = Web((*GUNICORN, app), environment, port, self.folder / f"web-{port}.log")
        self._guardian.watch(web.session)
        try:
            web.wait_until_it_answers(health)
            yield web
        finally:
            web.end()
            self._guardian.forget(web.session)

    def _environment(self) -> dict[str, str]:
        number = next(self._numbers) * 2 % _REDIS_DATABASES
        address = self.redis.url.rpartition("/")[0]
        for part in (number, number + 1):
            with Redis.from_url(f"{address}/{part}") as client:
                client.flushdb()
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return inherited | {
            "FLASK_ENV": "production",
            "FORCE_HTTPS": "false",
            "JWT_SECRET_KEY": secrets.token_urlsafe(48),
            "INSTANCE_FOLDER": str(self.folder),
            "WEB_WORKERS": "2",
            "WEB_THREADS": "32",
            "REDIS_URL": f"{address}/{number}",
            "CACHE_REDIS_URL": f"{address}/{number + 1}",
            "RATE_LIMITS_ENABLED": "true",
            "RATE_LIMIT_DEFAULT": NO_LIMIT,
            "LOG_LEVEL": "INFO",
            "YAHOO_ENABLED": "false",
        }
