"""Chat threads and their messages, as the clients spell them."""

from __future__ import annotations

from typing import get_args

from marshmallow import Schema, fields, validate

from klyx.schemas.envelope import Flag, UtcDateTime, envelope
from klyx.services.chat.trace import Outcome


class ThreadSchema(Schema):
    id = fields.String()
    user_id = fields.String(data_key="userId")
    title = fields.String()
    is_archived = fields.Boolean(data_key="isArchived")
    created_at = UtcDateTime(data_key="createdAt")
    updated_at = UtcDateTime(data_key="updatedAt")


class MessageInThreadSchema(Schema):
    id = fields.String()
    thread_id = fields.String(data_key="threadId")
    role = fields.String(validate=validate.OneOf(["user", "assistant"]))
    content = fields.String()
    created_at = UtcDateTime(data_key="createdAt")


class ConversationSchema(Schema):
    thread = fields.Nested(ThreadSchema)
    messages = fields.List(fields.Nested(MessageInThreadSchema))


class NewThreadSchema(Schema):
    title = fields.String(allow_none=True, load_default=None)


class ThreadChangeSchema(Schema):
    title = fields.String(allow_none=True, load_default=None)
    is_archived = Flag(data_key="isArchived", allow_none=True, load_default=None)


class ToolCallSchema(Schema):
    """One thing the assistant looked up. `message_id` is the answer it was for, null when none was kept."""

    name = fields.String()
    arguments = fields.Dict()
    duration_ms = fields.Integer()
    outcome = fields.String(validate=validate.OneOf(get_args(Outcome)))
    message_id = fields.String(data_key="messageId", allow_none=True)
    created_at = UtcDateTime(data_key="createdAt")


ThreadsAnswer = envelope("ChatThreads", fields.List(fields.Nested(ThreadSchema)))
ThreadAnswer = envelope("ChatThread", ThreadSchema)
ConversationAnswer = envelope("ChatConversation", ConversationSchema)
TraceAnswer = envelope("ChatTrace", fields.List(fields.Nested(ToolCallSchema)))
