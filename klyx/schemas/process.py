from __future__ import annotations

from marshmallow import Schema, fields

from klyx.schemas.envelope import envelope

STATES = ["PENDING", "PROGRESS", "SUCCESS", "FAILURE"]


class ProcessSchema(Schema):
    use_multi_source = fields.Boolean(load_default=False)


class StartedSchema(Schema):
    task_id = fields.String()
    state = fields.String(metadata={"enum": STATES})
    stocks = fields.Integer(metadata={"description": "Number of companies"})


ProcessAnswer = envelope("ProcessAnswer", StartedSchema, task_id=fields.String(), check_status_url=fields.String())


class TaskProgressSchema(Schema):
    current = fields.Integer()
    total = fields.Integer()
    percent = fields.Integer()
    message = fields.String()


class TaskStatusSchema(Schema):
    """Not the usual envelope. Poll until `status` is SUCCESS or FAILURE."""

    status = fields.String(required=True, metadata={"enum": STATES})
    task_id = fields.String(required=True)
    message = fields.String(required=True)
    progress = fields.Nested(TaskProgressSchema, metadata={"description": "Only with PROGRESS"})
    result = fields.Raw(metadata={"description": "Only with SUCCESS"})
    error = fields.String(metadata={"description": "Only with FAILURE"})
