"""The market-data sources of a worker process."""

from __future__ import annotations

import functools

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from klyx.config import Settings
from klyx.runtime import Runtime
from klyx.sources.build import Sources, build_sources, source_settings
from klyx.sources.memo import Memo

# A process that gives Redis up counts alone, and adds its requests to those of the others: better to wait for a
# busy machine. One where Redis is not there at all refuses at once.
LIMITS_TIMEOUT_SECONDS = 3.0


def sources_of(runtime: Runtime) -> Sources:
    """The sources that the settings switch on. One set for the process: they share limits, circuits and cookies."""
    return _sources(runtime.settings)


def memo_of(runtime: Runtime) -> Memo:
    """What the sources said a short while ago, shared by all processes when there is a cache."""
    return _memo(runtime.settings)


@functools.lru_cache(maxsize=1)
def _memo(settings: Settings) -> Memo:
    timeout_seconds = settings.redis_timeout_seconds
    return Memo(None if settings.cache_url is None else _redis(settings.cache_url, timeout_seconds))


@functools.lru_cache(maxsize=1)
def _sources(settings: Settings) -> Sources:
    return build_sources(
        source_settings(settings),
        _redis(settings.redis_url, max(settings.redis_timeout_seconds, LIMITS_TIMEOUT_SECONDS)),
        _memo(settings),
    )


def _redis(url: str, timeout_seconds: float) -> Redis:
    """Without retries: what cannot be shared at once is counted and kept in this process."""
    retry = Retry(NoBackoff(), 0)
    return Redis.from_url(url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds, retry=retry)
