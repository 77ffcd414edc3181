from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete

from klyx.database import Database, DatabaseSettings
from klyx.database.models import Job, JobState
from klyx.errors import Unavailable
from klyx.services import jobs
from klyx.services.lookups import WaitingRoom, answer_within


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(DatabaseSettings(url=database_url))
    yield database
    database.dispose()


def new_lookup(database: Database) -> str:
    with database.begin() as session:
        job, _ = jobs.create(
            session,
            kind="fundamentals_lookup",
            workspace_id=None,
            user_id=None,
            arguments={},
            max_attempts=1,
            unique_key="fundamentals:INFY:standalone",
        )
        return job.id


def test_the_answer_comes_as_soon_as_the_job_has_ended(database: Database) -> None:
    job_id = new_lookup(database)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(answer_within, database, job_id, 30)
        lease = jobs.claim(database, job_id, 60)
        assert lease is not None
        with database.begin() as session:
            jobs.complete(session, lease, {"found": True})
        job = waiting.result(timeout=10)
    assert job is not None
    assert (job.state, job.result) == (JobState.SUCCEEDED, {"found": True})


def test_a_job_that_takes_longer_is_not_waited_for(database: Database) -> None:
    job_id = new_lookup(database)
    started = time.monotonic()
    assert answer_within(database, job_id, 0.2) is None
    assert time.monotonic() - started >= 0.2


def test_a_job_that_is_gone_is_not_waited_for(database: Database) -> None:
    job_id = new_lookup(database)
    with database.begin() as session:
        session.execute(delete(Job).where(Job.id == job_id))
    assert answer_within(database, job_id, 30) is None


def test_a_full_waiting_room_turns_people_away_until_one_leaves() -> None:
    room = WaitingRoom(2)
    with room.place():
        with room.place():
            with pytest.raises(Unavailable) as refused, room.place():
                pass
            assert refused.value.headers["Retry-After"] == "5"
        with room.place(), pytest.raises(Unavailable), room.place():
            pass


def test_one_caller_leaves_places_for_others() -> None:
    room = WaitingRoom(4, 2)
    with room.place("one"), room.place("one"):
        with pytest.raises(Unavailable), room.place("one"):
            pass
        with room.place("another"), room.place(), pytest.raises(Unavailable), room.place("a third"):
            pass
    with room.place("one"):
        pass
