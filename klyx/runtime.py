"""What the web application and a worker both build from the settings: the database and Redis."""

from __future__ import annotations

from dataclasses import dataclass

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy.orm import configure_mappers

from klyx.caching.gate import RedisGate
from klyx.caching.versions import Versions
from klyx.config import Settings
from klyx.database import Database
from klyx.database.settings import DatabaseSettings


@dataclass(frozen=True, slots=True)
class Runtime:
    settings: Settings
    database: Database
    redis: Redis
    versions: Versions
    redis_gate: RedisGate

    def close(self) -> None:
        self.database.dispose()
        self.versions.close()
        self.redis.close()


def build_runtime(settings: Settings) -> Runtime:
    """Nothing connects here: connections are opened when they are needed, so a fork afterwards is safe."""
    # Now, not inside the first transaction: on SQLite every other writer would wait for it.
    configure_mappers()
    database = Database(
        DatabaseSettings(
            url=settings.database_url,
            pool_min=settings.database_pool_min,
            pool_max=settings.database_pool_max,
            pool_wait_seconds=settings.database_pool_wait_seconds,
            statement_timeout_seconds=settings.database_statement_timeout_seconds,
        )
    )
    # No retries: a web request that cannot reach Redis goes on without it, within one timeout.
    redis = Redis.from_url(
        settings.redis_url,
        socket_timeout=settings.redis_timeout_seconds,
        socket_connect_timeout=settings.redis_timeout_seconds,
        retry=Retry(NoBackoff(), 0),
    )
    gate = RedisGate()
    versions = Versions(database, settings.cache_url, settings.redis_timeout_seconds, gate)
    database.observer = versions
    return Runtime(settings=settings, database=database, redis=redis, versions=versions, redis_gate=gate)
