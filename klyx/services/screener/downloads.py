"""Results as files."""

from __future__ import annotations

from datetime import datetime

from klyx.services.screener.run import ScreenResult
from klyx.workbooks import write_csv

CSV_CONTENT_TYPE = "text/csv; charset=utf-8"


def as_csv(result: ScreenResult) -> bytes:
    """The rows under their headings, which are there without rows too; no text in it can run as a formula."""
    return write_csv(result.rows, result.columns)


def file_name(name: str, now: datetime) -> str:
    """e.g. `klyx-screener-value-2026-01-31.csv`."""
    return f"klyx-screener-{name}-{now:%Y-%m-%d}.csv"
