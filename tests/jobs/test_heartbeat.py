from __future__ import annotations

import logging
import uuid

import pytest

from jobs.heartbeat import heartbeat
from klyx.database import Database, DatabaseSettings
from klyx.services.jobs import Lease
from tests.jobs.support import wait_for


def test_a_database_that_is_away_does_not_mean_that_the_lease_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    away = Database(DatabaseSettings(url="postgresql://klyx@127.0.0.1:1/nothing"))
    lease = Lease(str(uuid.uuid4()), str(uuid.uuid4()), 1, 3, "process", None, None, {})

    def complaints() -> int:
        return sum(record.message == "lease not renewed" for record in caplog.records)

    with caplog.at_level(logging.WARNING, "jobs.heartbeat"), heartbeat(away, lease, 0.04) as lost:
        wait_for(lambda: complaints() >= 3, "three attempts to renew")
        assert not lost.is_set()
    away.dispose()
