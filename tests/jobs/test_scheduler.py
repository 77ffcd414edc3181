from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from rq import Queue

from jobs.connections import patient_redis
from jobs.housekeeping import TASKS, PeriodicTask
from jobs.leadership import LOCK_NAME, Leadership
from jobs.queue import QUEUE_NAME, JobQueue
from jobs.scheduler import Scheduler
from klyx.database import Database, DatabaseSettings
from klyx.database.models import JobState
from klyx.runtime import Runtime
from klyx.services import jobs
from tests.jobs.support import new_job, program, read_job, wait_for
from tests.servers import ThrowAwayRedis

pytestmark = [pytest.mark.parametrize("engine", ["sqlite"], indirect=True), pytest.mark.usefixtures("engine")]


@pytest.fixture
def connections() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def scheduler(
    runtime: Runtime, queue: JobQueue, connections: ExitStack, tasks: dict[str, PeriodicTask] | None = None
) -> Scheduler:
    connection = connections.enter_context(patient_redis(runtime.settings.redis_url))
    return Scheduler(runtime.database, queue, Leadership(connection, 30.0), tasks or {}, clock=lambda: 600.0)


def queued_ids(redis: Redis) -> list[str]:
    return Queue(QUEUE_NAME, connection=redis, serializer="json").job_ids


def test_one_of_two_leads_until_it_lets_go(own_redis: ThrowAwayRedis, connections: ExitStack) -> None:
    first, second = (
        Leadership(connections.enter_context(patient_redis(own_redis.url)), 30.0) for _ in range(2)
    )
    assert first.hold()
    assert not second.hold()
    assert first.hold()
    second.release()
    assert not second.hold()
    first.release()
    assert second.hold()
    assert not first.hold()


def test_leadership_ends_by_itself_and_is_won_back(own_redis: ThrowAwayRedis, connections: ExitStack) -> None:
    first, second = (
        Leadership(connections.enter_context(patient_redis(own_redis.url)), 30.0) for _ in range(2)
    )
    assert first.hold()
    with own_redis.client() as client:
        assert 0 < client.pttl(LOCK_NAME) <= 30_000
        client.delete(LOCK_NAME)
    assert second.hold()
    assert not first.hold(), "it must notice that the lock is not its own any more"
    second.release()
    assert first.hold()
    with own_redis.client() as client:
        client.delete(LOCK_NAME)
    assert second.hold()
    first.release()
    second.release()
    assert first.hold()


def test_only_the_leader_acts(runtime: Runtime, queue: JobQueue, connections: ExitStack) -> None:
    leader, other = scheduler(runtime, queue, connections), scheduler(runtime, queue, connections)
    leader.tick()
    job = new_job(runtime.database)
    other.tick()
    assert (leader.leads, other.leads) == (True, False)
    assert queued_ids(runtime.redis) == []
    leader.tick()
    assert queued_ids(runtime.redis) == [job.id]


def test_another_scheduler_takes_over_from_a_killed_one(runtime: Runtime, environment: dict[str, str]) -> None:
    with program("jobs.scheduler", environment) as first, program("jobs.scheduler", environment) as second:
        wait_for(lambda: runtime.redis.exists(LOCK_NAME), "a leader")
        for running in (first, second):
            wait_for(lambda: running.says("scheduler started"), "both to run")  # noqa: B023
        first.kill_all()
        job = new_job(runtime.database)
        wait_for(lambda: job.id in queued_ids(runtime.redis), "the job to be enqueued")
        assert second.stop() == 0
        assert not runtime.redis.exists(LOCK_NAME), "it should let go of the leadership at its end"


def test_waiting_jobs_are_enqueued_once_and_again_when_redis_lost_them(
    runtime: Runtime, queue: JobQueue, connections: ExitStack
) -> None:
    leader = scheduler(runtime, queue, connections)
    job = new_job(runtime.database)
    leader.tick()
    leader.tick()
    assert queued_ids(runtime.redis) == [job.id]
    assert read_job(runtime.database, job.id).enqueued_at is not None
    runtime.redis.flushall()
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert [waiting.id for waiting in jobs.recover_lost(runtime.database, later)] == [job.id]


def test_periodic_tasks_go_to_the_workers_once_a_slot(
    runtime: Runtime, queue: JobQueue, connections: ExitStack
) -> None:
    tasks = dict(TASKS)
    for _ in range(2):
        leader = scheduler(runtime, queue, connections, tasks)
        leader.tick()
        leader.tick()
        connections.pop_all().close()
        runtime.redis.delete(LOCK_NAME)
    assert queued_ids(runtime.redis) == [
        f"cron-{name}-{600 // task.interval_seconds}" for name, task in TASKS.items()
    ]


def test_an_outage_of_redis_is_logged_once_and_survived(
    runtime: Runtime,
    queue: JobQueue,
    connections: ExitStack,
    own_redis: ThrowAwayRedis,
    caplog: pytest.LogCaptureFixture,
) -> None:
    leader = scheduler(runtime, queue, connections)
    caplog.set_level(logging.WARNING, "jobs.scheduler")
    job = new_job(runtime.database)
    own_redis.kill()
    for _ in range(3):
        leader.tick()
    assert [record.message for record in caplog.records] == ["out of order"]
    own_redis.start()
    leader.tick()
    assert [record.message for record in caplog.records] == ["out of order", "in order again"]
    assert queued_ids(runtime.redis) == [job.id]


def test_a_failing_action_does_not_stop_the_others(
    runtime: Runtime, queue: JobQueue, connections: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    connection = connections.enter_context(patient_redis(runtime.settings.redis_url))
    nowhere = Database(DatabaseSettings(url="postgresql://klyx@127.0.0.1:1/nothing"))
    leader = Scheduler(nowhere, queue, Leadership(connection, 30.0), TASKS, clock=lambda: 600.0)
    leader.tick()
    leader.tick()
    nowhere.dispose()
    assert [record.message for record in caplog.records if record.name == "jobs.scheduler"] == ["out of order"]
    assert len(queued_ids(runtime.redis)) == len(TASKS)


def test_an_unexpected_failure_is_logged_each_time(
    runtime: Runtime, queue: JobQueue, connections: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    impossible = PeriodicTask(0, TASKS["expired-tokens"].run)
    leader = scheduler(runtime, queue, connections, {"impossible": impossible, **TASKS})
    leader.tick()
    leader.tick()
    failures = [record for record in caplog.records if record.message == "action failed"]
    assert [record.__dict__["action"] for record in failures] == ["impossible", "impossible"]
    assert len(queued_ids(runtime.redis)) == len(TASKS)


def test_the_programs_work_together(runtime: Runtime, environment: dict[str, str]) -> None:
    """A job of a kind that nobody knows goes all the way: row, scheduler, queue, worker, end."""
    job = new_job(runtime.database, "from-another-version")
    with program("jobs.scheduler", environment), program("jobs.worker", environment):
        wait_for(lambda: read_job(runtime.database, job.id).state == JobState.FAILED, "the job to end")
        finished = "rq:job:cron-expired-tokens-*"
        wait_for(lambda: is_finished(runtime.redis, finished), "the housekeeping to be done")
    assert read_job(runtime.database, job.id).attempts == 1


def is_finished(redis: Redis, pattern: str) -> bool:
    return any(redis.hget(key, "status") == b"finished" for key in redis.scan_iter(match=pattern, _type="hash"))
