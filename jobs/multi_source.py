"""Asking all sources about one stock while somebody waits for it."""

from __future__ import annotations

from jobs.market_data import memo_of, sources_of
from klyx.runtime import Runtime
from klyx.services import jobs, multi_source
from klyx.services.jobs import Lease, ProgressReporter
from klyx.services.market_data.gather import gather
from klyx.sources.base import Deadline

# The request that waits gives up a little later.
DEADLINE_SECONDS = 15.0
NO_SOURCE = "No market-data source is switched on, so none can be asked."
FAILED = "No market-data source answered. Please try again in a minute."


def run(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    """The answer becomes the job's result. Nothing outside is asked inside a transaction."""
    progress.report(0, 1, "Asking the market-data sources.")
    sources = sources_of(runtime).quotes
    gathered = gather(str(lease.arguments["symbol"]), sources, Deadline(DEADLINE_SECONDS), memo=memo_of(runtime))
    progress.check()
    with runtime.database.begin() as session:
        if not sources:
            jobs.fail(session, lease, NO_SOURCE)
        elif not gathered.records:
            jobs.fail(session, lease, FAILED)
        else:
            jobs.complete(session, lease, multi_source.answer_of(gathered), "Asked the market-data sources.")
