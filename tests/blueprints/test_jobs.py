from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from klyx.config import Settings
from klyx.database import Database
from klyx.database.models import Job, Workspace
from klyx.services import jobs
from klyx.services.jobs import Lease
from tests.api import Api, Client, RegisteredUser, serve
from tests.jobs.support import new_job, wait_for
from tests.workspaces import GOOD_CSV, send


@dataclass(frozen=True)
class Event:
    id: int
    data: dict[str, Any]


@contextmanager
def stream(client: Client, job_id: str, **options: Any) -> Iterator[requests.Response]:
    with client.get(f"/api/jobs/{job_id}/events", stream=True, **options) as answer:
        yield answer


def events_of(answer: requests.Response) -> Iterator[Event]:
    """The events of a stream, as strictly as the clients read them."""
    assert answer.status_code == 200
    event_id = 0
    for line in answer.iter_lines(chunk_size=1):
        assert line.isascii()
        name, _, value = line.decode().partition(": ")
        if name == "id":
            event_id = int(value)
        elif name == "data":
            yield Event(event_id, json.loads(value))


@pytest.fixture
def user(api: Api) -> RegisteredUser:
    return api.register()


def own_job(api: Api, user: RegisteredUser) -> Job:
    with api.runtime.database.read() as session:
        workspace_id = session.scalars(select(Workspace.id).where(Workspace.user_id == user.user_id)).one()
    return new_job(api.runtime.database, "process", workspace_id=workspace_id)


def claim(database: Database, job: Job) -> Lease:
    lease = jobs.claim(database, job.id, 60)
    assert lease is not None
    return lease


def finish(database: Database, lease: Lease, message: str = "Finished.") -> None:
    with database.begin() as session:
        jobs.complete(session, lease, {"stocks": 5, "name": "Société"}, message)


def test_own_jobs_are_listed_newest_first(api: Api, user: RegisteredUser) -> None:
    first = own_job(api, user)
    finish(api.runtime.database, claim(api.runtime.database, first))
    second = own_job(api, user)
    new_job(api.runtime.database)
    body = user.client.get("/api/jobs", headers=user.headers).json()
    assert [job["id"] for job in body["data"]] == [second.id, first.id]
    assert body["pagination"] == {"limit": 50, "offset": 0, "total": 2, "has_more": False}
    page = user.client.get("/api/jobs?limit=1").json()
    assert [job["id"] for job in page["data"]] == [second.id]
    assert page["pagination"]["has_more"] is True
    assert user.client.get("/api/jobs?offset=1").json()["data"][0]["state"] == "SUCCESS"


def test_without_token_and_cookie_the_list_is_empty(api: Api) -> None:
    new_job(api.runtime.database)
    answer = api.new_client().get("/api/jobs")
    assert answer.status_code == 200
    assert answer.json()["data"] == []


def test_a_job_shows_all_that_its_owner_may_know(api: Api, user: RegisteredUser) -> None:
    job = own_job(api, user)
    lease = claim(api.runtime.database, job)
    jobs.report(api.runtime.database, lease, 1, 4, "Reading.")
    answer = user.client.get(f"/api/jobs/{job.id}", headers=user.headers)
    assert answer.headers["Cache-Control"] == "no-store"
    data = answer.json()["data"]
    assert data.pop("created_at").endswith("Z")
    assert data.pop("started_at").endswith("Z")
    assert data == {
        "id": job.id,
        "kind": "process",
        "state": "PROGRESS",
        "message": "Reading.",
        "progress": {"current": 1, "total": 4, "percent": 25, "message": "Reading."},
        "result": None,
        "error": None,
        "attempts": 1,
        "finished_at": None,
    }


@pytest.mark.parametrize("suffix", ["", "/events"])
def test_foreign_and_unknown_jobs_look_alike(api: Api, user: RegisteredUser, suffix: str) -> None:
    job = own_job(api, user)
    other, nobody = api.register(), api.new_client()
    answers = [
        other.client.get(f"/api/jobs/{job.id}{suffix}", headers=other.headers),
        other.client.get(f"/api/jobs/{job.id}{suffix}"),
        nobody.get(f"/api/jobs/{job.id}{suffix}"),
        user.client.get(f"/api/jobs/{uuid.uuid4()}{suffix}", headers=user.headers),
        user.client.get(f"/api/jobs/{job.id}-2{suffix}", headers=user.headers),
        user.client.get(f"/api/jobs/1{suffix}", headers=user.headers),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.text for answer in answers} == {answers[0].text}
    assert answers[0].json()["status"] == "error"


