"""Reading a workbook in a bounded child process.

The archive checks run in the child too: inflating is itself what a hostile file attacks, and so the web
process never inflates or parses anything but the child's bounded JSON answer.
"""

import json
import logging
import signal
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from klyx.child_process import TIME_SIGNALS, AnswerTooLongError, ask_child
from klyx.services.analysis.table import Table
from klyx.workbooks.filenames import display_name
from klyx.workbooks.limits import WorkbookLimits
from klyx.workbooks.refusals import REASONS, refusal

logger = logging.getLogger(__name__)

WORKBOOK_EXTENSIONS = (".xlsx", ".xls", ".csv")
CHILD = Path(__file__).with_name("child")
MAX_CONCURRENT_CHILDREN = 4
_places = threading.BoundedSemaphore(MAX_CONCURRENT_CHILDREN)


def read_workbook(path: Path, original_name: str, limits: WorkbookLimits) -> Table:
    """The first non-empty sheet of the workbook at `path`, whose kind is told by `original_name`.

    Cells are text, numbers (whole ones as int), booleans or None; dates are ISO text; sentinels such as
    `Export NA` are still text. Raises WorkbookRefused; OSError when the file itself cannot be opened.
    """
    name = display_name(original_name)
    extension = Path(name).suffix.lower()
    if extension not in WORKBOOK_EXTENSIONS:
        raise refusal("extension", limits)
    if name.startswith("~$"):
        raise refusal("lock_file", limits)
    size = path.stat().st_size
    if size == 0:
        raise refusal("empty", limits)
    if size > limits.max_bytes:
        raise refusal("bytes", limits)
    status, answer = _ask_child(path, extension, limits)
    if status == 0 and "columns" in answer:
        return Table(name, tuple(answer["columns"]), tuple(tuple(row) for row in answer["rows"]))
    code = str(answer.get("refused")) if status > 0 else _code_of_signal(-status)
    code = code if code in REASONS else "damaged"
    logger.info("workbook refused", extra={"refusal": code, "child_status": status, "bytes": size})
    raise refusal(code, limits, answer.get("figures"))


def _ask_child(path: Path, extension: str, limits: WorkbookLimits) -> tuple[int, dict[str, Any]]:
    """Exit status (negative: the signal) and answer of one child, which is gone afterwards."""
    if not _places.acquire(timeout=limits.seconds):
        raise refusal("busy", limits)
    request = json.dumps({"extension": extension, "limits": asdict(limits)})
    try:
        with path.open("rb") as source:
            status, answer = ask_child(
                CHILD, request, source.fileno(), seconds=limits.seconds, max_answer_bytes=limits.max_answer_bytes
            )
    except AnswerTooLongError:
        raise refusal("text", limits) from None
    finally:
        _places.release()
    return status, _parse(answer)


def _parse(answer: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _code_of_signal(number: int) -> str:
    if number in TIME_SIGNALS:
        return "time"
    # Native code aborts when an allocation fails; there is no exception to catch.
    return "memory" if number == signal.SIGABRT else "damaged"
