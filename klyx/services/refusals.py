"""Files that were not accepted: remembered with the reason until an analysis has reported them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from klyx.database.models import Upload, UploadState

MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that is not used, and why, for people."""

    file: str
    reason: str


def remember(
    session: Session, workspace_id: str, refused: Sequence[Refusal], accepted_names: Sequence[str], most: int
) -> None:
    """Keeps the newest `most` refusals; a file that was sent again, and was accepted or refused, is judged anew.

    A refusal leaves an earlier, accepted file of the same name as it was.
    """
    judged = [*accepted_names, *(refusal.file for refusal in refused)]
    condition = (Upload.workspace_id == workspace_id, Upload.state == UploadState.REFUSED)
    session.execute(delete(Upload).where(*condition, Upload.original_name.in_(judged)))
    for refusal in refused[-most :]:
        session.add(_row(workspace_id, refusal))
    session.flush()
    newest_first = select(Upload.id).where(*condition).order_by(Upload.created_at.desc(), Upload.id)
    surplus = session.scalars(newest_first.offset(most)).all()
    session.execute(delete(Upload).where(Upload.id.in_(surplus)))


def _row(workspace_id: str, refusal: Refusal) -> Upload:
    return Upload(
        workspace_id=workspace_id,
        original_name=refusal.file,
        extension=PurePath(refusal.file).suffix.lower(),
        size_bytes=0,
        state=UploadState.REFUSED,
        refusal_reason=refusal.reason,
    )


def of_workspace(session: Session, workspace_id: str) -> list[Refusal]:
    """The refused files that no analysis has reported yet, oldest first."""
    rows = session.execute(
        select(Upload.original_name, Upload.refusal_reason)
        .where(Upload.workspace_id == workspace_id, Upload.state == UploadState.REFUSED)
        .order_by(Upload.created_at, Upload.id)
    )
    return [Refusal(name, reason or "") for name, reason in rows]


def forget(session: Session, workspace_id: str, told: Sequence[Refusal]) -> None:
    """An analysis has reported these. A file refused again meanwhile, with another reason, is still to be told."""
    for refusal in told:
        session.execute(
            delete(Upload).where(
                Upload.workspace_id == workspace_id,
                Upload.state == UploadState.REFUSED,
                Upload.original_name == refusal.file,
                Upload.refusal_reason == refusal.reason,
            )
        )


def describe(refused: Sequence[Refusal]) -> str:
    """One text for people; the first few files with their reasons, the rest by number. "" for none."""
    if not refused:
        return ""
    told = [f"{refusal.file}: {refusal.reason}" for refusal in refused[:MOST_TOLD]]
    if len(refused) > MOST_TOLD:
        told.append(f"And {len(refused) - MOST_TOLD} more.")
    count = "1 file was" if len(refused) == 1 else f"{len(refused)} files were"
    return f"{count} not accepted. {' '.join(told)}"
