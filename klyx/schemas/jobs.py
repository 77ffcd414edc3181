from __future__ import annotations

from marshmallow import Schema, fields, validate

from klyx.schemas.envelope import UtcDateTime, envelope
from klyx.schemas.stocks import DEFAULT_PAGE_SIZE, MAX_OFFSET, MAX_PAGE_SIZE, ClampedInteger, PaginationSchema


class PageSchema(Schema):
    limit = ClampedInteger(1, MAX_PAGE_SIZE, load_default=DEFAULT_PAGE_SIZE)
    offset = ClampedInteger(0, MAX_OFFSET, load_default=0)


class ProgressSchema(Schema):
    current = fields.Integer()
    total = fields.Integer(metadata={"description": "0 while the number of steps is not known"})
    percent = fields.Integer()
    message = fields.String()


class JobSchema(Schema):
    id = fields.UUID()
    kind = fields.String()
    state = fields.String(validate=validate.OneOf(["PENDING", "PROGRESS", "SUCCESS", "FAILURE"]))
    message = fields.String()
    progress = fields.Nested(ProgressSchema)
    result = fields.Raw(allow_none=True, metadata={"description": "After SUCCESS; depends on the kind"})
    error = fields.String(allow_none=True, metadata={"description": "After FAILURE; readable by people"})
    attempts = fields.Integer()
    created_at = UtcDateTime()
    started_at = UtcDateTime(allow_none=True)
    finished_at = UtcDateTime(allow_none=True)


class ResumeSchema(Schema):
    last_event_id = fields.String(
        metadata={"description": "For clients that cannot send the header `Last-Event-ID`"}, load_default=""
    )


JobAnswer = envelope("JobAnswer", JobSchema)
JobsAnswer = envelope(
    "JobsAnswer", fields.List(fields.Nested(JobSchema)), pagination=fields.Nested(PaginationSchema)
)
