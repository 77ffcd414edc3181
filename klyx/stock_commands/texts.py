"""What the commands print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from klyx.services.market_runs.kinds import Outcome, RunKind

BAR_WIDTH = 28
_INTERNAL = frozenset({"options", "slot", "failures", "failed_stocks"})


def progress_line(run: Mapping[str, Any], ended_here: int, seconds: float) -> str:
    """One line: a bar, how many stocks, how fast, and how long it will take.

    `ended_here` stocks came to an end in the `seconds` since we look.
    """
    total, ended = run["total"], run["updated"] + run["failed"]
    if not total:
        return str(run["message"])
    filled = BAR_WIDTH * ended // total
    parts = [f"[{'#' * filled}{'-' * (BAR_WIDTH - filled)}]", f"{ended:,} of {total:,} stocks"]
    if run["failed"]:
        parts.append(f"{run['failed']:,} failed")
    if ended_here > 0 and seconds > 0:
        rate = ended_here / seconds
        parts.append(f"{rate:.1f} per second")
        if ended < total:
            parts.append(f"{duration((total - ended) / rate)} left")
    return "  ".join(parts)


def duration(seconds: float) -> str:
    """`45 s`, `6 min 40 s`, `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def summary_lines(run: Mapping[str, Any]) -> Iterator[str]:
    """What came of a run that has ended."""
    took = run["duration_seconds"] or 0
    yield ""
    yield f"{run['title']}: {run['state']} after {duration(took)} (run {run['id']})"
    rows = [("updated", run["updated"]), ("failed", run["failed"]), ("in all", run["total"] or 0)]
    details: Mapping[str, Any] = run["details"]
    rows += [(name.replace("_", " "), value) for name, value in details.items() if _is_told(name, value)]
    for name, value in rows:
        yield f"  {name:<24}{value:>12,}"
    for source, words in run["failures"].items():
        for word, count in words.items():
            yield f"  {source + ' ' + word:<36}{count:>12,}"
    for stock in run["failed_stocks"]:
        yield f"  {stock['stock']}: {stock['error']}"
    if run["state"] == "failed":
        yield f"  {run['message']}"


def _is_told(name: str, value: Any) -> bool:
    return name not in _INTERNAL and name not in ("updated", "failed") and isinstance(value, int)


def run_lines(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A table of runs."""
    if not runs:
        yield "No run yet."
        return
    yield f"{'run':>5}  {'kind':<13}{'started (UTC)':<21}{'by':<10}{'state':<9}{'took':>13}{'done':>8}{'failed':>8}"
    for run in runs:
        took = "" if run["duration_seconds"] is None else duration(run["duration_seconds"])
        state = f"{run['percent']} %" if run["state"] == "running" else run["state"]
        started = run["started_at"].strftime("%Y-%m-%d %H:%M:%S")
        yield (
            f"{run['id']:>5}  {run['kind']:<13}{started:<21}{run['started_by']:<10}{state:<9}{took:>13}"
            f"{run['updated']:>8,}{run['failed']:>8,}"
        )


def preview_lines(kind: RunKind, outcome: Outcome) -> Iterator[str]:
    """What a run in one go would do."""
    yield f"{kind.title}: {outcome.total:,} stocks. Nothing was changed."
    for name, value in outcome.details.items():
        if isinstance(value, int):
            yield f"  {name.replace('_', ' '):<24}{value:>12,}"
        elif isinstance(value, list):
            for entry in value:
                yield "  " + ", ".join(f"{key} {text}" for key, text in entry.items())
