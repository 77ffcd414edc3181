"""Structured logs: one JSON object a line on stderr, with the request and job it belongs to."""

from __future__ import annotations

import logging
import re
import time
import uuid
from contextvars import ContextVar

from klyx.log_errors import ErrorFormatter

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
job_id: ContextVar[str | None] = ContextVar("job_id", default=None)

WELL_FORMED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
# Libraries that write addresses, URLs or payloads at INFO.
QUIET_LOGGERS = ("rq.worker", "urllib3", "yfinance", "peewee", "werkzeug", "flask_limiter", "flask-limiter")


class ContextFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        record.job_id = job_id.get()
        return True


def configure_logging(level: str) -> None:
    """Send every log line to stderr as JSON; call once per process, before the first line."""
    # The descriptor, not sys.stderr: that object can be swapped or closed while threads still log.
    handler = logging.StreamHandler(open(2, "w", buffering=1, closefd=False))  # noqa: SIM115
    handler.addFilter(ContextFilter())
    formatter = ErrorFormatter(
        "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s %(job_id)s",
        datefmt="%Y-%m-%dT%H:%M:%SZ",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def accepted_request_id(offered: str | None) -> str:
    """The caller's request id when it is well formed, else a new one."""
    if offered and WELL_FORMED_REQUEST_ID.fullmatch(offered):
        return offered
    return uuid.uuid4().hex
