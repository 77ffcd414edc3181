"""`/api/process`: starts the analysis of a workspace and tells how it goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify

from jobs.queue import enqueue
from klyx.errors import Invalid
from klyx.identity import optional_identity
from klyx.openapi import Blueprint
from klyx.schemas.envelope import success
from klyx.schemas.process import ProcessAnswer, ProcessSchema, TaskStatusSchema
from klyx.services import jobs
from klyx.services import process as service
from klyx.web import runtime
from klyx.workspace_access import current_workspace_id, workspace_id_for_writing

blueprint = Blueprint("process", __name__, url_prefix="/api", description="Analysis of a workspace")
WORKSPACE: dict[str, Any] = {"security": [{"bearer": []}, {"workspace": []}, {}]}
UNKNOWN_TASK = "This analysis is unknown or has been forgotten. Please start it again."


@blueprint.post("/process")
@blueprint.doc(**WORKSPACE)
@blueprint.arguments(ProcessSchema, required=False)
@blueprint.response(202, ProcessAnswer)
def process(options: dict[str, bool]) -> Mapping[str, Any]:
    """Starts the analysis in the background; while one is queued or running, answers with that one."""
    if optional_identity() is None and current_workspace_id() is None:
        raise Invalid(service.NO_WORKSPACE)
    workspace_id = workspace_id_for_writing()
    with runtime().database.begin() as session:
        started = service.start(
            session,
            workspace_id,
            use_multi_source=options["use_multi_source"],
            max_attempts=runtime().settings.job_max_attempts,
        )
    if started.is_new:
        enqueue(runtime(), started.job_id)
    return success(
        {"task_id": started.job_id, "state": started.state, "stocks": started.stocks},
        started.message,
        task_id=started.job_id,
        check_status_url=f"/api/process/status/{started.job_id}",
    )


@blueprint.get("/process/status/<task_id>")
@blueprint.doc(**WORKSPACE)
@blueprint.response(200, TaskStatusSchema)
@blueprint.alt_response(404, schema=TaskStatusSchema, description="Unknown, forgotten or somebody else's")
def status(task_id: str) -> Response:
    identity = optional_identity()
    workspace_id = current_workspace_id()
    with runtime().database.read() as session:
        job = jobs.find(session, task_id, identity.user_id if identity else None, workspace_id)
    if job is None:
        unknown = {"status": "FAILURE", "task_id": task_id, "message": UNKNOWN_TASK, "error": UNKNOWN_TASK}
        answer = jsonify(unknown)
        answer.status_code = 404
    else:
        answer = jsonify(jobs.task_status(job))
    answer.headers["Cache-Control"] = "no-store"
    return answer
