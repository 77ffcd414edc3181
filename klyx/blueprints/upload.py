"""`/api/upload`, `/api/use_sample`, `/api/clear`: the files of a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import FileStorage

from klyx.bundled import sample_workbook_paths
from klyx.errors import Invalid
from klyx.openapi import Blueprint
from klyx.schemas.envelope import MessageSchema, success
from klyx.schemas.upload import CHOOSE_FILES, UploadAnswer, UploadSchema
from klyx.services import refusals
from klyx.services import upload as service
from klyx.services.upload import IncomingFile, Received
from klyx.web import runtime
from klyx.workspace_access import current_workspace_id, workspace_id_for_writing

blueprint = Blueprint("upload", __name__, url_prefix="/api", description="Workbooks of a workspace")
WORKSPACE: dict[str, Any] = {"security": [{"bearer": []}, {"workspace": []}, {}]}


@blueprint.post("/upload")
@blueprint.doc(**WORKSPACE)
@blueprint.arguments(UploadSchema, location="files")
@blueprint.response(200, UploadAnswer)
@blueprint.alt_response(413, description="The request is larger than 10 MB")
def upload(parts: dict[str, list[FileStorage]]) -> Mapping[str, Any]:
    """Accepts or refuses each file on its own; 400 when none is accepted. A file replaces the earlier one of its name.

    Reasons are remembered, and told again by `/api/process`.
    """
    # A form with nothing chosen sends one part without a name.
    files = [IncomingFile(part.filename, part.stream) for part in parts["files"] if part.filename]
    if not files:
        raise Invalid(CHOOSE_FILES)
    received = service.receive(runtime().database, runtime().settings, workspace_id_for_writing(), files)
    return _answer(received, _uploaded(received))


@blueprint.post("/use_sample")
@blueprint.doc(**WORKSPACE)
@blueprint.response(200, UploadAnswer)
def use_sample() -> Mapping[str, Any]:
    """Copies the sample workbooks in. They are analysed only while there are no files of one's own."""
    workspace_id, paths = workspace_id_for_writing(), sample_workbook_paths()
    received = service.use_samples(runtime().database, runtime().settings, workspace_id, paths)
    loaded = f"{len(received.files)} sample workbooks are loaded. Their figures are illustrative."
    return _answer(received, f"{loaded} They are analysed only while there are no files of your own.")


@blueprint.post("/clear")
@blueprint.doc(**WORKSPACE)
@blueprint.response(200, MessageSchema)
def clear() -> Mapping[str, Any]:
    """Deletes the uploaded files, the corrections and the results; never the portfolio."""
    workspace_id = current_workspace_id()
    if workspace_id is not None:
        service.clear(runtime().database, runtime().settings, workspace_id)
    return success(message="Your uploaded files and results are deleted. Your portfolio is as it was.")


def _uploaded(received: Received) -> str:
    count = len(received.files)
    uploaded = "1 file is uploaded." if count == 1 else f"{count} files are uploaded."
    if received.stocks_added:
        stocks = "1 stock was" if received.stocks_added == 1 else f"{received.stocks_added} stocks were"
        uploaded = f"{uploaded} {stocks} added to your portfolio."
    return uploaded


def _answer(received: Received, message: str) -> Mapping[str, Any]:
    refused = refusals.describe(received.refused)
    if not received.files:
        raise Invalid(refused)
    return success(
        message=f"{message} {refused}".strip(),
        files=received.files,
        stocks_added=received.stocks_added,
        refused=received.refused,
    )
