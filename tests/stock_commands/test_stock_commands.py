"""The commands as real processes, with Redis away: they need neither a queue nor a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from klyx.config import load_settings
from klyx.database.models import DataRefreshLog, Job, JobState, Stock
from klyx.runtime import Runtime, build_runtime
from klyx.stock_commands.texts import duration, progress_line
from tests.jobs.run_kinds import FOLDER
from tests.jobs.support import PATIENCE_SECONDS, REPOSITORY, wait_for

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def environment(engine: str, database_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "FLASK_ENV": "testing",
        "INSTANCE_FOLDER": str(tmp_path),
        "POSTGRES_URL": database_url if engine == "postgresql" else "",
        "REDIS_URL": NOWHERE,
        "JOB_LEASE_SECONDS": "2",
        "LOG_LEVEL": "ERROR",
    }


@pytest.fixture
def runtime(environment: dict[str, str]) -> Iterator[Runtime]:
    with closing(build_runtime(load_settings(environment))) as built:
        with built.database.begin() as session:
            rows = [{"stock_name": f"Company {number}", "nse_code": f"S{number:03}"} for number in range(30)]
            session.execute(insert(Stock), rows)
        (built.settings.instance_folder / FOLDER).mkdir()
        yield built


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.stock_commands.program", "stocks", *arguments],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def output_of(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=PATIENCE_SECONDS)[0]


def the_run(runtime: Runtime) -> DataRefreshLog:
    with runtime.database.read() as session:
        return session.scalars(select(DataRefreshLog).where(DataRefreshLog.refresh_type == "test")).one()


def asked(runtime: Runtime) -> Counter[str]:
    return Counter((runtime.settings.instance_folder / FOLDER / "asked").read_text().split())


def prices(runtime: Runtime) -> Counter[float | None]:
    with runtime.database.read() as session:
        return Counter(session.scalars(select(Stock.current_price)))


def test_a_command_does_the_whole_run_by_itself(runtime: Runtime, environment: dict[str, str]) -> None:
    process = start(environment, "test", "--batch-size", "10")
    shown = output_of(process)
    assert process.returncode == 0, shown
    assert "Test: success after" in shown
    assert Counter(asked(runtime).values()) == {1: 30}
    assert the_run(runtime).status == "success"
    listed = output_of(start(environment, "runs"))
    assert "test" in listed
    assert "success" in listed


def test_ctrl_c_keeps_what_was_fetched_and_the_run_goes_on_later(
    runtime: Runtime, environment: dict[str, str]
) -> None:
    (runtime.settings.instance_folder / FOLDER / "seconds").write_text("0.5")
    process = start(environment, "test", "--batch-size", "15")
    wait_for(lambda: (the_run_if_any(runtime) or 0) >= 8, "some stocks to be stored")
    process.send_signal(signal.SIGINT)
    shown = output_of(process)
    assert process.returncode == 130, shown
    assert "goes on with this run" in shown
    assert "Traceback" not in shown
    run = the_run(runtime)
    assert run.status == "running"
    assert 8 <= (run.stocks_updated or 0) < 30
    with runtime.database.read() as session:
        held = select(func.count()).select_from(Job).where(Job.lease_token.is_not(None))
        assert session.scalar(held) == 0
        assert JobState.FAILED not in session.scalars(select(Job.state)).all()
    (runtime.settings.instance_folder / FOLDER / "seconds").unlink()
    process = start(environment, "test")
    shown = output_of(process)
    assert process.returncode == 0, shown
    assert "going on already" in shown
    assert the_run(runtime).stocks_updated == 30
    assert max(asked(runtime).values()) <= 2
    assert prices(runtime) == {1.0: 30}


def the_run_if_any(runtime: Runtime) -> int | None:
    with runtime.database.read() as session:
        updated = select(DataRefreshLog.stocks_updated).where(DataRefreshLog.refresh_type == "test")
        return session.scalar(updated)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_dry_run_and_detach_ask_nobody(runtime: Runtime, environment: dict[str, str]) -> None:
    shown = output_of(start(environment, "test", "--dry-run", "--limit", "3"))
    assert "3 stocks would be asked for" in shown
    with runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(DataRefreshLog)) == 0
    shown = output_of(start(environment, "test", "--detach"))
    assert "is left to the workers" in shown
    assert the_run(runtime).status == "running"
    assert not (runtime.settings.instance_folder / FOLDER / "asked").exists()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_run_that_fails_is_an_exit_status(runtime: Runtime, environment: dict[str, str]) -> None:
    (runtime.settings.instance_folder / FOLDER / "S000").write_text("unavailable")
    process = start(environment, "test", "--limit", "1")
    shown = output_of(process)
    assert process.returncode == 1
    assert "S000: the source did not answer." in shown


def test_texts() -> None:
    run = {"updated": 90, "failed": 10, "total": 400, "message": "-"}
    line = progress_line(run, 50, 10.0)
    assert line == "[#######---------------------]  100 of 400 stocks  10 failed  5.0 per second  1 min 0 s left"
    assert progress_line({**run, "total": None, "message": "Waiting."}, 0, 0.0) == "Waiting."
    assert [duration(seconds) for seconds in (45, 400, 7500)] == ["45 s", "6 min 40 s", "2 h 5 min"]
