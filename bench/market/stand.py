"""What the measurements stand on: throw-away servers, real workers, and runs started as the scheduler starts them."""

from __future__ import annotations

import itertools
import os
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import rq

from bench.market import Market
from bench.market.nse_documents import SECTOR_LIST_URL
from bench.market.server import Simulator
from jobs.queue import enqueue
from klyx.config import load_settings
from klyx.database import migrations
from klyx.database.models import DataRefreshLog
from klyx.runtime import Runtime, build_runtime
from klyx.services.market_runs import runs
from klyx.services.market_runs.kinds import Selection
from klyx.services.market_runs.names import RUN_JOB
from klyx.stack import programs, sessions
from klyx.stack.guardian import Guardian
from klyx.stack.program import Program
from tests.servers import ThrowAwayPostgres, ThrowAwayRedis

# Requests a second, of the measurements' goals; the other sources are asked for one thing each.
LIMITS: Mapping[str, int] = {"nse": 10, "yahoo": 5, "moneycontrol": 5, "alpha_vantage": 10, "google_news": 10}
POLL_SECONDS, START_SECONDS = 0.5, 60.0
_SCHEDULES = ("POPULATE", "REFRESH", "TECHNICALS", "ENRICH", "FUNDAMENTALS", "NEWS", "CLEANING")


@dataclass(frozen=True, slots=True)
class Ended:
    """A run as its row tells it, and what was noticed from outside. `memory` is of each look, largest worker first."""

    seconds: float
    began: float
    status: str
    updated: int
    failed: int
    total: int
    error: str | None
    details: Mapping[str, Any]
    memory: tuple[float, ...] = ()


