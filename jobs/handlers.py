"""Which function runs which kind of job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from klyx.runtime import Runtime
from klyx.services.jobs import Lease, ProgressReporter

# A handler ends the job itself, with jobs.complete or jobs.fail in the transaction that writes the effects.
Handler = Callable[[Runtime, Lease, ProgressReporter], None]

# By name, so that enqueueing a job does not import what runs it.
HANDLERS: Mapping[str, str] = {
    "process": "jobs.process:run",
    "market_run": "jobs.market_runs:run",
    "market_batch": "jobs.market_batches:run",
    "fundamentals_lookup": "jobs.fundamentals:run",
    "multi_source_lookup": "jobs.multi_source:run",
}


def load_handler(handlers: Mapping[str, str], kind: str) -> Handler | None:
    """The function for a kind of job, or None for a kind this version does not know."""
    if kind not in handlers:
        return None
    module, _, name = handlers[kind].partition(":")
    handler: Handler = getattr(import_module(module), name)
    return handler
