"""What the sources of one process share: settings, memory, limits, circuits and counters."""

from __future__ import annotations

import threading

import requests
from redis import Redis

from klyx.caching.gate import RedisGate
from klyx.sources.circuit import Circuit
from klyx.sources.http import new_session
from klyx.sources.limits import Pace
from klyx.sources.memo import Memo
from klyx.sources.metrics import Tally
from klyx.sources.settings import SourceSettings


class SourceContext:
    """One per process. `redis` holds what all processes share; without it each counts alone."""

    def __init__(self, settings: SourceSettings, redis: Redis | None = None, memo: Memo | None = None) -> None:
        self.settings = settings
        self.memo = memo or Memo()
        self._redis = redis
        self._gate = RedisGate()
        self._lock = threading.Lock()
        self._circuits: dict[str, Circuit] = {}
        self._paces: dict[str, Pace] = {}
        self._tallies: dict[str, Tally] = {}

    def session(self, source_name: str, slug: str, allowed_hosts: frozenset[str]) -> requests.Session:
        """A session for the hosts of one source: guarded, paced, broken by the source's circuit and counted.

        What its requests raise: see `klyx.sources.http.new_session`. Safe to share between threads.
        """
        return new_session(
            source_name,
            allowed_hosts,
            self.settings,
            self.circuit(slug, source_name),
            self.pace(slug, source_name),
            self.tally(slug),
        )

    def pace(self, slug: str, source_name: str | None = None) -> Pace:
        """The turns of a source; `source_name` is for messages, of the first call."""
        with self._lock:
            if slug not in self._paces:
                limits = self.settings.limits.get(slug, "")
                self._paces[slug] = Pace(source_name or slug, slug, limits, self._redis, self._gate)
            return self._paces[slug]

    def circuit(self, slug: str, source_name: str | None = None) -> Circuit:
        """The circuit of a source; `source_name` is for messages, of the first call."""
        pace = self.pace(slug, source_name)
        with self._lock:
            if slug not in self._circuits:
                self._circuits[slug] = Circuit(
                    source_name or slug,
                    self.settings.circuit_failures,
                    self.settings.circuit_open_seconds,
                    pace.cool_down,
                )
            return self._circuits[slug]

    def tally(self, slug: str) -> Tally:
        with self._lock:
            return self._tallies.setdefault(slug, Tally(slug, self._redis, self._gate))
