from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from klyx.database import Database, DatabaseSettings
from klyx.database.models import AnalysisRow, Job, JobState, Workspace
from klyx.database.types import utc_now
from klyx.services import jobs
from klyx.services.jobs import Lease, LeaseLost, ProgressReporter
from tests.jobs.support import count_effects, create_job, event_messages, new_job, new_workspace, read_job

LEASE_SECONDS = 60.0


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(DatabaseSettings(url=database_url))
    yield made
    made.dispose()


def claimed(database: Database, max_attempts: int = 3) -> Lease:
    lease = jobs.claim(database, new_job(database, max_attempts=max_attempts).id, LEASE_SECONDS)
    assert lease is not None
    return lease


def let_lease_expire(database: Database, job_id: str) -> None:
    with database.begin() as session:
        session.execute(update(Job).where(Job.id == job_id).values(lease_expires_at=utc_now() - timedelta(seconds=1)))


def finish(database: Database, lease: Lease) -> None:
    with database.begin() as session:
        jobs.complete(session, lease, {"rows": 5})


def add_result_row(database: Database, lease: Lease) -> None:
    """An effect in the same transaction as the end of the job."""
    assert lease.workspace_id is not None
    with database.begin() as session:
        jobs.complete(session, lease, {"rows": 1})
        session.add(
            AnalysisRow(
                workspace_id=lease.workspace_id, job_id=lease.job_id, position=0, stock_name="Infosys", data={}
            )
        )


def test_a_second_call_finds_the_unfinished_job(database: Database) -> None:
    workspace_id = new_workspace(database)
    first = new_job(database, workspace_id=workspace_id)
    again, created = create_job(database, "gate", workspace_id)
    assert (again.id, created) == (first.id, False)
    other_kind, created = create_job(database, "other", workspace_id)
    assert (other_kind.id != first.id, created) == (True, True)
    assert jobs.claim(database, first.id, LEASE_SECONDS) is not None
    running, created = create_job(database, "gate", workspace_id)
    assert (running.id, created) == (first.id, False)


def test_after_the_end_a_new_job_is_made(database: Database) -> None:
    lease = claimed(database)
    finish(database, lease)
    assert new_job(database, workspace_id=lease.workspace_id).id != lease.job_id


def test_clicks_at_the_same_time_make_one_job(database: Database) -> None:
    workspace_id = new_workspace(database)
    start = threading.Barrier(6)

    def click(_: int) -> tuple[str, bool]:
        start.wait()
        job, created = create_job(database, "process", workspace_id)
        return job.id, created

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(click, range(6)))
    assert len({job_id for job_id, _ in answers}) == 1
    assert sum(created for _, created in answers) == 1


def test_one_of_many_claims_at_the_same_time_wins(database: Database) -> None:
    job = new_job(database)
    start = threading.Barrier(8)

    def claim(_: int) -> Lease | None:
        start.wait()
        return jobs.claim(database, job.id, LEASE_SECONDS)

    with ThreadPoolExecutor(8) as threads:
        leases = [lease for lease in threads.map(claim, range(8)) if lease is not None]
    assert [lease.attempt for lease in leases] == [1]
    row = read_job(database, job.id)
    assert (row.state, row.attempts, row.lease_token) == (JobState.RUNNING, 1, leases[0].token)


def test_an_expired_lease_is_claimed_again_and_the_old_worker_can_write_nothing(database: Database) -> None:
    old = claimed(database)
    assert jobs.claim(database, old.job_id, LEASE_SECONDS) is None
    let_lease_expire(database, old.job_id)
    new = jobs.claim(database, old.job_id, LEASE_SECONDS)
    assert new is not None
    assert (new.attempt, new.token != old.token) == (2, True)
    with pytest.raises(LeaseLost):
        jobs.renew(database, old, LEASE_SECONDS)
    with pytest.raises(LeaseLost):
        jobs.report(database, old, 1, 2, "I am not dead.")
    with pytest.raises(LeaseLost):
        jobs.release_for_retry(database, old, 0, "Again.")
    with pytest.raises(LeaseLost):
        add_result_row(database, old)
    with pytest.raises(LeaseLost), database.begin() as session:
        jobs.fail(session, old, "Failed.")
    assert count_effects(database, old.job_id) == 0
    assert not jobs.is_held(database, old)
    assert jobs.is_held(database, new)
    add_result_row(database, new)
    assert count_effects(database, new.job_id) == 1
    assert "I am not dead." not in event_messages(database, new.job_id)


