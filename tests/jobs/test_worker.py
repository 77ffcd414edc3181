"""A real worker process on real servers, and everything that can be taken from it."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rq import Queue
from rq import Worker as RqWorker
from rq.job import Job as Message

from jobs.connections import patient_redis
from jobs.queue import QUEUE_NAME, JobQueue
from jobs.worker import Worker
from klyx.database.models import JobState
from klyx.runtime import Runtime
from klyx.services import jobs
from tests.jobs.support import (
    Program,
    count_effects,
    event_messages,
    new_job,
    program,
    read_job,
    recovering,
    state_of,
    wait_for,
)
from tests.servers import ThrowAwayRedis

WORKER = "jobs.worker"


@pytest.fixture
def worker(environment: dict[str, str]) -> Iterator[Program]:
    with program(WORKER, environment) as running:
        yield running


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    folder = tmp_path / "gate"
    folder.mkdir()
    return folder


def has_succeeded(runtime: Runtime, job_id: str) -> bool:
    return state_of(runtime.database, job_id) == JobState.SUCCEEDED


def kill_horse(gate: Path, attempt: int) -> None:
    os.kill(int((gate / f"attempt-{attempt}").read_text()), signal.SIGKILL)


def test_it_runs_jobs_one_after_the_other(runtime: Runtime, queue: JobQueue, worker: Program) -> None:
    made = [new_job(runtime.database, "effect").id for _ in range(3)]
    for job_id in made:
        queue.ensure_enqueued(job_id)
    wait_for(lambda: all(has_succeeded(runtime, job_id) for job_id in made), "the jobs to end")
    assert [count_effects(runtime.database, job_id) for job_id in made] == [1, 1, 1]
    assert worker.stop() == 0
    assert worker.says('"job_id":"' + made[0])
    assert not worker.says("Traceback")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_sigterm_lets_the_job_finish(runtime: Runtime, queue: JobQueue, worker: Program, gate: Path) -> None:
    first = new_job(runtime.database, arguments={"folder": str(gate)})
    waiting = new_job(runtime.database, "effect")
    queue.ensure_enqueued(first.id)
    queue.ensure_enqueued(waiting.id)
    wait_for((gate / "attempt-1").exists, "the job to start")
    worker.process.send_signal(signal.SIGTERM)
    wait_for(lambda: shutdown_was_requested(runtime), "the worker to notice")
    (gate / "go").touch()
    assert worker.process.wait(30) == 0
    assert has_succeeded(runtime, first.id)
    assert state_of(runtime.database, waiting.id) == JobState.QUEUED


def shutdown_was_requested(runtime: Runtime) -> bool:
    workers = RqWorker.all(queue=Queue(QUEUE_NAME, connection=runtime.redis, serializer="json"))
    return any(worker.shutdown_requested_date for worker in workers)


def test_a_killed_work_horse_is_replaced(
    runtime: Runtime, queue: JobQueue, worker: Program, gate: Path
) -> None:
    job = new_job(runtime.database, arguments={"folder": str(gate)})
    queue.ensure_enqueued(job.id)
    with recovering(runtime, queue):
        wait_for((gate / "attempt-1").exists, "the first attempt")
        kill_horse(gate, 1)
        wait_for((gate / "attempt-2").exists, "the second attempt")
        (gate / "go").touch()
        wait_for(lambda: has_succeeded(runtime, job.id), "the job to end")
    assert count_effects(runtime.database, job.id) == 1
    assert worker.process.poll() is None


def test_a_killed_worker_is_replaced(
    runtime: Runtime, queue: JobQueue, environment: dict[str, str], gate: Path
) -> None:
    job = new_job(runtime.database, arguments={"folder": str(gate)})
    behind = new_job(runtime.database, "effect")
    queue.ensure_enqueued(job.id)
    queue.ensure_enqueued(behind.id)
    with program(WORKER, environment) as first:
        wait_for((gate / "attempt-1").exists, "the first attempt")
        first.kill_all()
    with recovering(runtime, queue), program(WORKER, environment):
        wait_for((gate / "attempt-2").exists, "the second attempt")
        (gate / "go").touch()
        wait_for(lambda: all(has_succeeded(runtime, one.id) for one in (job, behind)), "the jobs to end")
    assert [count_effects(runtime.database, one.id) for one in (job, behind)] == [1, 1]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_worker_at_work_does_not_mind_that_redis_is_away(
    queue: JobQueue, own_redis: ThrowAwayRedis, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = str(uuid.uuid4())
    queue.ensure_enqueued(job_id)
    with patient_redis(own_redis.url) as connection:
        worker = Worker([QUEUE_NAME], connection=connection, serializer="json")
        message = Message.fetch(job_id, connection=connection, serializer="json")
        execution = worker.prepare_execution(message)
        worker._shutdown_requested_date = datetime.now(UTC)
        own_redis.kill()
        worker.maintain_heartbeats(message, execution)
        worker.set_shutdown_requested_date()
    told = [record.message for record in caplog.records if record.name == "jobs.worker"]
    assert told == ["heartbeat not sent", "shutdown not announced"]
    assert 0 < worker.get_heartbeat_ttl(message) < 60


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_job_whose_attempts_are_used_up_fails_with_a_message(
    runtime: Runtime, queue: JobQueue, worker: Program, gate: Path
) -> None:
    job = new_job(runtime.database, arguments={"folder": str(gate)}, max_attempts=2)
    queue.ensure_enqueued(job.id)
    with recovering(runtime, queue):
        for attempt in (1, 2):
            wait_for((gate / f"attempt-{attempt}").exists, f"attempt {attempt}")
            kill_horse(gate, attempt)
        wait_for(lambda: state_of(runtime.database, job.id) == JobState.FAILED, "the job to fail")
    assert jobs.task_status(read_job(runtime.database, job.id))["error"] == jobs.INTERRUPTED
    assert event_messages(runtime.database, job.id)[-2:] == ["Started again (attempt 2 of 2).", jobs.INTERRUPTED]
    assert worker.process.poll() is None


@pytest.mark.parametrize("keeps_data", [True, False], ids=["with its data", "without its data"])
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_restart_of_redis_loses_no_job(
    runtime: Runtime, queue: JobQueue, worker: Program, gate: Path, own_redis: ThrowAwayRedis, keeps_data: bool
) -> None:
    running = new_job(runtime.database, arguments={"folder": str(gate)})
    waiting = [new_job(runtime.database, "effect").id for _ in range(3)]
    for job_id in (running.id, *waiting):
        queue.ensure_enqueued(job_id)
    wait_for((gate / "attempt-1").exists, "the job to start")
    with recovering(runtime, queue):
        with redis_away(own_redis, keeps_data):
            (gate / "go").touch()
            wait_for(lambda: has_succeeded(runtime, running.id), "the running job to end without Redis")
        wait_for(lambda: all(has_succeeded(runtime, job_id) for job_id in waiting), "the waiting jobs to end", 40)
    assert [count_effects(runtime.database, job_id) for job_id in (running.id, *waiting)] == [1, 1, 1, 1]
    assert read_job(runtime.database, running.id).attempts == 1
    assert worker.process.poll() is None


@contextmanager
def redis_away(server: ThrowAwayRedis, keeps_data: bool) -> Iterator[None]:
    if not keeps_data:
        with server.client() as client:
            client.flushall()
    server.kill()
    yield
    server.start()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_it_waits_for_redis_at_its_start(
    runtime: Runtime, queue: JobQueue, environment: dict[str, str], own_redis: ThrowAwayRedis
) -> None:
    own_redis.stop()
    job = new_job(runtime.database, "effect")
    with recovering(runtime, queue), program(WORKER, environment) as worker:
        wait_for(lambda: worker.says("Redis is not available"), "the worker to say that Redis is away")
        own_redis.start()
        wait_for(lambda: has_succeeded(runtime, job.id), "the job to end")
        assert worker.stop() == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_sigterm_ends_it_while_it_waits_for_redis(environment: dict[str, str], own_redis: ThrowAwayRedis) -> None:
    own_redis.stop()
    with program(WORKER, environment) as worker:
        wait_for(lambda: worker.says("Redis is not available"), "the worker to say that Redis is away")
        assert worker.stop() == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("module", [WORKER, "jobs.scheduler"])
def test_a_wrong_configuration_is_one_line_and_a_failure(environment: dict[str, str], module: str) -> None:
    with program(module, {**environment, "JOB_MAX_ATTEMPTS": "none"}) as running:
        assert running.process.wait(30) == 1
        running.kill_all()
    assert running.lines == ["Configuration cannot be used: JOB_MAX_ATTEMPTS: Not a valid integer.\n"]
