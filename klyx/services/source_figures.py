"""What asking the market-data sources cost on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from redis import Redis, RedisError

from klyx.errors import Unavailable
from klyx.sources.metrics import read

NOT_COUNTED = "The counts are kept in Redis, which cannot be reached just now. Please try again in a moment."


@dataclass(frozen=True, slots=True)
class SourceUse:
    """One source's requests of a UTC day: tries, failures by kind, and seconds waited for turns and answers."""

    source: str
    requests: int
    failures: dict[str, int]
    seconds_waited: float
    seconds_asked: float


def use_of(redis: Redis, day: date) -> list[SourceUse]:
    """Of every source that was asked that day, by its slug. Raises Unavailable."""
    try:
        figures = read(redis, day)
    except RedisError as error:
        raise Unavailable(NOT_COUNTED) from error
    return [
        SourceUse(slug, used.requests, used.failures, round(used.seconds_waited, 3), round(used.seconds_asked, 3))
        for slug, used in sorted(figures.items())
    ]
