"""What survives when programs are killed: `python -m bench.job_faults` (on Linux).

Starts the programs of `make run` in a folder of their own, asks through the public API for many analyses of
the sample workbooks, and meanwhile kills a worker with its work horse every few seconds and restarts Redis
twice, all with SIGKILL. Prints how each analysis ended. The exit status is 1 when one was lost, did not
succeed, had its effect twice, or ended later than two minutes after the last fault.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import requests

from klyx.stack import programs, sessions
from klyx.stack.health import is_healthy
from klyx.stack.ports import free_port
from klyx.stack.program import Child, Program
from klyx.stack.redis_server import RedisServer, answers

REDIS_AT_FAULTS = (5, 10)
LIMIT_SECONDS = 120.0
GIVE_UP_SECONDS = 600.0
TIMEOUT_SECONDS = 60.0
FINAL = ("SUCCESS", "FAILURE")


@dataclass(slots=True)
class Analysis:
    """One analysis of one anonymous person."""

    client: requests.Session
    id: str
    answered_in_ms: float
    state: str = "PENDING"
    attempts: int = 0
    ended_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """`final_events` and `rows` are what the person sees: one end, and each stock once."""

    final_events: int
    rows: int
    distinct_stocks: int
    stocks_in_result: int


class Stack:
    """The programs of `make run`, each started again at once when it was killed."""

    def __init__(self, folder: Path, workers: int, postgres_url: str) -> None:
        self.server = RedisServer(folder / "redis")
        self.bind = f"127.0.0.1:{free_port()}"
        environment = {
            **os.environ,
            "FLASK_ENV": "testing",
            "INSTANCE_FOLDER": str(folder),
            "HTTP_BINDS": self.bind,
            "REDIS_URL": self.server.url,
            "POSTGRES_URL": postgres_url,
            "RATE_LIMITS_ENABLED": "false",
            "YAHOO_ENABLED": "false",
            "LOG_LEVEL": "ERROR",
        }
        self._redis = Child(programs.redis(self.server, environment))
        wait_for(lambda: answers(self.server.url), "Redis")
        preparation = Child(programs.database_preparation(environment))
        wait_for(preparation.has_ended, "the database")
        if preparation.reap() != 0:
            sys.exit("The database could not be prepared.")
        self._worker: Program = programs.worker(environment)
        self._workers = [Child(self._worker) for _ in range(workers)]
        self._others = [Child(programs.scheduler(environment)), Child(programs.web(environment))]
        wait_for(lambda: is_healthy(self.bind), "the web application")

    def kill_worker(self, number: int) -> None:
        place = number % len(self._workers)
        sessions.kill(self._workers[place].session)
        self._workers[place].reap()
        self._workers[place] = Child(self._worker)

    def restart_redis(self) -> None:
        program = self._redis.program
        sessions.kill(self._redis.session)
        self._redis.reap()
        self._redis = Child(program)

    def end(self) -> None:
        for child in (*self._workers, *self._others, self._redis):
            sessions.kill(child.session)
            child.reap()


@contextmanager
def running_stack(workers: int, postgres_url: str) -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="klyx-bench-") as folder:
        stack = Stack(Path(folder), workers, postgres_url)
        try:
            yield stack
        finally:
            stack.end()


class Faults(threading.Thread):
    """Kills until told to stop; `last_at` is the time of the last fault."""

    def __init__(self, stack: Stack, every_seconds: float) -> None:
        super().__init__(daemon=True)
        self._stack = stack
        self._every_seconds = every_seconds
        self._stopping = threading.Event()
        self.counts: Counter[str] = Counter()
        self.last_at = time.monotonic()

    def run(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            number = sum(self.counts.values())
            if number in REDIS_AT_FAULTS:
                self._stack.restart_redis()
                self.counts["Redis"] += 1
            else:
                self._stack.kill_worker(number)
                self.counts["worker"] += 1
            self.last_at = time.monotonic()

    @property
    def has_done_all_kinds(self) -> bool:
        return self.counts["Redis"] == len(REDIS_AT_FAULTS)

    def stop(self) -> None:
        self._stopping.set()
        self.join()


def start_analysis(base_url: str) -> Analysis:
    client = requests.Session()
    client.trust_env = False
    client.post(f"{base_url}/api/use_sample", timeout=TIMEOUT_SECONDS).raise_for_status()
    started = time.perf_counter()
    answer = client.post(f"{base_url}/api/process", timeout=TIMEOUT_SECONDS)
    answered_in_ms = (time.perf_counter() - started) * 1000
    answer.raise_for_status()
    return Analysis(client, str(answer.json()["task_id"]), answered_in_ms)


def look(base_url: str, analysis: Analysis) -> None:
    answer = analysis.client.get(f"{base_url}/api/jobs/{analysis.id}", timeout=TIMEOUT_SECONDS)
    answer.raise_for_status()
    job = answer.json()["data"]
    analysis.state, analysis.attempts = job["state"], job["attempts"]
    if analysis.state in FINAL:
        analysis.ended_at = time.monotonic()


def outcome_of(base_url: str, analysis: Analysis) -> Outcome:
    events = analysis.client.get(f"{base_url}/api/jobs/{analysis.id}/events", timeout=TIMEOUT_SECONDS)
    states = [json.loads(line[6:])["state"] for line in events.text.splitlines() if line.startswith("data: ")]
    results = analysis.client.get(f"{base_url}/api/results", timeout=TIMEOUT_SECONDS)
    rows: list[dict[str, Any]] = results.json().get("data", [])
    result = analysis.client.get(f"{base_url}/api/jobs/{analysis.id}", timeout=TIMEOUT_SECONDS).json()["data"]["result"]
    return Outcome(
        final_events=sum(state in FINAL for state in states),
        rows=len(rows),
        distinct_stocks=len({row["Stock Name"] for row in rows}),
        stocks_in_result=result["stocks"] if result else 0,
    )


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"Waited in vain for {what}.")
        pause.wait(0.1)


def watch(base_url: str, analyses: list[Analysis], faults: Faults, leave_for_the_end: int) -> int:
    """Until every analysis has ended; how many had not when the faults stopped."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    pause = threading.Event()
    left_at_last_fault = 0
    while (unfinished := [one for one in analyses if one.state not in FINAL]) and time.monotonic() < deadline:
        if not left_at_last_fault and faults.has_done_all_kinds and len(unfinished) <= leave_for_the_end:
            faults.stop()
            left_at_last_fault = len(unfinished)
            click.echo(f"the faults stop; {left_at_last_fault} analyses are left")
        for analysis in unfinished:
            look(base_url, analysis)
        pause.wait(0.5)
    faults.stop()
    return left_at_last_fault


