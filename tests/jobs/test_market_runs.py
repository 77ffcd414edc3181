"""Runs with a kind of the tests' own, worked on by real worker processes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, insert, select, update

from jobs.handlers import HANDLERS
from jobs.queue import JobQueue
from jobs.runner import attempt
from klyx.database.models import DataRefreshLog, Job, JobState, RefreshItem, Stock
from klyx.runtime import Runtime
from klyx.services.market_runs import items, runs
from klyx.services.market_runs.kinds import RUN_KINDS, Selection
from klyx.services.market_runs.runs import Options
from tests.jobs.run_kinds import FOLDER, KIND, TEST_KIND
from tests.jobs.support import program, read_job, recovering, wait_for
from tests.servers import ThrowAwayRedis

WORKER = "tests.jobs.run_kinds"
on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def test_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RUN_KINDS, KIND, TEST_KIND)


@pytest.fixture
def folder(runtime: Runtime) -> Path:
    made = runtime.settings.instance_folder / FOLDER
    made.mkdir()
    return made


def add_stocks(runtime: Runtime, count: int) -> list[str]:
    codes = [f"S{number:03}" for number in range(count)]
    with runtime.database.begin() as session:
        session.execute(insert(Stock), [{"stock_name": f"{code} Limited", "nse_code": code} for code in codes])
    return codes


def start(runtime: Runtime, batch_size: int = 5, limit: int | None = None) -> DataRefreshLog:
    with runtime.database.begin() as session:
        options = Options("command", Selection(limit=limit), batch_size)
        return runs.start(session, KIND, options, runtime.settings.job_max_attempts)[0]


def lead(runtime: Runtime, run: DataRefreshLog) -> None:
    """One step of the run, in this process."""
    assert run.job_id is not None
    assert attempt(runtime, run.job_id, HANDLERS)


def work_on_batches(runtime: Runtime, run: DataRefreshLog) -> None:
    """Every batch once, in this process."""
    with runtime.database.read() as session:
        batches = session.scalars(select(Job.id).where(Job.parent_id == run.job_id).order_by(Job.created_at)).all()
    for job_id in batches:
        attempt(runtime, job_id, HANDLERS)


def read_run(runtime: Runtime, run: DataRefreshLog) -> DataRefreshLog:
    with runtime.database.read() as session:
        return session.scalars(select(DataRefreshLog).where(DataRefreshLog.id == run.id)).one()


def has_ended(runtime: Runtime, run: DataRefreshLog) -> bool:
    return read_run(runtime, run).status != "running"


def prices(runtime: Runtime) -> Counter[float | None]:
    with runtime.database.read() as session:
        return Counter(session.scalars(select(Stock.current_price)))


def asked(folder: Path) -> Counter[str]:
    return Counter((folder / "asked").read_text().split())


def finished_times(runtime: Runtime) -> int:
    with runtime.database.read() as session:
        finishes = select(func.count()).where(DataRefreshLog.refresh_type == "finish")
        return session.scalar(finishes) or 0


def item_errors(runtime: Runtime) -> dict[str, str]:
    with runtime.database.read() as session:
        rows = session.execute(select(RefreshItem.nse_code, RefreshItem.error).where(RefreshItem.error.is_not(None)))
        return {code: str(error) for code, error in rows}


def test_a_run_goes_from_its_plan_over_its_batches_to_its_end(runtime: Runtime, folder: Path) -> None:
    codes = add_stocks(runtime, 12)
    run = start(runtime)
    lead(runtime, run)
    job = read_job(runtime.database, str(run.job_id))
    assert (job.state, job.lease_token, job.attempts, job.progress_total) == (JobState.RUNNING, None, 0, 12)
    work_on_batches(runtime, run)
    assert read_job(runtime.database, str(run.job_id)).progress_current == 12
    lead(runtime, run)
    ended = read_run(runtime, run)
    assert (ended.status, ended.stocks_updated, ended.stocks_failed, ended.stocks_total) == ("success", 12, 0, 12)
    assert ended.completed_at is not None
    assert ended.details is not None
    assert ended.details["finished"] == 1
    assert asked(folder) == dict.fromkeys(codes, 1)
    assert prices(runtime) == {1.0: 12}
    job = read_job(runtime.database, str(run.job_id))
    assert (job.state, job.progress_message) == (JobState.SUCCEEDED, "Tested: 12 stocks.")


def test_workers_share_a_run(runtime: Runtime, queue: JobQueue, folder: Path, environment: dict[str, str]) -> None:
    codes = add_stocks(runtime, 20)
    (folder / "seconds").write_text("0.1")
    run = start(runtime)
    with recovering(runtime, queue_of(runtime, queue)), program(WORKER, environment), program(WORKER, environment):
        wait_for(lambda: has_ended(runtime, run), "the run to end")
    assert asked(folder) == dict.fromkeys(codes, 1)
    assert finished_times(runtime) == 1


def queue_of(runtime: Runtime, queue: JobQueue) -> JobQueue:
    """The queue whose messages run the real handlers."""
    return JobQueue(queue._connection, runtime.settings)


@on_sqlite
def test_an_empty_run_ends_at_once(runtime: Runtime, folder: Path) -> None:
    run = start(runtime)
    lead(runtime, run)
    assert (read_run(runtime, run).status, read_run(runtime, run).stocks_total) == ("success", 0)


def test_two_starts_at_once_make_one_run(runtime: Runtime) -> None:
    barrier = Barrier(8)
    found: list[tuple[int, bool]] = []

    def begin() -> None:
        barrier.wait()
        with runtime.database.begin() as session:
            run, is_new = runs.start(session, KIND, Options("key"), 3)
        found.append((run.id, is_new))

    threads = [Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run_id for run_id, _ in found}) == 1
    assert sorted(is_new for _, is_new in found) == [False] * 7 + [True]


def test_a_run_that_was_given_up_makes_room_for_the_next(runtime: Runtime, folder: Path) -> None:
    add_stocks(runtime, 3)
    first = start(runtime)
    lead(runtime, first)
    with runtime.database.begin() as session:
        now = func.now() if runtime.database.dialect_name == "postgresql" else first.started_at
        ending = update(Job).where(Job.id == first.job_id)
        session.execute(ending.values(state="failed", finished_at=now, lease_expires_at=None))
    second = start(runtime)
    assert second.id != first.id
    assert (read_run(runtime, first).status, read_run(runtime, first).error_message) == ("failed", runs.INTERRUPTED)
    with runtime.database.read() as session:
        states = session.scalars(select(Job.state).where(Job.parent_id == first.job_id)).all()
    assert set(states) == {JobState.FAILED}


def test_what_fails_is_told_once_a_source_and_harms_no_other(
    runtime: Runtime, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add_stocks(runtime, 8)
    happens = {"S001": "unavailable", "S002": "bug", "S003": "unstorable", "S004": "half", "S005": "half"}
    for code, what in happens.items():
        (folder / code).write_text(what)
    run = start(runtime, batch_size=8)
    lead(runtime, run)
    work_on_batches(runtime, run)
    lead(runtime, run)
    ended = read_run(runtime, run)
    assert (ended.status, ended.stocks_updated, ended.stocks_failed) == ("partial", 5, 3)
    assert ended.error_message == "second: 2 SourceUnavailable"
    told = [record.__dict__ for record in caplog.records if record.message == "a source failed"]
    assert [(one["source"], one["error_type"], one["count"]) for one in told] == [("second", "SourceUnavailable", 2)]
    errors = item_errors(runtime)
    assert sorted(errors) == ["S001", "S002", "S003"]
    assert errors["S001"] == "the source did not answer."
    assert prices(runtime) == {1.0: 5, None: 3}


@on_sqlite
def test_a_source_that_wants_a_rest_gets_one(runtime: Runtime, folder: Path) -> None:
    codes = add_stocks(runtime, 4)
    (folder / "S001").write_text("rest")
    run = start(runtime)
    lead(runtime, run)
    work_on_batches(runtime, run)
    with runtime.database.read() as session:
        batch = session.scalars(select(Job).where(Job.parent_id == run.job_id)).one()
        assert [item.nse_code for item in items.waiting(session, run.id, 0)] == ["S001"]
        assert items.waiting(session, run.id, 0)[0].attempts == 0
    assert (batch.state, batch.lease_token, batch.arguments["rests"]) == (JobState.RUNNING, None, 1)
    wait_for(lambda: attempt(runtime, batch.id, HANDLERS), "the rest to be over")
    lead(runtime, run)
    assert read_run(runtime, run).status == "success"
    assert asked(folder) == {**dict.fromkeys(codes, 1), "S001": 2}


@on_sqlite
def test_what_came_without_a_resting_source_counts_when_rests_do_not_help(
    runtime: Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.market_batches.MOST_RESTS", 1)
    add_stocks(runtime, 2)
    (folder / "S000").write_text("partly")
    run = start(runtime)
    lead(runtime, run)
    work_on_batches(runtime, run)
    with runtime.database.read() as session:
        batch = session.scalars(select(Job.id).where(Job.parent_id == run.job_id)).one()
        assert items.count(session, run.id) == (1, 0, 2)
    wait_for(lambda: attempt(runtime, batch, HANDLERS), "the rest to be over")
    lead(runtime, run)
    assert (read_run(runtime, run).status, prices(runtime)) == ("success", {1.0: 2})
    assert read_run(runtime, run).error_message == "second: 1 SourceRateLimited"


def test_a_run_survives_kills_and_asks_for_no_stock_more_than_twice(
    runtime: Runtime, queue: JobQueue, folder: Path, environment: dict[str, str], own_redis: ThrowAwayRedis
) -> None:
    codes = add_stocks(runtime, 40)
    (folder / "seconds").write_text("0.2")
    run = start(runtime, batch_size=20)

    def ended() -> int:
        return sum(items_ended(runtime, run))

    with recovering(runtime, queue_of(runtime, queue)):
        for reached in (5, 15):
            with program(WORKER, environment) as worker:
                wait_for(lambda: ended() >= reached, f"{reached} stocks")  # noqa: B023
                worker.kill_all()
        own_redis.kill()
        own_redis.start()
        with program(WORKER, environment):
            wait_for(lambda: has_ended(runtime, run), "the run to end", 60)
    times = asked(folder)
    assert set(times) == set(codes)
    assert max(times.values()) <= 2
    assert finished_times(runtime) == 1
    assert prices(runtime) == {1.0: 40}
    assert read_run(runtime, run).status == "success"


def items_ended(runtime: Runtime, run: DataRefreshLog) -> tuple[int, int]:
    with runtime.database.read() as session:
        return items.count(session, run.id)[:2]


def test_a_poisonous_stock_takes_nothing_but_itself_down(
    runtime: Runtime, queue: JobQueue, folder: Path, environment: dict[str, str]
) -> None:
    add_stocks(runtime, 12)
    (folder / "S003").write_text("die")
    run = start(runtime, batch_size=12)
    with recovering(runtime, queue_of(runtime, queue)), program(WORKER, environment) as worker:
        wait_for(lambda: has_ended(runtime, run), "the run to end", 60)
        assert worker.process.poll() is None
    ended = read_run(runtime, run)
    assert (ended.status, ended.stocks_updated, ended.stocks_failed) == ("partial", 11, 1)
    assert list(item_errors(runtime)) == ["S003"]
    assert asked(folder)["S003"] == 2


@on_sqlite
def test_batches_that_end_badly_are_made_anew_and_in_the_end_given_up(
    runtime: Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.market_runs.MOST_RENEWALS", 1)
    monkeypatch.setattr("jobs.market_runs.WATCHDOG_SECONDS", 0.0)
    add_stocks(runtime, 3)
    run = start(runtime)
    for _ in range(3):
        lead(runtime, run)
        with runtime.database.begin() as session:
            unfinished = update(Job).where(Job.parent_id == run.job_id, Job.finished_at.is_(None))
            session.execute(unfinished.values(state="failed", finished_at=run.started_at))
    ended = read_run(runtime, run)
    assert (ended.status, ended.stocks_failed) == ("failed", 3)
    with runtime.database.read() as session:
        assert session.scalar(select(func.count()).where(Job.parent_id == run.job_id)) == 2
