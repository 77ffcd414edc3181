"""What a run tells: in its progress, in the log, and in the end."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from klyx.database.models import DataRefreshLog
from klyx.services.market_runs.kinds import RunKind

logger = logging.getLogger(__name__)

# Of the stocks that failed, so many are told with their reasons; the counts are complete.
MOST_TOLD = 10
Failures = Mapping[str, Mapping[str, int]]


def progress_message(kind: RunKind, updated: int, failed: int, total: int) -> str:
    """How far a run is, for people."""
    ended = updated + failed
    stocks = "1 stock" if total == 1 else f"{total:,} stocks"
    reached = f"{kind.done}: {ended:,} of {stocks}" if ended != total else f"{kind.done}: {stocks}"
    return f"{reached}, {failed:,} without success." if failed else f"{reached}."


def counts(numbers: tuple[int, int, int]) -> dict[str, int]:
    updated, failed, total = numbers
    return {"updated": updated, "failed": failed, "total": total}


def failures_text(failures: Failures) -> str:
    """Which source failed how often and how, in one line; empty when none did."""
    return "; ".join(
        f"{source}: " + ", ".join(f"{number:,} {word}" for word, number in words.items())
        for source, words in failures.items()
    )


def log_failures(run: DataRefreshLog, failures: Failures) -> None:
    """One line a source and kind of failure, however many stocks it concerned."""
    for source, words in failures.items():
        for word, number in words.items():
            extra = {"run": run.id, "kind": run.refresh_type, "source": source, "error_type": word, "count": number}
            logger.warning("a source failed", extra=extra)
