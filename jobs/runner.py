"""What RQ calls in the work horse: claim the job, keep its lease, run its handler, end it in any case."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import closing

from rq.timeouts import JobTimeoutException

from jobs.handlers import HANDLERS, load_handler
from jobs.heartbeat import heartbeat
from klyx.config import Settings, load_settings
from klyx.logs import job_id as job_id_in_logs
from klyx.runtime import Runtime, build_runtime
from klyx.services import jobs
from klyx.services.jobs import Lease, LeaseLost, ProgressReporter, StopRequested

logger = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 60.0
TRYING_AGAIN = "Something went wrong on our side; trying again shortly."
GAVE_UP = "Something went wrong on our side and this could not be finished. Please start it again."
TOOK_TOO_LONG = "This took too long and was stopped. Please start it again, with fewer files if you can."
STOPPED = "Stopped for now; it goes on later where it was."
UNKNOWN_KIND = "This kind of task is not available any more. Please start it again."


def run(job_id: str) -> None:
    """The entry point that messages in the queue name."""
    run_job(job_id, load_settings(), HANDLERS)


def run_job(job_id: str, settings: Settings, handlers: Mapping[str, str]) -> None:
    """Run one attempt of the job, unless somebody else has it or it has ended.

    Builds its own connections, so that none is shared with the process that forked this one.
    """
    job_id_in_logs.set(job_id)
    with closing(build_runtime(settings)) as runtime:
        attempt(runtime, job_id, handlers)


def attempt(
    runtime: Runtime, job_id: str, handlers: Mapping[str, str], stopping: threading.Event | None = None
) -> bool:
    """As `run_job`, with connections that are there; whether the job was ours to run.

    Once `stopping` is set, the handler leaves the job at its next step for somebody to go on with.
    """
    lease = jobs.claim(runtime.database, job_id, runtime.settings.job_lease_seconds)
    if lease is None:
        logger.info("nothing to do: the job is taken or has ended")
        return False
    logger.info("job started", extra={"kind": lease.kind, "attempt": lease.attempt})
    try:
        _attempt(runtime, lease, handlers, stopping)
    except LeaseLost:
        logger.warning("lease lost: another worker has the job")
    return True


def _attempt(
    runtime: Runtime, lease: Lease, handlers: Mapping[str, str], stopping: threading.Event | None
) -> None:
    """Raises LeaseLost."""
    database, lease_seconds = runtime.database, runtime.settings.job_lease_seconds
    try:
        handler = load_handler(handlers, lease.kind)
        if handler is None:
            logger.error("unknown kind of job", extra={"kind": lease.kind})
            _fail(runtime, lease, UNKNOWN_KIND)
            return
        with heartbeat(database, lease, lease_seconds) as lost:
            handler(runtime, lease, ProgressReporter(database, lease, lost, stopping=stopping))
        if jobs.is_held(database, lease):
            raise RuntimeError("the handler returned without ending its job")  # noqa: TRY301
    except LeaseLost:
        raise
    except StopRequested:
        with database.begin() as session:
            jobs.suspend(session, lease, 0, STOPPED)
        logger.info("job left for later", extra={"kind": lease.kind})
    except JobTimeoutException:
        # Another attempt would take as long.
        logger.exception("job took too long")
        _fail(runtime, lease, TOOK_TOO_LONG)
    except Exception:
        logger.exception("attempt failed", extra={"kind": lease.kind, "attempt": lease.attempt})
        if lease.is_last_attempt:
            _fail(runtime, lease, GAVE_UP)
        else:
            jobs.release_for_retry(database, lease, retry_delay_seconds(lease.attempt), TRYING_AGAIN)
    else:
        logger.info("job ended", extra={"kind": lease.kind, "attempt": lease.attempt})


def _fail(runtime: Runtime, lease: Lease, message: str) -> None:
    with runtime.database.begin() as session:
        jobs.fail(session, lease, message)


def retry_delay_seconds(attempt: int) -> float:
    """How long to wait after the given attempt: 2, 4, 8... seconds, a minute at most."""
    return min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** (attempt - 1))
