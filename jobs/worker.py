"""`python -m jobs.worker [--queues klyx,klyx-market]`: runs each message in a process forked for it."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from types import FrameType

import click
import rq
from redis import RedisError
from rq.executions import Execution
from rq.job import Job
from sqlalchemy.orm import configure_mappers

from jobs.connections import patient_redis
from jobs.handlers import HANDLERS
from jobs.queue import QUEUE_NAMES, SERIALIZER
from klyx.config import ConfigurationError, Settings, load_settings
from klyx.logs import configure_logging
from klyx.priority import give_way
from klyx.sources.build import factories

logger = logging.getLogger(__name__)

NICENESS = 10

# RQ waits for a message for this long less 15 seconds, and looks after its records between two waits.
WORKER_TTL_SECONDS = 25
MONITORING_INTERVAL_SECONDS = 5
MAINTENANCE_INTERVAL_SECONDS = 60
LONGEST_PAUSE_SECONDS = 5.0
PRELOADED = ("jobs.runner", *(handler.partition(":")[0] for handler in HANDLERS.values()))
# Slow and large, but safe before a fork: its import opens no connection.
PRELOADED_FOR_YAHOO = ("yfinance",)


class Worker(rq.Worker):
    """RQ's worker, made to live through a restart of Redis. `stopping` is set once it must take no more work."""

    max_connection_wait_time = LONGEST_PAUSE_SECONDS
    stopping: threading.Event

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopping.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]
        # A signal that came before these handlers must not be forgotten.
        self._stop_requested = self.stopping.is_set()

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Shorter than RQ's, so that what a killed worker left behind is found within half a minute."""
        return int(self.job_monitoring_interval) + 10

    def subscribe(self) -> None:
        """No listener for remote commands: its thread would be running when the work horse is forked."""

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        try:
            super().maintain_heartbeats(job, execution)
        except RedisError as error:
            # The work horse goes on: its claim is in the database.
            logger.warning("heartbeat not sent", extra={"error_type": type(error).__name__})

    def set_shutdown_requested_date(self) -> None:
        try:
            super().set_shutdown_requested_date()  # type: ignore[no-untyped-call]
        except RedisError as error:
            # Called in a signal handler, where an error would end whatever the worker is doing.
            logger.warning("shutdown not announced", extra={"error_type": type(error).__name__})

    def execute_job(self, job: Job, queue: rq.Queue) -> None:
        try:
            super().execute_job(job, queue)
        finally:
            # Only after an error between the fork and the end of the work horse, which must not stay alone.
            if self.horse_pid:
                self.kill_horse()
                self.wait_for_horse()


class WorkerProgram:
    """Runs one worker after the other until told to stop: a worker ends when it loses Redis."""

    def __init__(self, settings: Settings, queue_names: Sequence[str] = QUEUE_NAMES) -> None:
        self._settings = settings
        self._queue_names = queue_names
        self._stopping = threading.Event()

    def run(self) -> None:
        pause_seconds = 0.1
        while not self._stopping.is_set():
            self._stop_on_signals()
            try:
                self._run_one_worker()
                pause_seconds = 0.1
            except RedisError as error:
                logger.warning("Redis is not available; waiting", extra={"error_type": type(error).__name__})
                pause_seconds = min(LONGEST_PAUSE_SECONDS, pause_seconds * 2)
            self._stop_on_signals()
            self._stopping.wait(pause_seconds)

    def _run_one_worker(self) -> None:
        """Returns when the worker was told to stop or lost Redis. Raises RedisError."""
        with patient_redis(self._settings.redis_url) as connection:
            worker = Worker(
                list(self._queue_names),
                connection=connection,
                serializer=SERIALIZER,
                worker_ttl=WORKER_TTL_SECONDS,
                job_monitoring_interval=MONITORING_INTERVAL_SECONDS,
                maintenance_interval=MAINTENANCE_INTERVAL_SECONDS,
                log_job_description=False,
            )
            worker.stopping = self._stopping
            worker.work(logging_level=None)

    def _stop_on_signals(self) -> None:
        """While no worker works; a working one has handlers of its own and finishes its job first."""

        def stop(_signal: int, _frame: FrameType | None) -> None:
            self._stopping.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)


def preload(settings: Settings) -> None:
    """Do once what every work horse would do for itself: imports, and the mapping of the models."""
    for name in (*PRELOADED, *(PRELOADED_FOR_YAHOO if "yahoo" in settings.sources_asked else ())):
        import_module(name)
    factories(settings.sources_asked)
    configure_mappers()


def queue_names(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
    if unknown := sorted(set(names) - set(QUEUE_NAMES)):
        raise click.BadParameter(f"no queues of ours: {', '.join(unknown)}. There are {' and '.join(QUEUE_NAMES)}.")
    return names


@click.command()
@click.option(
    "--queues",
    default=",".join(QUEUE_NAMES),
    show_default=True,
    callback=queue_names,
    help="The queues to serve; a message of an earlier one goes first.",
)
def main(queues: tuple[str, ...]) -> None:
    """Run background work until told to stop."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    configure_logging(settings.log_level)
    logging.getLogger("rq").setLevel(max(logging.WARNING, logging.getLogger().level))
    # Where web and worker share a machine, a person who waits for an answer goes before work in the background.
    give_way(NICENESS)
    preload(settings)
    logger.info("worker started", extra={"queues": list(queues)})
    WorkerProgram(settings, queues).run()
    logger.info("worker stopped")


if __name__ == "__main__":
    main()
