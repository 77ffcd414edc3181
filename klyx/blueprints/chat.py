"""`/api/chat/threads/...`: the caller's conversations, and what was looked up in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from klyx.identity import current_user_id, optional_identity, user_required
from klyx.openapi import Blueprint
from klyx.schemas.chat import (
    ConversationAnswer,
    NewThreadSchema,
    ThreadAnswer,
    ThreadChangeSchema,
    ThreadsAnswer,
    TraceAnswer,
)
from klyx.schemas.envelope import MessageSchema, success
from klyx.services.chat import threads, trace
from klyx.web import runtime

blueprint = Blueprint("chat", __name__, url_prefix="/api/chat/threads", description="Conversations with the assistant")
UNKNOWN = "Unknown, deleted or somebody else's"


@blueprint.after_request
def keep_private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _user_id() -> str | None:
    identity = optional_identity()
    return identity.user_id if identity else None


@blueprint.get("")
@blueprint.response(200, ThreadsAnswer)
def list_threads() -> Mapping[str, Any]:
    """The caller's threads, the last used first; none for somebody who is not signed in."""
    user_id = _user_id()
    if user_id is None:
        return success([])
    with runtime().database.read() as session:
        return success(threads.list_threads(session, user_id))


@blueprint.post("")
@user_required
@blueprint.arguments(NewThreadSchema, required=False)
@blueprint.response(201, ThreadAnswer)
def create(values: dict[str, Any]) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        return success(threads.create(session, current_user_id(), values["title"]))


@blueprint.get("/<thread_id>")
@blueprint.response(200, ConversationAnswer)
@blueprint.alt_response(404, description=UNKNOWN)
def conversation(thread_id: str) -> Mapping[str, Any]:
    user_id = _user_id()
    with runtime().database.read() as session:
        thread = threads.find(session, user_id, thread_id)
        return success({"thread": thread, "messages": threads.messages_of(session, thread.id)})


@blueprint.patch("/<thread_id>")
@user_required
@blueprint.arguments(ThreadChangeSchema)
@blueprint.response(200, ThreadAnswer)
@blueprint.alt_response(404, description=UNKNOWN)
def change(values: dict[str, Any], thread_id: str) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        return success(threads.change(session, current_user_id(), thread_id, values))


@blueprint.delete("/<thread_id>")
@user_required
@blueprint.response(200, MessageSchema)
@blueprint.alt_response(404, description=UNKNOWN)
def remove(thread_id: str) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        threads.remove(session, current_user_id(), thread_id)
    return success(message="The conversation is deleted.")


@blueprint.get("/<thread_id>/trace")
@user_required
@blueprint.response(200, TraceAnswer)
@blueprint.alt_response(404, description=UNKNOWN)
def show_trace(thread_id: str) -> Mapping[str, Any]:
    """What the assistant looked up in this thread: tool, arguments, duration and outcome."""
    with runtime().database.read() as session:
        thread = threads.find(session, current_user_id(), thread_id)
        return success(trace.calls_of(session, thread.id))