def test_effects_happen_once_when_two_workers_finish_at_the_same_time(database: Database) -> None:
    old = claimed(database)
    let_lease_expire(database, old.job_id)
    new = jobs.claim(database, old.job_id, LEASE_SECONDS)
    assert new is not None
    start = threading.Barrier(2)

    def end(lease: Lease) -> bool:
        start.wait()
        try:
            add_result_row(database, lease)
        except LeaseLost:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(end, [old, new])) == [False, True]
    assert count_effects(database, new.job_id) == 1


def test_an_ended_job_cannot_be_claimed_or_ended_again(database: Database) -> None:
    lease = claimed(database)
    finish(database, lease)
    let_lease_expire(database, lease.job_id)
    assert jobs.claim(database, lease.job_id, LEASE_SECONDS) is None
    with pytest.raises(LeaseLost):
        finish(database, lease)
    assert jobs.claim(database, str(uuid.uuid4()), LEASE_SECONDS) is None


def test_a_job_without_an_attempt_left_is_not_claimed(database: Database) -> None:
    lease = claimed(database, max_attempts=1)
    let_lease_expire(database, lease.job_id)
    assert lease.is_last_attempt
    assert jobs.claim(database, lease.job_id, LEASE_SECONDS) is None


def test_renewing_puts_off_the_expiry(database: Database) -> None:
    lease = claimed(database)
    let_lease_expire(database, lease.job_id)
    jobs.renew(database, lease, LEASE_SECONDS)
    assert jobs.claim(database, lease.job_id, LEASE_SECONDS) is None


def test_events_count_from_one_and_tell_the_story(database: Database) -> None:
    lease = claimed(database)
    jobs.report(database, lease, 3, 10, "Reading Infosys.")
    finish(database, lease)
    with database.read() as session:
        events = jobs.events_after(session, lease.job_id, 0)
        later = jobs.events_after(session, lease.job_id, 2)
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert [event.state for event in events] == ["queued", "running", "running", "succeeded"]
    assert [(event.progress_current, event.progress_total) for event in events] == [(0, 0), (0, 0), (3, 10), (10, 10)]
    assert [event.sequence for event in later] == [3, 4]


def test_status_of_each_state(database: Database) -> None:
    job = new_job(database)
    assert jobs.task_status(job) == {"status": "PENDING", "task_id": job.id, "message": "Waiting for a free worker."}
    lease = jobs.claim(database, job.id, LEASE_SECONDS)
    assert lease is not None
    assert jobs.task_status(read_job(database, job.id))["progress"]["percent"] == 0
    jobs.report(database, lease, 1, 3, "Reading.")
    assert jobs.task_status(read_job(database, job.id)) == {
        "status": "PROGRESS",
        "task_id": job.id,
        "message": "Reading.",
        "progress": {"current": 1, "total": 3, "percent": 33, "message": "Reading."},
    }
    finish(database, lease)
    assert jobs.task_status(read_job(database, job.id)) == {
        "status": "SUCCESS",
        "task_id": job.id,
        "message": "Finished.",
        "result": {"rows": 5},
    }
    failed = claimed(database)
    with database.begin() as session:
        jobs.fail(session, failed, "The file is empty. Please choose another one.")
    assert jobs.task_status(read_job(database, failed.job_id)) == {
        "status": "FAILURE",
        "task_id": failed.job_id,
        "message": "The file is empty. Please choose another one.",
        "error": "The file is empty. Please choose another one.",
    }


