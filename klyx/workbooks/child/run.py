"""One workbook on standard input, one JSON answer on standard output."""

import json
from typing import BinaryIO

from klyx.confinement import confine
from klyx.workbooks.child.content import check_content
from klyx.workbooks.child.delimited import read_delimited
from klyx.workbooks.child.grid import shape_table
from klyx.workbooks.child.percent_formats import PercentFormats
from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.child.spreadsheet import read_spreadsheet
from klyx.workbooks.child.zip_guard import check_archive
from klyx.workbooks.limits import WorkbookLimits

REFUSED_STATUS = 3


def main(request: str, source: BinaryIO, sink: BinaryIO) -> int:
    """Confine this process, then answer. `request` is JSON: `{"extension": ".xlsx", "limits": {...}}`.

    The exit status is 0 with a table, REFUSED_STATUS with `{"refused": code, "figures": {...}}`.
    """
    parsed = json.loads(request)
    limits = WorkbookLimits(**parsed["limits"])
    confine(limits.memory_bytes, limits.seconds)
    try:
        answer = encode_table(source.read(limits.max_bytes + 1), parsed["extension"], limits)
        status = 0
    except Refused as refused:
        answer = json.dumps({"refused": refused.code, "figures": refused.figures}).encode()
        status = REFUSED_STATUS
    except MemoryError:
        answer = b'{"refused": "memory", "figures": {}}'
        status = REFUSED_STATUS
    sink.write(answer)
    sink.flush()
    return status


def encode_table(data: bytes, extension: str, limits: WorkbookLimits) -> bytes:
    """`{"columns": [...], "rows": [[...]]}` as JSON bytes. Raises Refused."""
    if len(data) > limits.max_bytes:
        raise Refused("bytes")
    check_content(data, extension)
    if extension == ".csv":
        rows = read_delimited(data, limits)
    else:
        formats = None
        if extension == ".xlsx":
            check_archive(data, limits)
            formats = PercentFormats(data, limits)
        rows = read_spreadsheet(data, limits, formats)
    table = shape_table(rows, limits)
    encoded = json.dumps(table, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    if len(encoded) > limits.max_answer_bytes:
        raise Refused("text")
    return encoded
