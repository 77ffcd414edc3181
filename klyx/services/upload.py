"""Uploaded workbooks: each accepted or refused on its own, refusals remembered, files and rows in step."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from klyx.config import Settings
from klyx.database import Database
from klyx.database.models import AnalysisRow, SymbolCorrection, Upload, UploadState
from klyx.database.models.base import new_uuid
from klyx.errors import KlyxError
from klyx.services import refusals, symbols
from klyx.services.holdings import Holding, holdings_of
from klyx.services.jobs.ending import end_unfinished
from klyx.services.refusals import Refusal
from klyx.services.workspace_files import publish, remove_files, stored_path, workspace_folder, write_draft
from klyx.services.workspace_lock import lock_workspace
from klyx.sources.base import Deadline
from klyx.workbooks import WORKBOOK_EXTENSIONS, WorkbookLimits, WorkbookRefused, display_name, read_workbook
from klyx.workbooks.refusals import refusal as workbook_refusal

logger = logging.getLogger(__name__)

# The frontends' proxy gives up after 30 s; what is not read by then is refused, with the reason.
READING_SECONDS = 15.0
LEAST_READING_SECONDS = 0.5
TOO_LATE = "The other files took too long to read. Upload this file again on its own."
CLEARED = "The files were cleared before the analysis had finished. Upload files and start it again."


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file of a request: its name as the client sent it, and its content."""

    name: str
    content: IO[bytes]


@dataclass(frozen=True, slots=True)
class Received:
    """What became of the files of one upload. `stocks_added` counts new entries of the user's portfolio."""

    files: list[str]
    refused: list[Refusal]
    stocks_added: int


@dataclass(frozen=True, slots=True)
class _ReadFile:
    """A usable workbook that is on disk under its final name and not in the database yet."""

    upload_id: str
    name: str
    path: Path
    size_bytes: int
    row_count: int
    column_count: int
    holdings: list[Holding]
    is_sample: bool


def workbook_limits(settings: Settings, seconds: float = math.inf) -> WorkbookLimits:
    """What one workbook may cost; `seconds` narrows the time for reading it."""
    return WorkbookLimits(
        max_bytes=settings.max_request_bytes,
        max_rows=settings.workbook_max_rows,
        max_columns=settings.workbook_max_columns,
        max_uncompressed_bytes=settings.workbook_max_uncompressed_bytes,
        memory_bytes=settings.workbook_memory_bytes,
        seconds=min(settings.workbook_seconds, seconds),
    )


def receive(
    database: Database,
    settings: Settings,
    workspace_id: str,
    files: Sequence[IncomingFile],
    *,
    are_samples: bool = False,
) -> Received:
    """Reads, checks and keeps each file on its own. A file replaces the earlier one of the same name.

    Nothing is read inside a transaction. Whatever happens, a row without its file is never committed,
    and a file without a row does not outlive the sweep.
    """
    deadline = Deadline(READING_SECONDS)
    read: list[_ReadFile] = []
    refused: list[Refusal] = []
    try:
        for number, (file, name) in enumerate(zip(files, _distinct_names(files), strict=True)):
            if number >= settings.workspace_max_files:
                refused.append(Refusal(name, _too_many(settings)))
                continue
            try:
                read.append(_read(workspace_id, name, file.content, settings, deadline, is_sample=are_samples))
            except WorkbookRefused as error:
                refused.append(Refusal(name, error.reason))
        with database.begin() as session:
            received, unused = _keep(session, settings, workspace_id, read, refused)
    except BaseException:
        remove_files(file.path for file in read)
        raise
    remove_files(unused)
    counts = {"accepted": len(received.files), "refused": len(received.refused), "stocks_added": received.stocks_added}
    logger.info("workbooks received", extra=counts)
    return received


def _distinct_names(files: Sequence[IncomingFile]) -> Iterator[str]:
    """Display names; files of one request that share a name (from two folders, say) are numbered."""
    taken: set[str] = set()
    for file in files:
        name = display_name(file.name)
        path = PurePath(name)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{path.stem} ({number}){path.suffix}"
        taken.add(name.casefold())
        yield name


def _read(
    workspace_id: str, name: str, content: IO[bytes], settings: Settings, deadline: Deadline, *, is_sample: bool
) -> _ReadFile:
    """Reads one file and, when it is usable, puts it on disk under its final name. Raises WorkbookRefused."""
    limits = workbook_limits(settings, deadline.remaining())
    suffix = PurePath(name).suffix.lower()
    if suffix not in WORKBOOK_EXTENSIONS:
        raise workbook_refusal("extension", limits)  # before anything of it is written
    if deadline.remaining() < LEAST_READING_SECONDS:
        raise WorkbookRefused(TOO_LATE, code="time")
    upload_id = new_uuid()
    draft, size_bytes = write_draft(workspace_folder(settings.instance_folder, workspace_id), upload_id, content)
    try:
        table = read_workbook(draft, name, limits)
        holdings = holdings_of(table)
        path = stored_path(settings.instance_folder, workspace_id, upload_id + suffix)
        publish(draft, path)
    finally:
        remove_files([draft])
    return _ReadFile(upload_id, name, path, size_bytes, len(table.rows), len(table.columns), holdings, is_sample)