def test_jobs_are_found_by_their_user_or_workspace_only(database: Database) -> None:
    job, other = new_job(database), new_job(database)
    with database.read() as session:
        own = jobs.find(session, job.id, None, job.workspace_id)
        assert own is not None
        assert own.id == job.id
        assert jobs.find(session, job.id, None, other.workspace_id) is None
        assert jobs.find(session, job.id, str(uuid.uuid4()), None) is None
        assert jobs.find(session, job.id, None, None) is None
        for malformed in ("", "1", f"{job.id}-2", job.id.upper(), "' OR 1=1 --"):
            assert jobs.find(session, malformed, None, job.workspace_id) is None
        assert jobs.list_own(session, None, None) == ([], 0)


def test_own_jobs_come_newest_first_in_pages(database: Database) -> None:
    workspace_id = new_workspace(database)
    made = [new_job(database, kind=f"kind-{number}", workspace_id=workspace_id).id for number in range(3)]
    new_job(database)
    with database.read() as session:
        page, total = jobs.list_own(session, None, workspace_id, limit=2)
        rest, _ = jobs.list_own(session, None, workspace_id, limit=2, offset=2)
    assert total == 3
    assert [job.id for job in [*page, *rest]] == made[::-1]


def test_recovery_finds_what_nobody_runs(database: Database) -> None:
    queued, running, silent = new_job(database), claimed(database), claimed(database)
    let_lease_expire(database, silent.job_id)
    now = utc_now()
    waiting = jobs.recover_lost(database, now)
    assert [(job.id, job.attempts) for job in waiting] == [(queued.id, 0), (silent.job_id, 1)]
    jobs.mark_enqueued(database, [job.id for job in waiting], now)
    assert jobs.recover_lost(database, now + timedelta(seconds=5)) == []
    much_later = now + timedelta(seconds=20)
    assert [job.id for job in jobs.recover_lost(database, much_later)] == [queued.id, silent.job_id]
    assert read_job(database, running.job_id).state == JobState.RUNNING


def test_recovery_ends_a_job_without_attempts_left(database: Database) -> None:
    lease = claimed(database, max_attempts=1)
    let_lease_expire(database, lease.job_id)
    assert jobs.recover_lost(database, utc_now()) == []
    status = jobs.task_status(read_job(database, lease.job_id))
    assert status["status"] == "FAILURE"
    assert status["error"] == (
        "The analysis was interrupted several times and was stopped. Please start it again."
    )
    assert event_messages(database, lease.job_id)[-1] == status["error"]
    with pytest.raises(LeaseLost):
        finish(database, lease)


def test_a_released_job_is_taken_up_after_its_delay(database: Database) -> None:
    lease = claimed(database)
    jobs.release_for_retry(database, lease, 30, "Trying again.")
    assert jobs.claim(database, lease.job_id, LEASE_SECONDS) is None
    assert jobs.recover_lost(database, utc_now()) == []
    later = utc_now() + timedelta(seconds=31)
    assert [job.attempts for job in jobs.recover_lost(database, later)] == [1]
    let_lease_expire(database, lease.job_id)
    again = jobs.claim(database, lease.job_id, LEASE_SECONDS)
    assert again is not None
    assert again.attempt == 2


def test_old_finished_jobs_go_unless_their_results_are_shown(database: Database) -> None:
    old, shown, unfinished = claimed(database), claimed(database), new_job(database)
    finish(database, old)
    add_result_row(database, shown)
    later = utc_now() + timedelta(days=1)
    with database.begin() as session:
        assert jobs.delete_finished_before(session, later) == 1
    with database.read() as session:
        assert set(session.scalars(select(Job.id))) == {shown.job_id, unfinished.id}