@click.command()
@click.option("--jobs", "count", default=100, show_default=True, help="Analyses to ask for.")
@click.option("--every", "every_seconds", default=5.0, show_default=True, help="Seconds between two faults.")
@click.option("--workers", default=2, show_default=True, help="Worker processes; they are killed in turn.")
@click.option("--leave", default=25, show_default=True, help="The faults stop when so many are left.")
@click.option("--postgres-url", default="", help="An empty database to run on, instead of SQLite.")
def main(count: int, every_seconds: float, workers: int, leave: int, postgres_url: str) -> None:
    """Ask for analyses, kill programs, and count what is left of them."""
    with running_stack(workers, postgres_url) as stack:
        base_url = f"http://{stack.bind}"
        faults = Faults(stack, every_seconds)
        faults.start()
        with ThreadPoolExecutor(4) as threads:
            analyses = list(threads.map(lambda _: start_analysis(base_url), range(count)))
        left = watch(base_url, analyses, faults, leave)
        outcomes = [outcome_of(base_url, one) for one in analyses]
    sys.exit(0 if tell(analyses, outcomes, faults, left) else 1)


def tell(analyses: list[Analysis], outcomes: list[Outcome], faults: Faults, left: int) -> bool:
    """Print the figures; whether all is well."""
    states = Counter(one.state for one in analyses)
    doubles = sum(
        outcome.final_events != 1 or not outcome.rows == outcome.distinct_stocks == outcome.stocks_in_result
        for outcome in outcomes
    )
    unfinished = sum(one.state not in FINAL for one in analyses)
    last_seconds = max(one.ended_at for one in analyses) - faults.last_at
    waits = sorted(one.answered_in_ms for one in analyses)
    click.echo(f"analyses: {len(analyses)}, ended: {dict(states)}, lost: {unfinished}")
    click.echo(f"faults: {dict(faults.counts)}; analyses left at the last one: {left}")
    click.echo(f"attempts of an analysis: {dict(sorted(Counter(one.attempts for one in analyses).items()))}")
    click.echo(f"wrong or double effects: {doubles}; rows of a result: {sorted({one.rows for one in outcomes})}")
    click.echo(f"the last ended {last_seconds:.1f} s after the last fault")
    click.echo(
        f"POST /api/process meanwhile: p50 {waits[len(waits) // 2]:.0f} ms, "
        f"p99 {waits[min(len(waits) - 1, len(waits) * 99 // 100)]:.0f} ms"
    )
    return states["SUCCESS"] == len(analyses) and doubles == 0 and last_seconds <= LIMIT_SECONDS


if __name__ == "__main__":
    main()
