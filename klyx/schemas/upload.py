from __future__ import annotations

from flask_smorest.fields import Upload
from marshmallow import Schema, fields

from klyx.schemas.envelope import envelope

CHOOSE_FILES = "Choose at least one .xlsx, .xls or .csv file and send it as a multipart part named files[]."


class UploadSchema(Schema):
    files = fields.List(
        Upload(),
        data_key="files[]",
        required=True,
        error_messages={"required": CHOOSE_FILES},
        metadata={
            "description": "Workbooks (.xlsx, .xls, .csv), each with a column Stock Name, or else one of NSE Code, "
            "Symbol, Ticker and Company"
        },
    )


class RefusalSchema(Schema):
    file = fields.String()
    reason = fields.String(metadata={"description": "Readable by people; says what to do next"})


UploadAnswer = envelope(
    "UploadAnswer",
    files=fields.List(fields.String(), metadata={"description": "Names of the accepted files"}),
    stocks_added=fields.Integer(metadata={"description": "New entries of the user's portfolio"}),
    refused=fields.List(fields.Nested(RefusalSchema)),
)