def test_progress_is_written_first_last_and_not_too_often(database: Database) -> None:
    lease = claimed(database)
    now = [100.0]
    progress = ProgressReporter(database, lease, clock=lambda: now[0])
    for step in range(1, 11):
        progress.report(step, 10, f"Step {step}.")
        now[0] += 0.1
    told = [message for message in event_messages(database, lease.job_id) if message.startswith("Step")]
    assert told == ["Step 1.", "Step 4.", "Step 7.", "Step 10."]


def test_progress_stops_a_handler_that_lost_its_lease(database: Database) -> None:
    lease = claimed(database)
    lost = threading.Event()
    progress = ProgressReporter(database, lease, lost)
    progress.check()
    lost.set()
    with pytest.raises(LeaseLost):
        progress.check()
    with pytest.raises(LeaseLost):
        progress.report(1, 2, "Never written.")
    assert "Never written." not in event_messages(database, lease.job_id)


class Clock:
    """Time that passes only when somebody pauses."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def test_a_stream_beats_while_nothing_happens_and_ends_with_the_result(database: Database) -> None:
    lease, clock = claimed(database), Clock()
    stream = jobs.follow(database, lease.job_id, 0, clock.pause, clock)
    assert [event.status["state"] for event in (next(stream), next(stream)) if event] == ["PENDING", "PROGRESS"]
    assert next(stream) is None
    assert 10 <= clock.now < 11
    jobs.report(database, lease, 1, 4, "Reading.")
    event = next(stream)
    assert event is not None
    assert (event.sequence, event.is_final) == (3, False)
    assert event.status["progress"] == {"current": 1, "total": 4, "percent": 25, "message": "Reading."}
    finish(database, lease)
    last = next(stream)
    assert last is not None
    assert (last.status["state"], last.status["result"], last.is_final) == ("SUCCESS", {"rows": 5}, True)
    assert list(stream) == []


def test_a_stream_resumes_after_what_was_seen(database: Database) -> None:
    lease, clock = claimed(database), Clock()
    with database.begin() as session:
        jobs.fail(session, lease, "No file could be read.")
    events = list(jobs.follow(database, lease.job_id, 2, clock.pause, clock))
    assert [event and event.sequence for event in events] == [3]
    assert events[0] is not None
    assert events[0].status["error"] == "No file could be read."


@pytest.mark.parametrize("sequence", [3, 999])
def test_a_stream_after_the_end_of_its_job_ends_at_once(database: Database, sequence: int) -> None:
    lease, clock = claimed(database), Clock()
    finish(database, lease)
    events = list(jobs.follow(database, lease.job_id, sequence, clock.pause, clock))
    assert [event and (event.sequence, event.status["state"], event.is_final) for event in events] == [
        (3, "SUCCESS", True)
    ]


def test_a_stream_whose_job_is_deleted_ends_with_a_failure(database: Database) -> None:
    lease, clock = claimed(database), Clock()
    stream = jobs.follow(database, lease.job_id, 2, clock.pause, clock)
    with database.begin() as session:
        session.execute(delete(Workspace).where(Workspace.id == lease.workspace_id))
    events = list(stream)
    assert [event and (event.sequence, event.status["state"], event.is_final) for event in events] == [
        (3, "FAILURE", True)
    ]


def test_a_stream_lives_through_an_outage_of_the_database(caplog: pytest.LogCaptureFixture) -> None:
    away, clock = Database(DatabaseSettings(url="postgresql://klyx@127.0.0.1:1/nothing")), Clock()
    stream = jobs.follow(away, str(uuid.uuid4()), 0, clock.pause, clock)
    assert [next(stream), next(stream)] == [None, None]
    told = [record.message for record in caplog.records if record.name == "klyx.services.jobs.stream"]
    assert told == ["event stream cannot see its job"]
    away.dispose()


def test_a_stream_ends_after_its_longest_time(database: Database) -> None:
    lease, clock = claimed(database), Clock()
    events = list(jobs.follow(database, lease.job_id, 2, clock.pause, clock))
    assert set(events) == {None}
    assert 80 <= len(events) <= 90
