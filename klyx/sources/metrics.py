"""What asking each source cost, counted by all processes together: per UTC day, kept for a week."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from redis import Redis

from klyx.caching.gate import RedisGate

KEPT_SECONDS = 8 * 86_400
FAILED = "failed_"


@dataclass(slots=True)
class SourceFigures:
    """`requests` counts tries; `failures` those that failed, by kind (`timeout`, `status_403`, ...)."""

    requests: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    seconds_waited: float = 0.0
    seconds_asked: float = 0.0


class Tally:
    """Counts one source's requests into Redis; while that cannot be used, they are kept for later. Thread-safe."""

    def __init__(self, slug: str, redis: Redis | None = None, gate: RedisGate | None = None) -> None:
        self._slug = slug
        self._redis = redis
        self._gate = gate or RedisGate()
        self._lock = threading.Lock()
        self._pending: Counter[tuple[str, str]] = Counter()

    def asked(self, failure: str | None, seconds: float, waited: float = 0.0) -> None:
        """One request, its failure if it failed, how long it took and how long it waited for its turn."""
        amounts = {"requests": 1, "asked_ms": round(seconds * 1000), "waited_ms": round(waited * 1000)}
        if failure is not None:
            amounts[FAILED + failure] = 1
        self._add(amounts)

    def failed(self, failure: str) -> None:
        """Something that failed without a request of its own: `unreadable`, `not_its_turn`, `circuit_open`."""
        self._add({FAILED + failure: 1})

    def _add(self, amounts: dict[str, int]) -> None:
        if self._redis is None:
            return
        day = _key(datetime.now(UTC).date())
        with self._lock:
            self._pending.update({(day, f"{self._slug}:{name}"): amount for name, amount in amounts.items() if amount})
            if not self._gate.may_try():
                return
            pending, self._pending = self._pending, Counter()
        written = False
        with self._gate.attempt():
            pipeline = self._redis.pipeline(transaction=True)
            for (key, name), amount in pending.items():
                pipeline.hincrby(key, name, amount)
            for key in {key for key, _ in pending}:
                pipeline.expire(key, KEPT_SECONDS)
            pipeline.execute()
            written = True
        if not written:
            with self._lock:
                self._pending.update(pending)


def read(redis: Redis, day: date | None = None) -> dict[str, SourceFigures]:
    """The figures of a UTC day (today) by source. Raises redis.RedisError."""
    stored = redis.hgetall(_key(day or datetime.now(UTC).date()))
    figures: dict[str, SourceFigures] = {}
    for raw_name, raw_amount in stored.items():
        slug, _, name = _text(raw_name).partition(":")
        amount = int(raw_amount)
        source = figures.setdefault(slug, SourceFigures())
        if name == "requests":
            source.requests = amount
        elif name == "asked_ms":
            source.seconds_asked = amount / 1000
        elif name == "waited_ms":
            source.seconds_waited = amount / 1000
        elif name.startswith(FAILED):
            source.failures[name.removeprefix(FAILED)] = amount
    return figures


def _key(day: date) -> str:
    return f"klyx:sources:{day.isoformat()}"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
