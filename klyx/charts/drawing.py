"""Asking the child for one chart."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from klyx.child_process import AnswerTooLongError, ask_child
from klyx.errors import Unavailable

logger = logging.getLogger(__name__)

CHILD = Path(__file__).with_name("child")
MEBIBYTE = 1024 * 1024
MOST_AT_ONCE = 2
BUSY = "Too many charts are being drawn right now. Please try again in a few seconds."
NOT_DRAWN = "The chart could not be drawn. Please try again, or look at the prices instead."
_places = threading.BoundedSemaphore(MOST_AT_ONCE)


class ChartNotDrawn(Unavailable):
    """The child ended without a picture, or there was no place for it."""


@dataclass(frozen=True, slots=True)
class ChartLimits:
    """What one chart may cost: address space, seconds for starting and drawing, bytes, seconds in the queue."""

    memory_bytes: int = 512 * MEBIBYTE
    seconds: float = 10.0
    max_answer_bytes: int = 2 * MEBIBYTE
    wait_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class ChartRequest:
    """What klyx.charts.child.draw.Chart is made of: texts, and series of one length, oldest first."""

    heading: str
    summary: str
    title: str
    description: str
    days: Sequence[str]
    closes: Sequence[float]
    volumes: Sequence[int]
    hidden: int


def draw_chart(chart: ChartRequest, cache_folder: Path, limits: ChartLimits | None = None) -> bytes:
    """The SVG document. Raises ChartNotDrawn (503), at once when MOST_AT_ONCE stay busy for `wait_seconds`.

    `cache_folder` keeps what the library finds out about the system's fonts, which takes it longer than a chart.
    """
    limits = limits or ChartLimits()
    if not _places.acquire(timeout=limits.wait_seconds):
        raise ChartNotDrawn(BUSY, retry_after_seconds=3)
    try:
        cache_folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile() as source:
            source.write(orjson.dumps(asdict(chart)))
            source.seek(0)
            status, answer = ask_child(
                CHILD,
                orjson.dumps({"memory_bytes": limits.memory_bytes, "seconds": limits.seconds}).decode(),
                source.fileno(),
                seconds=limits.seconds,
                max_answer_bytes=limits.max_answer_bytes,
                # One thread: a confined process may not start any, and one picture needs no more.
                environment={"MPLCONFIGDIR": str(cache_folder.resolve()), "OPENBLAS_NUM_THREADS": "1"},
            )
    except AnswerTooLongError:
        status, answer = 0, b""
    finally:
        _places.release()
    if status != 0 or not answer:
        logger.error("Chart could not be drawn", extra={"child_status": status, "sessions": len(chart.days)})
        raise ChartNotDrawn(NOT_DRAWN, retry_after_seconds=10)
    return answer