def test_a_bad_token_is_refused_although_the_cookie_is_good(api: Api, user: RegisteredUser) -> None:
    job = own_job(api, user)
    for path in ("/api/jobs", f"/api/jobs/{job.id}", f"/api/jobs/{job.id}/events"):
        assert user.client.get(path, headers={"Authorization": "Bearer nonsense"}).status_code == 401
        assert user.client.get(path, headers={"Authorization": "Bearer null"}, stream=True).status_code == 200


def test_an_anonymous_workspace_follows_its_own_analysis(api: Api) -> None:
    client = api.new_client()
    send(client, ("a.csv", GOOD_CSV))
    job_id = client.post("/api/process").json()["task_id"]
    with stream(client, job_id) as answer:
        assert next(events_of(answer)).data["state"] == "PENDING"
    assert client.get(f"/api/jobs/{job_id}").json()["data"]["state"] == "PENDING"
    assert api.new_client().get(f"/api/jobs/{job_id}").status_code == 404


def test_events_come_as_they_happen_and_end_with_the_result(api: Api, user: RegisteredUser) -> None:
    job = own_job(api, user)
    database = api.runtime.database
    with stream(user.client, job.id) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-cache, no-transform"
        assert answer.headers["X-Accel-Buffering"] == "no"
        events = events_of(answer)
        waiting = {"current": 0, "total": 0, "percent": 0, "message": "Waiting for a free worker."}
        assert next(events) == Event(1, {"state": "PENDING", "progress": waiting})
        lease = claim(database, job)
        assert next(events).data["state"] == "PROGRESS"
        jobs.report(database, lease, 3, 10, "Reading Société.")
        assert next(events) == Event(
            3,
            {
                "state": "PROGRESS",
                "progress": {"current": 3, "total": 10, "percent": 30, "message": "Reading Société."},
            },
        )
        finish(database, lease)
        last = next(events)
        assert (last.id, last.data["state"], last.data["progress"]["percent"]) == (4, "SUCCESS", 100)
        assert last.data["result"] == {"stocks": 5, "name": "Société"}
        assert list(events) == []


def test_a_failed_job_ends_with_its_error(api: Api, user: RegisteredUser) -> None:
    job = own_job(api, user)
    lease = claim(api.runtime.database, job)
    with api.runtime.database.begin() as session:
        jobs.fail(session, lease, "None of your files could be analysed.")
    with stream(user.client, job.id) as answer:
        last = list(events_of(answer))[-1]
    assert (last.data["state"], last.data["error"]) == ("FAILURE", "None of your files could be analysed.")


def test_each_event_is_one_piece(api: Api, user: RegisteredUser) -> None:
    """The clients drop what is cut: a chunk of the answer must hold whole lines."""
    job = own_job(api, user)
    finish(api.runtime.database, claim(api.runtime.database, job))
    with stream(user.client, job.id) as answer:
        chunks = list(answer.raw.read_chunked())
    assert all(chunk.endswith(b"\n\n") for chunk in chunks)
    assert [chunk.startswith(b"id: ") for chunk in chunks] == [False, True, True, True]


@pytest.mark.parametrize("how", ["header", "query"])
def test_a_client_resumes_after_the_last_event_it_saw(api: Api, user: RegisteredUser, how: str) -> None:
    job = own_job(api, user)
    lease = claim(api.runtime.database, job)
    jobs.report(api.runtime.database, lease, 1, 2, "Reading.")
    given: dict[str, Any] = {"header": {"headers": {"Last-Event-ID": "2"}}, "query": {"params": {"last_event_id": 2}}}
    resume = given["header" if how == "header" else "query"]
    with stream(user.client, job.id, **resume) as answer:
        events = events_of(answer)
        assert next(events).id == 3
        finish(api.runtime.database, lease)
        assert [event.id for event in events] == [4]


