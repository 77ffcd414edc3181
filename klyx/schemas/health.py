from marshmallow import Schema, fields


class HealthSchema(Schema):
    """Not the usual envelope: monitors look for `"status": "ok"`."""

    status = fields.String()
    service = fields.String()
    version = fields.String()
