"""Looking for the statements of one stock while somebody waits for them."""

from __future__ import annotations

from typing import cast

from jobs.market_data import sources_of
from klyx.database.versions import FUNDAMENTALS
from klyx.runtime import Runtime
from klyx.services import fundamentals, jobs
from klyx.services.jobs import Lease, ProgressReporter
from klyx.sources.base import Deadline, StatementKind, StatementSource

# The request that waits gives up a little later.
DEADLINE_SECONDS = 15.0
NO_SOURCE = "No source of statements is switched on, so none can be fetched."
FAILED = "The statements cannot be fetched just now. Please try again in a minute."


def run(runtime: Runtime, lease: Lease, progress: ProgressReporter) -> None:
    """Keeps what is found, with the end of the job. Nothing outside is asked inside a transaction."""
    symbol, kind = str(lease.arguments["symbol"]), cast(StatementKind, lease.arguments["type"])
    progress.report(0, 1, "Looking for the statements.")
    sources = sources_of(runtime).giving(StatementSource)  # type: ignore[type-abstract]
    found = fundamentals.search(sources, symbol, kind, Deadline(DEADLINE_SECONDS))
    progress.check()
    with runtime.database.begin(FUNDAMENTALS) as session:
        if not sources:
            jobs.fail(session, lease, NO_SOURCE)
        elif found.has_failed:
            jobs.fail(session, lease, FAILED)
        else:
            fundamentals.store(session, found)
            jobs.complete(session, lease, {"found": found.statements is not None, "asked": dict(found.outcomes)})
