"""`/api/verify_symbols`, `/api/submit_corrections`: which uploaded symbols are unknown, and what to read instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE

from klyx.openapi import Blueprint
from klyx.schemas.envelope import MessageSchema, success
from klyx.schemas.symbols import CorrectionsSchema, VerificationAnswer
from klyx.services import symbols
from klyx.web import runtime
from klyx.workspace_access import current_workspace_id, workspace_id_for_writing

blueprint = Blueprint("symbols", __name__, url_prefix="/api", description="Symbols of the uploaded workbooks")
WORKSPACE: dict[str, Any] = {"security": [{"bearer": []}, {"workspace": []}, {}]}


@blueprint.get("/verify_symbols")
@blueprint.doc(**WORKSPACE)
@blueprint.response(200, VerificationAnswer)
def verify_symbols() -> Mapping[str, Any]:
    """Which symbols are known, and what the unknown ones may mean. `no_files` when nothing is uploaded."""
    workspace_id = current_workspace_id()
    found = symbols.verify(runtime().database, workspace_id) if workspace_id is not None else None
    if found is None:
        return {"status": "no_files", "valid": [], "invalid": []}
    return success(valid=found.valid, invalid=found.invalid)


@blueprint.post("/submit_corrections")
@blueprint.doc(**WORKSPACE)
@blueprint.arguments(CorrectionsSchema, unknown=INCLUDE)
@blueprint.response(200, MessageSchema)
def submit_corrections(corrections: dict[str, str]) -> Mapping[str, Any]:
    """Replaces whole cells of the columns NSE Code, Stock Name and Symbol, in this workspace only."""
    workspace_id = workspace_id_for_writing()
    with runtime().database.begin() as session:
        symbols.submit_corrections(session, workspace_id, corrections)
    count = "1 correction is" if len(corrections) == 1 else f"{len(corrections)} corrections are"
    return success(message=f"{count} noted. They count from the next analysis on.")
