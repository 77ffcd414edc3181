"""How often a source may be asked, counted together by every process and machine."""

from __future__ import annotations

from redis import Redis

from klyx.caching.gate import RedisGate
from klyx.sources.base import Deadline


class Pace:
    """The turns of one source. Thread-safe."""

    def __init__(
        self, source_name: str, slug: str, limits: str = "", redis: Redis | None = None, gate: RedisGate | None = None
    ) -> None:
        self._source_name = source_name
        self._slug = slug
        self._limits = limits
        self._redis = redis
        self._gate = gate or RedisGate()

    def wait(self, deadline: Deadline) -> float:
        """Returns when it is this request's turn, with the seconds waited.

        Raises SourceRateLimited, at once and without taking a turn, when the turn is after the deadline.
        """
        return 0.0

    def cool_down(self, seconds: float) -> None:
        """The source said 429: nobody asks it for this long."""