def _keep(
    session: Session, settings: Settings, workspace_id: str, read: Sequence[_ReadFile], refused: list[Refusal]
) -> tuple[Received, list[Path]]:
    """Makes rows of what was read; also returns the files that no row points to once this is committed."""
    workspace = lock_workspace(session, workspace_id)
    replaced = _replaced_by(session, workspace_id, read)
    accepted, over_quota = _within_quota(session, settings, workspace_id, read, replaced)
    kept = {file.path for file in accepted}
    unused = [file.path for file in read if file.path not in kept]
    for file in accepted:
        earlier = replaced.get(file.name)
        if earlier is not None:
            unused.append(stored_path(settings.instance_folder, workspace_id, str(earlier.stored_name)))
            session.delete(earlier)
        session.add(_accepted_row(workspace_id, file))
    refused = [*refused, *over_quota]
    names = [file.name for file in accepted]
    refusals.remember(session, workspace_id, refused, names, settings.workspace_max_files)
    holdings = [holding for file in accepted if not file.is_sample for holding in file.holdings]
    added = symbols.add_to_portfolio(session, workspace.user_id, holdings)
    return Received(names, refused, added), unused


def _replaced_by(session: Session, workspace_id: str, read: Sequence[_ReadFile]) -> dict[str, Upload]:
    """The accepted files that files of the same name and kind (own or sample) take the place of, by name."""
    earlier = session.scalars(
        select(Upload).where(
            Upload.workspace_id == workspace_id,
            Upload.state == UploadState.ACCEPTED,
            Upload.original_name.in_([file.name for file in read]),
            Upload.is_sample.in_({file.is_sample for file in read}),
        )
    )
    return {upload.original_name: upload for upload in earlier}


def _within_quota(
    session: Session, settings: Settings, workspace_id: str, read: Sequence[_ReadFile], replaced: Mapping[str, Upload]
) -> tuple[list[_ReadFile], list[Refusal]]:
    """Which of the files still fit; those they take the place of make room."""
    count, used_bytes = session.execute(
        select(func.count(), func.coalesce(func.sum(Upload.size_bytes), 0)).where(
            Upload.workspace_id == workspace_id, Upload.state == UploadState.ACCEPTED
        )
    ).one()
    accepted: list[_ReadFile] = []
    refused: list[Refusal] = []
    for file in read:
        earlier = replaced.get(file.name)
        count_after = count + (earlier is None)
        bytes_after = used_bytes + file.size_bytes - (earlier.size_bytes if earlier else 0)
        if count_after > settings.workspace_max_files:
            refused.append(Refusal(file.name, _too_many(settings)))
        elif bytes_after > settings.workspace_max_bytes:
            refused.append(Refusal(file.name, _too_much(settings)))
        else:
            accepted.append(file)
            count, used_bytes = count_after, bytes_after
    return accepted, refused


def _too_many(settings: Settings) -> str:
    most = settings.workspace_max_files
    return f"At most {most} files are kept. Clear the uploaded files, then upload this one again."


def _too_much(settings: Settings) -> str:
    megabytes = settings.workspace_max_bytes / (1024 * 1024)
    return f"At most {megabytes:g} MB of files are kept. Clear the uploaded files, then upload this one again."


def _accepted_row(workspace_id: str, file: _ReadFile) -> Upload:
    return Upload(
        id=file.upload_id,
        workspace_id=workspace_id,
        original_name=file.name,
        stored_name=file.path.name,
        extension=file.path.suffix,
        size_bytes=file.size_bytes,
        state=UploadState.ACCEPTED,
        row_count=file.row_count,
        column_count=file.column_count,
        holdings=file.holdings,
        is_sample=file.is_sample,
    )


def use_samples(database: Database, settings: Settings, workspace_id: str, paths: Sequence[Path]) -> Received:
    """Copies the sample workbooks into the workspace, through the same checks as an upload.

    Raises KlyxError (500) when one is missing or cannot be used: then the installation is broken.
    """
    missing = [path.name for path in paths if not path.is_file()]
    if missing or not paths:
        logger.error("sample workbooks missing", extra={"files": missing})
        raise KlyxError("The sample workbooks are missing on our side. Upload your own workbook instead.")
    with ExitStack() as opened:
        files = [IncomingFile(path.name, opened.enter_context(path.open("rb"))) for path in paths]
        return receive(database, settings, workspace_id, files, are_samples=True)


def clear(database: Database, settings: Settings, workspace_id: str) -> int:
    """Deletes the workspace's uploads, corrections and results; returns how many files went.

    An analysis that is queued or running ends as failed, so that what it finishes later is not kept.
    The portfolio stays as it is.
    """
    with database.begin() as session:
        lock_workspace(session, workspace_id)
        end_unfinished(session, workspace_id, CLEARED)
        stored = session.scalars(select(Upload.stored_name).where(Upload.workspace_id == workspace_id)).all()
        for model in (Upload, SymbolCorrection, AnalysisRow):
            session.execute(delete(model).where(model.workspace_id == workspace_id))
    names = [name for name in stored if name]
    remove_files(stored_path(settings.instance_folder, workspace_id, name) for name in names)
    return len(names)
