from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from jobs.queue import MARKET_QUEUE_NAME, JobQueue
from jobs.run_starter import RunStarter
from klyx.database.models import DataRefreshLog, Job, Stock
from klyx.runtime import Runtime
from klyx.schedules import parse_schedule
from klyx.services.market_runs import runs, starting
from klyx.services.market_runs.runs import Options

TUESDAY = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def stock(runtime: Runtime) -> None:
    with runtime.database.begin() as session:
        session.add(Stock(stock_name="Infosys", nse_code="INFY", created_at=TUESDAY - timedelta(hours=1)))


def starter(runtime: Runtime, queue: JobQueue, **schedules: str) -> RunStarter:
    given = schedules or {"refresh": "Mon-Fri 13:00"}
    return RunStarter(runtime.database, queue, {kind: parse_schedule(text) for kind, text in given.items()}, 3)


def end(runtime: Runtime, kind: str, status: str = "success") -> None:
    with runtime.database.begin() as session:
        run = session.scalars(select(DataRefreshLog).where(DataRefreshLog.status == "running")).one()
        assert run.refresh_type == kind
        job = update(Job).where(Job.id == run.job_id)
        session.execute(job.values(state="succeeded", finished_at=run.started_at))
        run.status = status


def count_runs(runtime: Runtime) -> int:
    with runtime.database.read() as session:
        return len(session.scalars(select(DataRefreshLog.id)).all())


def test_a_slot_is_started_once_whoever_looks_and_whenever(runtime: Runtime, queue: JobQueue) -> None:
    assert starter(runtime, queue).start_due(TUESDAY - timedelta(seconds=1)) == []
    assert starter(runtime, queue).start_due(TUESDAY) == ["refresh"]
    assert starter(runtime, queue).start_due(TUESDAY) == []
    end(runtime, "refresh")
    assert starter(runtime, queue).start_due(TUESDAY + timedelta(hours=20)) == []
    with runtime.database.read() as session:
        run = session.scalars(select(DataRefreshLog)).one()
    assert queue._connection.lrange(f"rq:queue:{MARKET_QUEUE_NAME}", 0, -1) == [str(run.job_id).encode()]


def test_missed_slots_are_made_up_once(runtime: Runtime, queue: JobQueue) -> None:
    starter(runtime, queue).start_due(TUESDAY)
    end(runtime, "refresh")
    # The scheduler was away from Wednesday to Sunday.
    sunday = TUESDAY + timedelta(days=5)
    assert starter(runtime, queue).start_due(sunday) == ["refresh"]
    end(runtime, "refresh")
    assert starter(runtime, queue).start_due(sunday) == []
    assert count_runs(runtime) == 2


def test_what_was_before_the_first_stock_was_not_missed(runtime: Runtime, queue: JobQueue) -> None:
    assert starter(runtime, queue, enrich="Sat 14:00").start_due(TUESDAY) == []


def test_a_run_that_goes_on_delays_the_next(runtime: Runtime, queue: JobQueue) -> None:
    with runtime.database.begin() as session:
        runs.start(session, "refresh", Options("key"), 3)
    assert starter(runtime, queue).start_due(TUESDAY) == []
    end(runtime, "refresh")
    assert starter(runtime, queue).start_due(TUESDAY + timedelta(minutes=5)) == ["refresh"]


def test_a_small_run_does_not_count_for_the_slot_it_delays(runtime: Runtime, queue: JobQueue) -> None:
    saturday, enrich = TUESDAY + timedelta(days=4, hours=1), {"enrich": "Sat 14:00"}
    with runtime.database.begin() as session:
        begun = starting.kick(session, runtime.settings, "enrich", 50)
    assert begun.is_new
    assert starter(runtime, queue, **enrich).start_due(saturday) == []
    # Neither does a caller with the key who is told to ask again use it up.
    with runtime.database.begin() as session:
        assert not starting.begin(session, runtime.settings, "enrich", Options("key")).is_new
    end(runtime, "enrich")
    assert starter(runtime, queue, **enrich).start_due(saturday + timedelta(minutes=5)) == ["enrich"]
    end(runtime, "enrich")
    assert starter(runtime, queue, **enrich).start_due(saturday + timedelta(minutes=10)) == []


def test_a_kind_follows_each_good_run_of_another(runtime: Runtime, queue: JobQueue) -> None:
    schedules = {"refresh": "Mon-Fri 13:00", "technicals": "after refresh"}
    assert starter(runtime, queue, **schedules).start_due(TUESDAY) == ["refresh"]
    assert starter(runtime, queue, **schedules).start_due(TUESDAY) == []
    end(runtime, "refresh")
    assert starter(runtime, queue, **schedules).start_due(TUESDAY) == ["technicals"]
    end(runtime, "technicals")
    assert starter(runtime, queue, **schedules).start_due(TUESDAY) == []
    starter(runtime, queue, **schedules).start_due(TUESDAY + timedelta(days=1))
    end(runtime, "refresh", "failed")
    assert starter(runtime, queue, **schedules).start_due(TUESDAY + timedelta(days=1)) == []


def test_an_abandoned_run_is_ended(runtime: Runtime, queue: JobQueue) -> None:
    starter(runtime, queue).start_due(TUESDAY)
    with runtime.database.begin() as session:
        session.execute(update(Job).values(state="failed", finished_at=TUESDAY))
    starter(runtime, queue).start_due(TUESDAY)
    with runtime.database.read() as session:
        assert session.scalars(select(DataRefreshLog.status)).all() == ["failed"]
