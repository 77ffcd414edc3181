from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from jobs.runner import retry_delay_seconds, run_job
from klyx.config import Settings
from klyx.database.models import Job, JobState
from klyx.database.types import utc_now
from klyx.logs import configure_logging
from klyx.runtime import Runtime
from klyx.services import jobs
from tests.jobs.kinds import KINDS
from tests.jobs.support import count_effects, event_messages, new_job, read_job, wait_for


def test_a_job_runs_and_ends_with_its_effect(runtime: Runtime, settings: Settings) -> None:
    job = new_job(runtime.database, "effect")
    run_job(job.id, settings, KINDS)
    row = read_job(runtime.database, job.id)
    assert (row.state, row.result, row.attempts, row.lease_token) == (JobState.SUCCEEDED, {"rows": 1}, 1, None)
    assert count_effects(runtime.database, job.id) == 1
    assert event_messages(runtime.database, job.id) == [
        "Waiting for a free worker.",
        "Started.",
        "Half done.",
        "Finished.",
    ]


def test_a_second_message_for_the_same_job_does_nothing(runtime: Runtime, settings: Settings) -> None:
    job = new_job(runtime.database, "effect")
    run_job(job.id, settings, KINDS)
    run_job(job.id, settings, KINDS)
    assert count_effects(runtime.database, job.id) == 1
    assert read_job(runtime.database, job.id).attempts == 1


def test_an_unexpected_error_is_tried_again_later(runtime: Runtime, settings: Settings) -> None:
    job = new_job(runtime.database, "raises-once")
    run_job(job.id, settings, KINDS)
    row = read_job(runtime.database, job.id)
    assert (row.state, row.lease_token, row.attempts) == (JobState.RUNNING, None, 1)
    assert row.lease_expires_at is not None
    assert row.lease_expires_at > utc_now()
    assert jobs.claim(runtime.database, job.id, 60) is None
    with runtime.database.begin() as session:
        session.execute(update(Job).where(Job.id == job.id).values(lease_expires_at=utc_now() - timedelta(seconds=1)))
    run_job(job.id, settings, KINDS)
    assert read_job(runtime.database, job.id).state == JobState.SUCCEEDED
    assert count_effects(runtime.database, job.id) == 1


@pytest.mark.parametrize("kind", ["raises", "forgets", "missing"])
def test_the_last_attempt_ends_with_a_message_for_people(runtime: Runtime, settings: Settings, kind: str) -> None:
    job = new_job(runtime.database, kind, max_attempts=1)
    run_job(job.id, settings, KINDS)
    status = jobs.task_status(read_job(runtime.database, job.id))
    assert status["status"] == "FAILURE"
    assert status["error"] == (
        "Something went wrong on our side and this could not be finished. Please start it again."
    )


def test_a_job_that_fails_in_the_database_logs_no_values(
    runtime: Runtime, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logging("INFO")
    private = {"email": "asha-private@example.org", "name": "Asha Private"}
    run_job(new_job(runtime.database, "duplicates", arguments=private).id, settings, KINDS)
    logged = capfd.readouterr().err
    assert "IntegrityError" in logged
    assert not any(value in logged for value in private.values())


def test_a_job_that_takes_too_long_is_not_tried_again(runtime: Runtime, settings: Settings) -> None:
    job = new_job(runtime.database, "too-long")
    run_job(job.id, settings, KINDS)
    row = read_job(runtime.database, job.id)
    assert row.state == JobState.FAILED
    assert row.error == "This took too long and was stopped. Please start it again, with fewer files if you can."


def test_a_kind_that_nobody_knows_fails(runtime: Runtime, settings: Settings) -> None:
    job = new_job(runtime.database, "from-another-version")
    run_job(job.id, settings, KINDS)
    assert read_job(runtime.database, job.id).state == JobState.FAILED


def test_a_long_job_keeps_its_lease(runtime: Runtime, settings: Settings, tmp_path: Path) -> None:
    job = new_job(runtime.database, "gate", {"folder": str(tmp_path)})
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(run_job, job.id, settings, KINDS)
        wait_for((tmp_path / "attempt-1").exists, "the job to start")
        first = read_job(runtime.database, job.id).lease_expires_at
        assert first is not None
        limit = first + timedelta(seconds=settings.job_lease_seconds)
        wait_for(lambda: (read_job(runtime.database, job.id).lease_expires_at or first) > limit, "two leases' time")
        assert jobs.recover_lost(runtime.database, utc_now()) == []
        (tmp_path / "go").touch()
        running.result()
    assert read_job(runtime.database, job.id).state == JobState.SUCCEEDED
    assert "lease-heartbeat" not in {thread.name for thread in threading.enumerate()}


def test_a_job_whose_lease_was_lost_stops_without_effect(
    runtime: Runtime, settings: Settings, tmp_path: Path
) -> None:
    job = new_job(runtime.database, "gate", {"folder": str(tmp_path)})
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(run_job, job.id, settings, KINDS)
        wait_for((tmp_path / "attempt-1").exists, "the job to start")
        with runtime.database.begin() as session:
            expired = utc_now() - timedelta(seconds=1)
            session.execute(update(Job).where(Job.id == job.id).values(lease_expires_at=expired, lease_token="other"))
        running.result()
    assert count_effects(runtime.database, job.id) == 0
    row = read_job(runtime.database, job.id)
    assert (row.state, row.lease_token) == (JobState.RUNNING, "other")


def test_waits_between_attempts_grow_to_a_minute() -> None:
    assert [retry_delay_seconds(attempt) for attempt in (1, 2, 3, 9)] == [2, 4, 8, 60]