class Worker:
    """A running `python -m jobs.worker` with its work horse, in a session of their own, started anew when killed."""

    def __init__(self, program: Program, log: Path, guardian: Guardian) -> None:
        self.log = log
        self._program = program
        self._guardian = guardian
        self._process = self._started()

    def kill(self) -> None:
        """SIGKILL for the worker and its work horse; another one starts at once."""
        self.end(0.0)
        self._process = self._started()

    def end(self, grace_seconds: float = 5.0) -> None:
        session = self._process.pid
        if grace_seconds:
            sessions.end(session, grace_seconds, sessions.wait)
        sessions.kill(session)
        self._process.wait()
        self._guardian.forget(session)

    def mebibytes(self) -> float:
        """Of the worker and its work horse; pages they share count once."""
        return sum(_proportional_kibibytes(pid) for pid in sessions.members(self._process.pid)) / 1024

    def _started(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                self._program.command,
                env=self._program.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._guardian.watch(process.pid)
        return process


@dataclass(slots=True)
class Site:
    """An installation: a database, workers and a scheduler, all asking one simulator."""

    runtime: Runtime
    workers: Sequence[Worker]
    simulator: Simulator
    folder: Path
    environment: Mapping[str, str]
    _pause: threading.Event = field(default_factory=threading.Event)

    def start(self, kind: str, selection: Selection | None = None) -> int:
        """The number of the run, started and told to the workers."""
        options = runs.Options(started_by="command", selection=selection or Selection(everything=True))
        with self.runtime.database.begin() as session:
            run, is_new = runs.start(session, kind, options, self.runtime.settings.job_max_attempts)
            number, job_id = run.id, run.job_id
        if is_new and job_id is not None:
            enqueue(self.runtime, job_id, RUN_JOB)
        return number

    def look(self, number: int) -> DataRefreshLog:
        with self.runtime.database.read() as session:
            run = runs.find(session, number)
            if run is None:
                raise LookupError(f"there is no run {number}")
            session.expunge(run)
            return run

    def follow(self, number: int, give_up_seconds: float = 3600.0) -> Iterator[tuple[DataRefreshLog, float]]:
        """The run and the memory of the largest worker, twice a second until it has ended."""
        deadline = time.monotonic() + give_up_seconds
        while time.monotonic() < deadline:
            run = self.look(number)
            yield run, max((worker.mebibytes() for worker in self.workers), default=0.0)
            if run.status != "running":
                return
            self._pause.wait(POLL_SECONDS)
        raise TimeoutError(f"run {number} did not end; see {self.folder}")

    def run(self, kind: str, selection: Selection | None = None, give_up_seconds: float = 3600.0) -> Ended:
        """Start a run and wait until it has ended."""
        began = time.monotonic()
        seen = list(self.follow(self.start(kind, selection), give_up_seconds))
        return ended(seen[-1][0], began, [memory for _, memory in seen])

    def log_lines(self) -> list[str]:
        return [line for worker in self.workers for line in worker.log.read_text(errors="replace").splitlines()]


def ended(run: DataRefreshLog, began: float, memory: Sequence[float] = ()) -> Ended:
    return Ended(
        seconds=time.monotonic() - began,
        began=began,
        status=str(run.status),
        updated=run.stocks_updated or 0,
        failed=run.stocks_failed or 0,
        total=run.stocks_total or 0,
        error=run.error_message,
        details=run.details or {},
        memory=tuple(memory),
    )


class MarketStand:
    """One PostgreSQL and one Redis for all measurements; each gets a database and a site of its own."""

    def __init__(self, guardian: Guardian) -> None:
        self._guardian = guardian
        self._exit = ExitStack()
        self._numbers = itertools.count()

    def __enter__(self) -> Self:
        with ExitStack() as exit_stack:
            self.folder = Path(exit_stack.enter_context(tempfile.TemporaryDirectory(prefix="klyx-market-")))
            self.postgres = exit_stack.enter_context(ThrowAwayPostgres(shared_buffers="128MB"))
            self.redis = exit_stack.enter_context(ThrowAwayRedis(appendonly=True))
            self._exit = exit_stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    @contextmanager
    def site(
        self,
        market: Market,
        *,
        workers: int = 2,
        delays: Mapping[str, float] | None = None,
        limits: Mapping[str, int] = LIMITS,
        settings: Mapping[str, str] | None = None,
    ) -> Iterator[Site]:
        """Workers and a scheduler on an empty database, with Redis emptied before."""
        folder = self.folder / f"site-{next(self._numbers)}"
        folder.mkdir()
        with self.redis.client() as client:
            client.flushall()
        with ExitStack() as exit_stack:
            # Every company once, so that none is drawn while somebody waits for an answer.
            market.by_market_cap()
            simulator = exit_stack.enter_context(Simulator(market))
            simulator.delays.update(delays or {})
            environment = self._environment(folder, simulator, limits) | dict(settings or {})
            runtime = build_runtime(load_settings(environment))
            exit_stack.callback(runtime.close)
            migrations.initialise(runtime.database)
            started = []
            commands = [programs.worker(environment)] * workers + [programs.scheduler(environment)]
            for number, program in enumerate(commands):
                worker = Worker(program, folder / f"program-{number}.log", self._guardian)
                exit_stack.callback(worker.end)
                started.append(worker)
            self._wait_for(workers, folder)
            yield Site(runtime, started[:workers], simulator, folder, environment)

    def _wait_for(self, workers: int, folder: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        pause = threading.Event()
        with self.redis.client() as client:
            while rq.Worker.count(connection=client) < workers:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the workers did not start; see {folder}")
                pause.wait(0.1)

    def _environment(self, folder: Path, simulator: Simulator, limits: Mapping[str, int]) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return inherited | {
            "FLASK_ENV": "testing",
            "JWT_SECRET_KEY": secrets.token_urlsafe(48),
            "INSTANCE_FOLDER": str(folder),
            "POSTGRES_URL": self.postgres.create_database(),
            "REDIS_URL": self.redis.url,
            "LOG_LEVEL": "INFO",
            "SECTOR_LIST_URL": SECTOR_LIST_URL,
            "ALPHA_VANTAGE_API_KEY": "SIMULATED",
            **{f"{name}_SCHEDULE": "off" for name in _SCHEDULES},
            **{f"SOURCE_LIMIT_{slug.upper()}": f"{limit} per second" for slug, limit in limits.items()},
            **simulator.environment,
        }


def _proportional_kibibytes(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        # It ended meanwhile.
        return 0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
