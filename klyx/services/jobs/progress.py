"""How a handler tells of its progress and learns that it must stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from klyx.database import Database
from klyx.services.jobs.leases import Lease, LeaseLost, report

MINIMUM_INTERVAL_SECONDS = 0.25


class StopRequested(Exception):
    """Whoever runs the handler wants to end: leave the job so that it can go on later."""


class ProgressReporter:
    """Writes progress at most four times a second, but always the first and the last step.

    `lost` is set by whoever renews the lease when it is lost; every method then raises LeaseLost, so that
    the handler stops at its next step. `stopping` is set by a person who does not want to wait; every method
    then raises StopRequested. For handlers that run in one thread.
    """

    def __init__(
        self,
        database: Database,
        lease: Lease,
        lost: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
        stopping: threading.Event | None = None,
    ) -> None:
        self._database = database
        self._lease = lease
        self._lost = lost or threading.Event()
        self._stopping = stopping or threading.Event()
        self._clock = clock
        self._next_write_at = clock()

    def check(self) -> None:
        """For long steps without progress to tell of. Raises LeaseLost when another worker has the job."""
        if self._lost.is_set():
            raise LeaseLost
        if self._stopping.is_set():
            raise StopRequested

    def report(self, current: int, total: int, message: str) -> None:
        """Show that `current` of `total` steps are done; `message` is for people. Raises as `check`."""
        self.check()
        if self._clock() < self._next_write_at and current < total:
            return
        report(self._database, self._lease, current, total, message)
        self._next_write_at = self._clock() + MINIMUM_INTERVAL_SECONDS
