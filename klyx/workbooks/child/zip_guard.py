"""Checks of an .xlsx archive before any spreadsheet parser sees it."""

import copy
import io
import zipfile
import zlib
from pathlib import PurePosixPath

from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.child.sheet_bounds import XmlPartCheck
from klyx.workbooks.limits import MEBIBYTE, WorkbookLimits

CENTRAL_ENTRY_SIGNATURE = b"PK\x01\x02"
ENCRYPTED_FLAG = 0x1
CHUNK_BYTES = 64 * 1024
WORKBOOK_PART = "xl/workbook.xml"


def check_archive(data: bytes, limits: WorkbookLimits) -> None:
    """Pass when the archive is a workbook that is safe to inflate and to lay out.

    Every part is inflated once, in chunks, so its real size counts and not the declared one.
    Raises Refused: `zip_entries`, `zip_size`, `zip_ratio`, `zip_paths`, `password`, `not_workbook`,
    `damaged`, and the codes of XmlPartCheck.
    """
    # Counted on the raw bytes, before the directory becomes one object per entry.
    if data.count(CENTRAL_ENTRY_SIGNATURE) > limits.max_zip_entries:
        raise Refused("zip_entries")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_directory(entries, limits)
            budget = limits.max_uncompressed_bytes
            for entry in entries:
                budget -= _check_part(archive, entry, budget, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise Refused("damaged") from error


def _check_directory(entries: list[zipfile.ZipInfo], limits: WorkbookLimits) -> None:
    names = [entry.filename for entry in entries]
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise Refused("zip_paths")
    if len({name.lower() for name in names}) != len(names):
        raise Refused("damaged")
    if any(entry.flag_bits & ENCRYPTED_FLAG for entry in entries):
        raise Refused("password")
    if not any(name.lower() == WORKBOOK_PART for name in names):
        raise Refused("not_workbook")
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise Refused("damaged")
    if sum(entry.file_size for entry in entries) > limits.max_uncompressed_bytes:
        raise Refused("zip_size")


def _check_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: int, limits: WorkbookLimits) -> int:
    """Inflate one part within `budget` bytes; the real size."""
    # zipfile stops reading at the declared size; the parser in Rust does not, so neither may this check.
    honest = copy.copy(entry)
    honest.file_size = budget + 2 * CHUNK_BYTES
    size = 0
    check: XmlPartCheck | None = None
    with archive.open(honest) as part:
        while chunk := part.read(CHUNK_BYTES):
            if not size and _looks_like_xml(chunk):
                check = XmlPartCheck(limits)
            size += len(chunk)
            if size > budget:
                raise Refused("zip_size")
            if size > MEBIBYTE and size > limits.max_compression_ratio * max(entry.compress_size, 1):
                raise Refused("zip_ratio")
            if check is not None:
                check.feed(chunk)
    if check is not None:
        check.feed(b"", final=True)
    if size != entry.file_size:
        raise Refused("damaged")
    return size


def _looks_like_xml(chunk: bytes) -> bool:
    start = chunk[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith((b"<", b"\xff\xfe", b"\xfe\xff"))
