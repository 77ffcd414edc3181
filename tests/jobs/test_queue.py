from __future__ import annotations

import os
import signal
import time
import uuid

import pytest
from redis import Redis, RedisError
from rq import Queue
from rq.job import Job as Message

from jobs.queue import FAILURE_TTL_SECONDS, QUEUE_NAME, RESULT_TTL_SECONDS, JobQueue, WebEnqueuer, enqueue
from klyx.config import Settings
from klyx.runtime import Runtime
from tests.jobs.kinds import ENTRY_POINT
from tests.servers import ThrowAwayRedis

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def queued_ids(redis: Redis) -> list[str]:
    return Queue(QUEUE_NAME, connection=redis, serializer="json").job_ids


def test_a_message_names_the_row_and_nothing_else(runtime: Runtime) -> None:
    job_id = str(uuid.uuid4())
    assert enqueue(runtime, job_id)
    message = Message.fetch(job_id, connection=runtime.redis, serializer="json")
    assert (message.func_name, message.args, message.kwargs) == ("jobs.runner.run", [job_id], {})
    assert message.timeout == runtime.settings.job_timeout_seconds
    assert (message.result_ttl, message.failure_ttl) == (RESULT_TTL_SECONDS, FAILURE_TTL_SECONDS)
    assert queued_ids(runtime.redis) == [job_id]


def test_a_message_that_is_there_is_not_doubled(runtime: Runtime, queue: JobQueue) -> None:
    job_id = str(uuid.uuid4())
    assert queue.ensure_enqueued(job_id)
    assert not queue.ensure_enqueued(job_id)
    assert enqueue(runtime, job_id)
    assert queued_ids(runtime.redis) == [job_id]


def test_a_lost_message_is_sent_again_although_its_record_lives(runtime: Runtime, queue: JobQueue) -> None:
    job_id = str(uuid.uuid4())
    queue.ensure_enqueued(job_id)
    runtime.redis.delete(f"rq:queue:{QUEUE_NAME}")
    assert Message.exists(job_id, connection=runtime.redis)
    assert queue.ensure_enqueued(job_id)
    assert queued_ids(runtime.redis) == [job_id]


def test_each_attempt_has_a_message_of_its_own(runtime: Runtime, queue: JobQueue) -> None:
    job_id = str(uuid.uuid4())
    for attempts in (0, 1, 2):
        assert queue.ensure_enqueued(job_id, attempts)
    assert queued_ids(runtime.redis) == [job_id, f"{job_id}-2", f"{job_id}-3"]
    later = Message.fetch(f"{job_id}-3", connection=runtime.redis, serializer="json")
    assert (later.func_name, later.args) == (ENTRY_POINT, [job_id])


def test_enqueueing_fails_quietly_without_redis_and_asks_again_later(
    settings: Settings, own_redis: ThrowAwayRedis
) -> None:
    now = [0.0]
    enqueuer = WebEnqueuer(settings, clock=lambda: now[0])
    job_id = str(uuid.uuid4())
    own_redis.kill()
    assert not enqueuer.enqueue(job_id, "process")
    own_redis.start()
    assert not enqueuer.enqueue(job_id, "process"), "it should not have asked again so soon"
    now[0] += 3
    assert enqueuer.enqueue(job_id, "process")


def test_a_redis_that_hangs_does_not_hold_up_a_request(settings: Settings, own_redis: ThrowAwayRedis) -> None:
    enqueuer = WebEnqueuer(settings)
    assert enqueuer.enqueue(str(uuid.uuid4()), "process")
    os.kill(own_redis.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        answers = [enqueuer.enqueue(str(uuid.uuid4()), "process") for _ in range(100)]
        elapsed = time.monotonic() - started
    finally:
        os.kill(own_redis.pid, signal.SIGCONT)
    assert not any(answers)
    assert elapsed < 10, "every request seems to have waited for Redis"


def test_others_see_the_failure_of_redis(queue: JobQueue, own_redis: ThrowAwayRedis) -> None:
    own_redis.kill()
    with pytest.raises(RedisError):
        queue.ensure_enqueued(str(uuid.uuid4()))


def test_a_periodic_task_is_sent_once_in_its_slot(runtime: Runtime, queue: JobQueue) -> None:
    sent = [queue.enqueue_periodic("jobs.housekeeping.run", "expired-tokens", slot, 60) for slot in (7, 7, 8)]
    assert sent == [True, False, True]
    assert queued_ids(runtime.redis) == ["cron-expired-tokens-7", "cron-expired-tokens-8"]
    assert 0 < runtime.redis.ttl("rq:job:cron-expired-tokens-7") <= 60
