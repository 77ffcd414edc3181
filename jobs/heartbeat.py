"""Keeping a lease while a handler works."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from klyx.database import Database
from klyx.errors import Unavailable
from klyx.services.jobs import Lease, LeaseLost, renew

logger = logging.getLogger(__name__)


@contextmanager
def heartbeat(database: Database, lease: Lease, lease_seconds: float) -> Iterator[threading.Event]:
    """Renews the lease from a thread for as long as the block runs; yields the event that says it is lost.

    A database that does not answer is asked again: whether the lease was lost, only it can tell.
    """
    stop, lost = threading.Event(), threading.Event()

    def beat() -> None:
        while not stop.wait(lease_seconds / 4):
            try:
                renew(database, lease, lease_seconds)
            except LeaseLost:
                lost.set()
                return
            except (Unavailable, SQLAlchemyError) as error:
                logger.warning("lease not renewed", extra={"error_type": type(error).__name__})

    thread = threading.Thread(target=beat, name="lease-heartbeat", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        stop.set()
        thread.join()
