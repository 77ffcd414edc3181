"""The analysis of a workspace: read, unify, enrich, analyse, and save in one transaction with the end of the job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobs.market_data import memo_of, sources_of
from klyx.database.starter import SAMPLE_SOURCE
from klyx.runtime import Runtime
from klyx.services import jobs, process_inputs, refusals, results, symbols
from klyx.services.analysis.columns import DATA_SOURCES, NSE_CODE, STOCK_NAME
from klyx.services.analysis.pipeline import analyse, unify
from klyx.services.analysis.table import Problem, Row, text
from klyx.services.enrichment import Enrichment, enrich
from klyx.services.insight_sources import InsightSearch
from klyx.services.jobs import Lease, ProgressReporter
from klyx.services.market_data.gather import ENOUGH_QUALITY
from klyx.services.process import NOTHING_TO_ANALYSE
from klyx.services.process_inputs import Inputs
from klyx.services.workspace_lock import lock_workspace
from klyx.sources.base import Deadline, HistorySource, NewsSource

READING, ENRICHING, SAVING, DONE = 10, 20, 80, 100
MOST_TOLD = 100
QUICK_SOURCES = frozenset({"yahoo", "moneycontrol"})
NOT_LISTED = (
    "This is none of the NSE stocks we know, so no market data was asked for; the workbook's own figures are kept. "
    "Correct its symbol to have them completed."
)


def run(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    """Replaces the workspace's results. Run again after an interruption it does the same again, and saves once.

    Nothing outside this machine is asked while a transaction is open. Raises LeaseLost.
    """
    workspace_id = str(lease.workspace_id)
    progress.report(READING, DONE, "Reading your stocks.")
    with runtime.database.read() as session:
        inputs = process_inputs.load(session, runtime.settings, workspace_id)
    rows, skipped, problems = _read(runtime, inputs, progress)
    if not rows:
        _fail(runtime, lease, skipped)
        return
    with runtime.database.read() as session:
        rows, found = process_inputs.resolve(session, rows)
        listed = symbols.listed_codes(session, [text(row, NSE_CODE) for row in rows])
        market = process_inputs.year_changes(session)
    is_complete = bool(lease.arguments.get("use_multi_source"))
    deadline = Deadline(runtime.settings.enrichment_deadline_seconds)
    with _search_insights(runtime, rows, listed, deadline) as search:
        enrichment = _enrich(runtime, listed, progress, deadline, is_complete=is_complete)
        insights = search.collect()
    progress.report(SAVING, DONE, "Working out scores and saving the results.")
    # A portfolio's rows have them from the beginning.
    stored = _stored(runtime, listed, enrichment) if inputs.files else {}
    analysis = analyse(rows, enrichment.records, insights.news, insights.snapshots, market, stored)
    summary = summarise(rows, enrichment, [*problems, *found, *analysis.problems], skipped, inputs)
    progress.check()
    with runtime.database.begin() as session:
        lock_workspace(session, workspace_id)
        results.replace(session, workspace_id, lease.job_id, analysis.rows)
        refusals.forget(session, workspace_id, inputs.refused)
        jobs.complete(session, lease, summary, summary["message"])


def _read(
    runtime: Runtime, inputs: Inputs, progress: ProgressReporter
) -> tuple[Sequence[Row], list[Problem], list[Problem]]:
    """The stocks, the files that could not be used, and other problems."""
    if not inputs.files:
        return inputs.rows, [], []
    tables, skipped = process_inputs.read_tables(inputs.files, runtime.settings, progress.check)
    with runtime.database.read() as session:
        names = process_inputs.names_of_symbols(session, tables, inputs.corrections)
    unified = unify(tables, inputs.corrections, inputs.codes, names)
    return unified.rows, [*skipped, *unified.skipped], list(unified.problems)


def _fail(runtime: Runtime, lease: Lease, skipped: Sequence[Problem]) -> None:
    """Ends the job for good: another attempt would find as little. Earlier results stay."""
    reasons = " ".join(f"{problem.source}: {problem.message}" for problem in skipped[: refusals.MOST_TOLD])
    message = f"None of your files could be analysed. {reasons}" if skipped else NOTHING_TO_ANALYSE
    with runtime.database.begin() as session:
        jobs.fail(session, lease, message)


def _search_insights(
    runtime: Runtime, rows: Sequence[Row], listed: Sequence[str], deadline: Deadline
) -> InsightSearch:
    sources = sources_of(runtime)
    return InsightSearch(
        runtime.database,
        sources.giving(HistorySource),  # type: ignore[type-abstract]
        sources.giving(NewsSource),  # type: ignore[type-abstract]
        rows,
        listed,
        deadline,
        runtime.settings.enrichment_parallelism,
    )


def _enrich(
    runtime: Runtime, listed: Sequence[str], progress: ProgressReporter, deadline: Deadline, *, is_complete: bool
) -> Enrichment:
    """With `is_complete` every source is waited for; else only two are asked, and enough is enough."""
    settings = runtime.settings

    def report(finished: int, total: int) -> None:
        reached = ENRICHING + (SAVING - ENRICHING) * finished // total
        progress.report(reached, DONE, f"Completed the figures of {finished} of {total} stocks.")

    progress.report(ENRICHING, DONE, "Asking for missing figures.")
    return enrich(
        listed,
        [source for source in sources_of(runtime).quotes if is_complete or source.slug in QUICK_SOURCES],
        deadline,
        settings.enrichment_parallelism,
        report,
        enough_quality=None if is_complete else ENOUGH_QUALITY,
        memo=memo_of(runtime),
    )


def _stored(runtime: Runtime, listed: Sequence[str], enrichment: Enrichment) -> Mapping[str, Row]:
    """What the stock table has by now, by NSE code; invented figures of the starter list not beside a source's."""
    with runtime.database.read() as session:
        stored = process_inputs.stored_rows(session, listed)
    return {
        code: row
        for code, row in stored.items()
        if code not in enrichment.records or text(row, DATA_SOURCES) != SAMPLE_SOURCE
    }


