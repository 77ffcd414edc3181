"""A circuit breaker: after repeated failures a source is left alone, so that nobody waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from klyx.sources.base import Deadline, SourceCircuitOpen

logger = logging.getLogger(__name__)


class Circuit:
    """Counts failures in a row of one source in this process. Thread-safe.

    Three kinds are counted apart. The client reports `failed` and `succeeded` (connections, statuses of 500 and
    above) and `limited` (429); a source that answers can still answer nothing of use, so its own module reports
    `misunderstood` and `understood` (refusals, a web page instead of data).
    """

    def __init__(
        self,
        source_name: str,
        failures_to_open: int,
        open_seconds: float,
        rest: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._source_name = source_name
        self._failures_to_open = failures_to_open
        self._open_seconds = open_seconds
        self._rest = rest
        self._lock = threading.Lock()
        self._failures = 0
        self._misunderstandings = 0
        self._limitations = 0
        self._limited_at = 0.0
        self._down_until: Deadline | None = None
        self._useless_until: Deadline | None = None

    def check(self) -> None:
        """Raises SourceCircuitOpen while the source is down, or answers nothing of use.

        After each pause for a source that was down, one caller is let through and finds out for all.
        """
        with self._lock:
            if self._useless_until is not None and not self._useless_until.expired:
                raise SourceCircuitOpen(f"{self._source_name} answers nothing of use")
            if self._down_until is not None:
                if not self._down_until.expired:
                    raise SourceCircuitOpen(f"{self._source_name} could not be reached")
                self._down_until = Deadline(self._open_seconds)

    def succeeded(self) -> None:
        """The source answered."""
        with self._lock:
            self._failures = self._limitations = 0
            self._down_until = None

    def failed(self) -> None:
        """One more failure. The count outlives the pause: one failure after it opens again."""
        with self._lock:
            self._failures += 1
            if self._failures < self._failures_to_open:
                return
            first = self._failures == self._failures_to_open
            self._down_until = Deadline(self._open_seconds)
        if first:
            self._log("Market-data source is down", self._open_seconds)

    def understood(self) -> None:
        """The answer was what was asked for."""
        with self._lock:
            self._misunderstandings = 0
            self._useless_until = None

    def misunderstood(self) -> None:
        """The source answered something of no use, such as a refusal or a web page instead of data."""
        with self._lock:
            self._misunderstandings += 1
            if self._misunderstandings < self._failures_to_open:
                return
            first = self._misunderstandings == self._failures_to_open
            self._useless_until = Deadline(self._open_seconds)
        if first:
            self._log("Market-data source answers nothing of use", self._open_seconds)

    def limited(self, asked_at: float) -> None:
        """The source said 429 to a request that left at this moment of the monotonic clock.

        It is given its rests; but one that still says so after several of them would have everybody wait for ever.
        """
        with self._lock:
            self._failures = 0
            self._down_until = None
            # Requests that were under way together are told together.
            if asked_at < self._limited_at:
                return
            self._limited_at = time.monotonic()
            self._limitations += 1
            if self._limitations < self._failures_to_open:
                return
            first = self._limitations == self._failures_to_open
            self._useless_until = Deadline(self._open_seconds)
        if first:
            self._log("Market-data source limits requests again and again", self._open_seconds)

    def rest(self, seconds: float) -> None:
        """The source said 429, or the like: nobody asks it for this long, which its limits see to."""
        self._rest(seconds)

    def _log(self, event: str, pause_seconds: float) -> None:
        logger.warning(event, extra={"source": self._source_name, "pause_seconds": pause_seconds})
