"""`/api/jobs/...`: own background jobs, one job, and its events as they happen."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, current_app, request
from flask.blueprints import BlueprintSetupState
from sqlalchemy.orm import Session

from klyx.database.models import Job
from klyx.errors import NotFound
from klyx.event_streams import HEARTBEAT, RECONNECT, StreamSlots, event_bytes
from klyx.identity import optional_identity, rate_limit_key
from klyx.openapi import Blueprint
from klyx.schemas.envelope import success
from klyx.schemas.jobs import JobAnswer, JobsAnswer, PageSchema, ResumeSchema
from klyx.services import jobs
from klyx.web import EXTENSION_KEY, runtime
from klyx.workspace_access import current_workspace

blueprint = Blueprint("jobs", __name__, url_prefix="/api/jobs", description="Background jobs of the caller")
OWNER: dict[str, Any] = {"security": [{"bearer": []}, {"workspace": []}]}
UNKNOWN = "There is no such task, or it is not yours. Please start a new one."
SLOTS_KEY = "klyx_job_streams"
# One visitor with a few tabs; the other streams of a process are for others.
STREAMS_PER_CALLER = 4
EVENT_STREAM = {"type": "string", "example": 'id: 3\ndata: {"state": "PROGRESS", "progress": {...}}'}
EVENT_ID = re.compile(r"[0-9]{1,9}")


@blueprint.record_once
def set_slots_aside(state: BlueprintSetupState) -> None:
    app = state.app
    count = app.extensions[EXTENSION_KEY].settings.max_event_streams
    app.extensions[SLOTS_KEY] = StreamSlots(count, STREAMS_PER_CALLER)


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """Nothing here may be kept by a cache; a stream says so in its own way."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@blueprint.get("")
@blueprint.doc(**OWNER)
@blueprint.arguments(PageSchema, location="query")
@blueprint.response(200, JobsAnswer)
def list_jobs(page: dict[str, int]) -> Mapping[str, Any]:
    """Own jobs, the newest first."""
    user_id = _user_id()
    with runtime().database.read() as session:
        found, total = jobs.list_own(session, user_id, _workspace_id(session), **page)
    pagination = {**page, "total": total, "has_more": page["offset"] + len(found) < total}
    return success([jobs.job_details(job) for job in found], pagination=pagination)


@blueprint.get("/<job_id>")
@blueprint.doc(**OWNER)
@blueprint.response(200, JobAnswer)
@blueprint.alt_response(404, description="Unknown, expired or somebody else's")
def get_job(job_id: str) -> Mapping[str, Any]:
    user_id = _user_id()
    with runtime().database.read() as session:
        return success(jobs.job_details(_own_job(session, job_id, user_id)))


@blueprint.get("/<job_id>/events")
@blueprint.doc(**OWNER)
@blueprint.arguments(ResumeSchema, location="query")
@blueprint.response(200, EVENT_STREAM, content_type="text/event-stream", description="Until the job has ended")
@blueprint.alt_response(204, description="The job has ended and the last event was seen: do not come back")
@blueprint.alt_response(404, description="Unknown, expired or somebody else's")
@blueprint.alt_response(503, description="Too many streams, in all or of the caller; come back after Retry-After")
def stream_job_events(resume: dict[str, str], job_id: str) -> Response:
    """Server-sent events; resume with `Last-Event-ID`."""
    user_id = _user_id()
    with runtime().database.read() as session:
        job = _own_job(session, job_id, user_id)
        last = jobs.last_event(session, job_id)
        sequence = min(_last_event_id(resume), last.sequence if last is not None else 0)
        seen_all = job.state in jobs.FINAL_STATES and not jobs.events_after(session, job_id, sequence)
    if seen_all:
        return Response(status=204)
    slots: StreamSlots = current_app.extensions[SLOTS_KEY]
    return slots.respond(_events(job_id, sequence), rate_limit_key())


def _events(job_id: str, sequence: int) -> Iterator[bytes]:
    database = runtime().database
    pause = threading.Event().wait

    def write() -> Iterator[bytes]:
        yield RECONNECT
        for event in jobs.follow(database, job_id, sequence, pause):
            yield HEARTBEAT if event is None else event_bytes(event.status, event.sequence)

    return write()


def _last_event_id(resume: dict[str, str]) -> int:
    """Where to go on; from the start when the id is not one of ours."""
    given = request.headers.get("Last-Event-ID") or resume["last_event_id"]
    return int(given) if EVENT_ID.fullmatch(given) else 0


def _own_job(session: Session, job_id: str, user_id: str | None) -> Job:
    job = jobs.find(session, job_id, user_id, _workspace_id(session))
    if job is None:
        raise NotFound(UNKNOWN)
    return job


def _user_id() -> str | None:
    identity = optional_identity()
    return identity.user_id if identity else None


def _workspace_id(session: Session) -> str | None:
    workspace = current_workspace(session)
    return workspace.id if workspace else None
