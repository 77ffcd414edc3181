from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jobs.connections import patient_redis
from jobs.queue import JobQueue
from klyx.config import Settings, load_settings
from klyx.runtime import Runtime, build_runtime
from tests.jobs.kinds import ENTRY_POINT
from tests.servers import ThrowAwayRedis


@pytest.fixture
def environment(engine: str, database_url: str, own_redis: ThrowAwayRedis, tmp_path: Path) -> dict[str, str]:
    """For programs of ours on this test's servers; leases are short, so that lost ones are seen soon."""
    return {
        "FLASK_ENV": "testing",
        "INSTANCE_FOLDER": str(tmp_path),
        "POSTGRES_URL": database_url if engine == "postgresql" else "",
        "REDIS_URL": own_redis.url,
        "JOB_LEASE_SECONDS": "2",
        "SCHEDULER_INTERVAL_SECONDS": "0.2",
        "YAHOO_ENABLED": "false",
    }


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return load_settings(environment)


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    with closing(build_runtime(settings)) as built:
        yield built


@pytest.fixture
def queue(settings: Settings) -> Iterator[JobQueue]:
    """The queue, with messages that run the kinds of these tests."""
    with patient_redis(settings.redis_url) as connection:
        yield JobQueue(connection, settings, ENTRY_POINT)
