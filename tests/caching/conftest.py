from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest

from klyx.config import Settings
from klyx.runtime import Runtime, build_runtime
from tests.servers import ThrowAwayRedis

BuildRuntime = Callable[..., Runtime]


@pytest.fixture
def settings(app_settings: Settings, own_redis: ThrowAwayRedis) -> Settings:
    """Settings with a Redis of this test's own."""
    return dataclasses.replace(app_settings, redis_url=own_redis.url)


@pytest.fixture
def runtime_of(settings: Settings) -> Iterator[BuildRuntime]:
    """Builds runtimes as several processes would have them, each with the changes given to the settings."""
    built: list[Runtime] = []

    def build(**changes: object) -> Runtime:
        built.append(build_runtime(dataclasses.replace(settings, **changes)))  # type: ignore[arg-type]
        return built[-1]

    yield build
    for runtime in built:
        runtime.close()
