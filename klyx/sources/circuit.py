"""A circuit breaker: after repeated failures a source is left alone, so that nobody waits for it."""

from __future__ import annotations

import logging
import threading

from klyx.sources.base import Deadline, SourceCircuitOpen, SourceRateLimited

logger = logging.getLogger(__name__)


class Circuit:
    """Counts consecutive connection failures of one source in this process. Thread-safe."""

    def __init__(self, source_name: str, failures_to_open: int, open_seconds: float) -> None:
        self._source_name = source_name
        self._failures_to_open = failures_to_open
        self._open_seconds = open_seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_again: Deadline | None = None
        self._rested: Deadline | None = None

    def check(self) -> None:
        """Raises SourceRateLimited while the source wants a rest, SourceCircuitOpen while it is down."""
        with self._lock:
            if self._rested is not None and not self._rested.expired:
                raise SourceRateLimited(
                    f"{self._source_name} limits how often it may be asked", self._rested.remaining()
                )
            if self._closed_again is not None and not self._closed_again.expired:
                raise SourceCircuitOpen(f"{self._source_name} could not be reached")

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0
            self._closed_again = None

    def failed(self) -> None:
        """One more connection failure. The count outlives the pause: one failure after it opens again."""
        with self._lock:
            self._failures += 1
            if self._failures < self._failures_to_open:
                return
            self._closed_again = Deadline(self._open_seconds)
        self._log("Market-data source is down", self._open_seconds)

    def rest(self, seconds: float) -> None:
        """The source said 429: nobody asks it for this long."""
        with self._lock:
            self._rested = Deadline(seconds)
        self._log("Market-data source limits requests", seconds)

    def _log(self, event: str, pause_seconds: float) -> None:
        logger.warning(event, extra={"source": self._source_name, "pause_seconds": pause_seconds})
