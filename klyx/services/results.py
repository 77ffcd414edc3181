"""The rows of a workspace's last analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from klyx.database.models import AnalysisRow
from klyx.services.analysis.columns import NSE_CODE, QUALITY, STOCK_NAME
from klyx.workbooks import write_csv, write_xlsx

ROWS_AT_ONCE = 500
FORMATS = {
    "csv": (write_csv, "text/csv; charset=utf-8"),
    "xlsx": (write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
"""Formats of a download: what writes it, and its content type."""


def replace(session: Session, workspace_id: str, job_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Makes these rows, in their order, the workspace's results; what was there before goes."""
    session.execute(delete(AnalysisRow).where(AnalysisRow.workspace_id == workspace_id))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        session.execute(
            insert(AnalysisRow),
            [
                {
                    "workspace_id": workspace_id,
                    "job_id": job_id,
                    "position": position,
                    "stock_name": row[STOCK_NAME],
                    "nse_code": row.get(NSE_CODE),
                    "data": {column: value for column, value in row.items() if column != QUALITY},
                    "quality": row.get(QUALITY),
                }
                for position, row in enumerate(rows[start : start + ROWS_AT_ONCE], start)
            ],
        )


def of_workspace(session: Session, workspace_id: str) -> list[dict[str, Any]]:
    """The result rows in order: display name -> value, and `_quality`. Empty when nothing has been analysed."""
    rows = session.execute(
        select(AnalysisRow.data, AnalysisRow.quality)
        .where(AnalysisRow.workspace_id == workspace_id)
        .order_by(AnalysisRow.position)
    )
    return [{**data, QUALITY: quality} for data, quality in rows]


def download(rows: Sequence[Mapping[str, Any]], file_format: str) -> tuple[bytes, str]:
    """The rows as a file of one of FORMATS, without `_quality`, and its content type."""
    write, content_type = FORMATS[file_format]
    plain = [{column: value for column, value in row.items() if column != QUALITY} for row in rows]
    return write(plain), content_type


def download_name(file_format: str, now: datetime) -> str:
    """e.g. `klyx-results-2026-01-31.xlsx`."""
    return f"klyx-results-{now:%Y-%m-%d}.{file_format}"
