"""`/api/results`: what the last analysis of a workspace found."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Response, jsonify

from klyx.errors import NotFound
from klyx.openapi import Blueprint
from klyx.schemas.envelope import success
from klyx.schemas.results import ResultsAnswer, ResultsQuery
from klyx.services import results as service
from klyx.web import runtime
from klyx.workspace_access import current_workspace_id

blueprint = Blueprint("results", __name__, url_prefix="/api", description="Results of the analysis")
NOTHING_ANALYSED = "Nothing has been analysed yet. Upload a workbook, start the analysis and look again then."


@blueprint.get("/results")
@blueprint.doc(security=[{"bearer": []}, {"workspace": []}, {}])
@blueprint.arguments(ResultsQuery, location="query")
@blueprint.response(200, ResultsAnswer)
@blueprint.alt_response(404, description="Nothing has been analysed")
def results(query: dict[str, str]) -> Response:
    """The rows in order, or with `format` a file in which no text can run as a formula."""
    workspace_id = current_workspace_id()
    with runtime().database.read() as session:
        rows = service.of_workspace(session, workspace_id) if workspace_id is not None else []
    if not rows:
        raise NotFound(NOTHING_ANALYSED)
    if query["format"] == "json":
        answer = jsonify(success(rows))
    else:
        content, content_type = service.download(rows, query["format"])
        answer = Response(content, content_type=content_type)
        name = service.download_name(query["format"], datetime.now(UTC))
        answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer
