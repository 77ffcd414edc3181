"""Telling the workers, through RQ, that a job's row waits. RQ is only the transport: the row is the truth."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DuplicateJobError

from klyx.config import Settings
from klyx.runtime import Runtime
from klyx.services.market_runs.names import BATCH_JOB, RUN_JOB

logger = logging.getLogger(__name__)

QUEUE_NAME = "klyx"
# What nobody waits for; a worker that serves both queues takes the other one's messages first.
MARKET_QUEUE_NAME = "klyx-market"
QUEUE_NAMES = (QUEUE_NAME, MARKET_QUEUE_NAME)
MARKET_KINDS = frozenset({RUN_JOB, BATCH_JOB})
SERIALIZER = "json"
ENTRY_POINT = "jobs.runner.run"
# A web request does not wait longer for Redis: what it could not enqueue, the scheduler will.
WEB_TIMEOUT_SECONDS = 0.05
WEB_PAUSE_SECONDS = 2.0
# Nothing reads RQ's results; these only bound how long its records stay.
RESULT_TTL_SECONDS = 60
FAILURE_TTL_SECONDS = 3600


def message_id(job_id: str, attempts: int) -> str:
    """RQ's id of the message for the next attempt: the row's own, and from the second on its number.

    So an old worker that ends RQ's record of an earlier attempt cannot remove the message of a later one.
    """
    return job_id if attempts == 0 else f"{job_id}-{attempts + 1}"


class JobQueue:
    """RQ's queues of messages that say "run this job"; `entry_point` names the function a worker calls."""

    def __init__(self, connection: Redis, settings: Settings, entry_point: str = ENTRY_POINT) -> None:
        self._connection = connection
        self._settings = settings
        self._entry_point = entry_point
        self._queue = Queue(QUEUE_NAME, connection=connection, serializer=SERIALIZER)
        self._market_queue = Queue(MARKET_QUEUE_NAME, connection=connection, serializer=SERIALIZER)

    def ensure_enqueued(self, job_id: str, attempts: int = 0, kind: str = "") -> bool:
        """Put a message into the queue for its kind unless it is there; whether it was missing. Raises RedisError.

        A record of RQ's without its id in the queue (a message that was lost between the two, or used up
        without a claim) is overwritten. Two messages are harmless: only one of them can claim the row.
        """
        message = message_id(job_id, attempts)
        queue = self._market_queue if kind in MARKET_KINDS else self._queue
        if self._connection.lpos(queue.key, message) is not None:
            return False
        queue.enqueue_call(
            self._entry_point,
            args=(job_id,),
            job_id=message,
            timeout=self._settings.job_timeout_seconds,
            result_ttl=RESULT_TTL_SECONDS,
            failure_ttl=FAILURE_TTL_SECONDS,
        )
        return True

    def enqueue_periodic(self, function: str, name: str, slot: int, interval_seconds: int) -> bool:
        """Put the periodic task `name` of this `slot` of time into the queue, once; whether this call did.

        A message that no worker took within its slot expires. Raises RedisError.
        """
        try:
            self._queue.enqueue_call(
                function,
                args=(name,),
                job_id=f"cron-{name}-{slot}",
                unique=True,
                timeout=self._settings.job_timeout_seconds,
                ttl=interval_seconds,
                # RQ knows the task is done for this slot as long as its record lives.
                result_ttl=2 * interval_seconds,
                failure_ttl=2 * interval_seconds,
            )
        except DuplicateJobError:
            return False
        return True


class WebEnqueuer:
    """A process' way into the queue for web requests: quick or not at all. Safe for threads.

    After a failure it does not ask Redis for two seconds, so that not every request pays for the wait.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        timeout_seconds = min(settings.redis_timeout_seconds, WEB_TIMEOUT_SECONDS)
        connection = Redis.from_url(
            settings.redis_url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        self._queue = JobQueue(connection, settings)
        self._clock = clock
        self._lock = threading.Lock()
        self._paused_until = 0.0

    def enqueue(self, job_id: str, kind: str) -> bool:
        """Whether Redis took the message."""
        with self._lock:
            if self._clock() < self._paused_until:
                return False
        try:
            self._queue.ensure_enqueued(job_id, kind=kind)
        except RedisError as error:
            with self._lock:
                self._paused_until = self._clock() + WEB_PAUSE_SECONDS
            logger.warning("job left to the scheduler", extra={"error_type": type(error).__name__})
            return False
        return True


@functools.lru_cache(maxsize=1)
def web_enqueuer(settings: Settings) -> WebEnqueuer:
    return WebEnqueuer(settings)


def enqueue(runtime: Runtime, job_id: str, kind: str = "") -> bool:
    """Tell the workers about a new job whose row is committed; False when Redis cannot take it just now.

    `kind` is the job's, and tells in which queue. A row that Redis did not take waits for the scheduler, so
    the caller's answer is the same. Returns within a tenth of a
    second whatever Redis does.
    """
    return web_enqueuer(runtime.settings).enqueue(job_id, kind)
