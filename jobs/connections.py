"""Redis connections of the worker and the scheduler, which can wait longer than a web request."""

from __future__ import annotations

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

TIMEOUT_SECONDS = 5.0


def patient_redis(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Redis:
    """A client that tries a command again over a new connection: the old one may be left from before a restart."""
    return Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=2.0,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 2),
    )