@pytest.mark.parametrize("last_id", ["nonsense", "-1", "9" * 30])
def test_a_wrong_last_id_starts_from_the_beginning(api: Api, user: RegisteredUser, last_id: str) -> None:
    job = own_job(api, user)
    finish(api.runtime.database, claim(api.runtime.database, job))
    with stream(user.client, job.id, headers={"Last-Event-ID": last_id}) as answer:
        assert [event.id for event in events_of(answer)] == [1, 2, 3]


def test_an_id_beyond_the_last_event_misses_nothing_that_follows(api: Api, user: RegisteredUser) -> None:
    job = own_job(api, user)
    lease = claim(api.runtime.database, job)
    with stream(user.client, job.id, headers={"Last-Event-ID": "999999"}) as answer:
        events = events_of(answer)
        jobs.report(api.runtime.database, lease, 1, 2, "Reading.")
        assert next(events).id == 3
        finish(api.runtime.database, lease)
        assert [event.data["state"] for event in events] == ["SUCCESS"]


def test_a_client_that_saw_the_end_is_told_not_to_come_back(api: Api, user: RegisteredUser) -> None:
    job = own_job(api, user)
    finish(api.runtime.database, claim(api.runtime.database, job))
    answer = user.client.get(f"/api/jobs/{job.id}/events", headers={"Last-Event-ID": "3"})
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.fixture
def two_streams(app_settings: Settings, fresh_app: Callable[[Settings], Flask]) -> Iterator[Api]:
    """An application in which two streams may be open, on a database pool of one connection."""
    narrow = dataclasses.replace(app_settings, max_event_streams=2, database_pool_min=0, database_pool_max=1)
    app = fresh_app(narrow)
    with serve(app) as url, Api(url, app) as client:
        yield client


def test_streams_have_a_limit_and_give_their_slot_back(two_streams: Api) -> None:
    api = two_streams
    user = api.register()
    job = own_job(api, user)
    lease = claim(api.runtime.database, job)
    with stream(user.client, job.id) as first, stream(api.register().client, job.id) as foreign:
        assert (first.status_code, foreign.status_code) == (200, 404)
        with stream(user.client, job.id) as second, stream(user.client, job.id) as refused:
            assert (second.status_code, refused.status_code) == (200, 503)
            assert refused.headers["Retry-After"] == "5"
            assert refused.json()["status"] == "error"
    # Both clients are gone; the server notices with its next writes.
    reports = iter(range(1, 1000))

    def has_room() -> bool:
        jobs.report(api.runtime.database, lease, next(reports), 1000, "Reading.")
        with stream(user.client, job.id) as answer:
            return answer.status_code == 200

    wait_for(has_room, "a slot to be given back")
    wait_for(has_room, "the next slot to be given back")


def test_one_caller_leaves_streams_for_others(api: Api, user: RegisteredUser) -> None:
    job = own_job(api, user)
    other = api.register()
    with ExitStack() as streams:
        own = [streams.enter_context(stream(user.client, job.id, headers=user.headers)) for _ in range(5)]
        assert [answer.status_code for answer in own] == [200, 200, 200, 200, 503]
        assert own[-1].headers["Retry-After"] == "5"
        foreign = streams.enter_context(stream(other.client, own_job(api, other).id, headers=other.headers))
        assert foreign.status_code == 200


def test_a_head_request_gives_its_slot_back(two_streams: Api) -> None:
    user = two_streams.register()
    job = own_job(two_streams, user)
    for _ in range(5):
        assert user.client.head(f"/api/jobs/{job.id}/events").status_code == 200


def test_open_streams_hold_no_database_connection(two_streams: Api) -> None:
    user = two_streams.register()
    job = own_job(two_streams, user)
    with stream(user.client, job.id) as first, stream(user.client, job.id) as second:
        both = [events_of(first), events_of(second)]
        claim(two_streams.runtime.database, job)
        for _ in range(5):
            assert user.client.get("/api/jobs").status_code == 200
        assert [[next(events).id for _ in range(2)] for events in both] == [[1, 2], [1, 2]]
