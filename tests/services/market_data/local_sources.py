"""Sources in this process, for what matters about asking and not about the answers' form."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from klyx.sources.base import Deadline, SourceError, SourceRecord

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
COMPLETE: dict[str, Any] = {
    "currentPrice": 100.0,
    "marketCap": 5e11,
    "pe_ratio": 21.5,
    "roe": 0.22,
    "revenue": 9e10,
    "net_income": 2e10,
    "total_assets": 3e11,
    "total_debt": 0.0,
}


class LocalSource:
    """Answers the same fields, or fails with the same error, for every symbol, once `released`."""

    def __init__(self, name: str, fields: dict[str, Any] | None = None, error: Exception | None = None) -> None:
        self.name = name
        self.slug = name.lower().replace(" ", "_")
        self.fields = fields or {}
        self.error = error
        self.released = threading.Event()
        self.released.set()
        self.asked: list[str] = []
        self.started = threading.Event()
        self.busiest = 0
        self._busy = 0
        self._lock = threading.Lock()

    def held(self) -> LocalSource:
        """The same, but it answers only once `released` is set, or at the deadline."""
        self.released.clear()
        return self

    def fetch(self, symbol: str, deadline: Deadline) -> SourceRecord:
        with self._lock:
            self.asked.append(symbol)
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
        self.started.set()
        try:
            self.released.wait(deadline.remaining() + 5)
            if self.error is not None:
                raise self.error
            return SourceRecord(symbol, self.name, NOON, self.fields)
        finally:
            with self._lock:
                self._busy -= 1


class Failure(SourceError):
    """A failure of no particular kind."""