def summarise(
    rows: Sequence[Row],
    enrichment: Enrichment,
    problems: Sequence[Problem],
    skipped: Sequence[Problem],
    inputs: Inputs,
) -> dict[str, Any]:
    """The job's result. Its lists hold MOST_TOLD entries at most; the counts are complete."""
    reasons = [(row, enrichment.failures.get(text(row, NSE_CODE), NOT_LISTED)) for row in rows]
    left = [(row, reason) for row, reason in reasons if text(row, NSE_CODE) not in enrichment.records]
    files_skipped = [{"file": problem.source, "reason": problem.message} for problem in skipped]
    files_skipped += [{"file": refusal.file, "reason": refusal.reason} for refusal in inputs.refused]
    enriched = len(rows) - len(left)
    stocks = "1 stock" if len(rows) == 1 else f"{len(rows)} stocks"
    message = f"Analysis finished for {stocks}."
    if left:
        message += f" Without market data, on the figures we had: {len(left)}."
    if files_skipped:
        names = ", ".join(skip["file"] for skip in files_skipped[: refusals.MOST_TOLD])
        message += f" Files that could not be used: {len(files_skipped)} ({names})."
    return {
        "stocks": len(rows),
        "enriched": enriched,
        "not_enriched": [{"stock": text(row, STOCK_NAME), "reason": reason} for row, reason in left[:MOST_TOLD]],
        "not_enriched_count": len(left),
        "problems": [
            {"message": problem.message, "file": problem.source, "stock": problem.stock_name}
            for problem in problems[:MOST_TOLD]
        ],
        "problems_count": len(problems),
        "files_skipped": files_skipped[:MOST_TOLD],
        "message": message,
    }
