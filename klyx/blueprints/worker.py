"""`/worker/...`: what cron callers and operators start. It enqueues and answers; workers do the work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Response, make_response, render_template, request

from jobs.queue import enqueue
from klyx.database.types import utc_now
from klyx.errors import Invalid, Unauthorized
from klyx.openapi import Blueprint
from klyx.schemas.envelope import success
from klyx.schemas.worker import (
    BatchSchema,
    MarketRunAnswer,
    MarketRunsAnswer,
    MarketRunsQuery,
    SchemaChangesAnswer,
    SourceUseAnswer,
    SourceUseQuery,
)
from klyx.services.market_runs import listing, starting
from klyx.services.market_runs.kinds import Selection
from klyx.services.market_runs.names import RUN_JOB
from klyx.services.market_runs.runs import Options
from klyx.services.market_runs.starting import Begun
from klyx.services.schema_changes import bring_up_to_date
from klyx.services.source_figures import use_of
from klyx.web import runtime
from klyx.worker_key import NO_KEY, has_key, require_key, require_key_of_person

blueprint = Blueprint("worker", __name__, url_prefix="/worker", description="Runs of market data")
TRIGGERS = ("enrich", "populate", "refresh", "technicals", "fundamentals", "news")
KEY: dict[str, Any] = {"security": [{"worker_key": []}]}
KEY_OR_KICK: dict[str, Any] = {"security": [{"worker_key": []}, {}]}


@blueprint.after_request
def keep_private(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@blueprint.post("/refresh")
@blueprint.doc(**KEY_OR_KICK)
@blueprint.arguments(BatchSchema, required=False)
@blueprint.response(202, MarketRunAnswer)
def refresh(_options: dict[str, Any]) -> Mapping[str, Any]:
    """Start fetching the day's prices. Without the key: one at a time, and none soon after another."""
    return _start_or_kick("refresh", Options("key"), 1)


@blueprint.post("/enrich")
@blueprint.doc(**KEY_OR_KICK)
@blueprint.arguments(BatchSchema, required=False)
@blueprint.response(202, MarketRunAnswer)
def enrich(options: dict[str, Any]) -> Mapping[str, Any]:
    """Start completing stale figures: all of them, or of `max_stocks`, with `batch_size` stocks to a job.

    Without the key only `batch_size` counts: so many stocks, 50 at least and 100 at most.
    """
    selection = Selection(options["offset"], options["max_stocks"])
    return _start_or_kick("enrich", Options("key", selection, options["batch_size"]), options["batch_size"])


@blueprint.post("/sync-fundamentals")
@blueprint.doc(**KEY_OR_KICK)
@blueprint.arguments(BatchSchema, required=False)
@blueprint.response(202, MarketRunAnswer)
def sync_fundamentals(options: dict[str, Any]) -> Mapping[str, Any]:
    """Start fetching the statements of `batch_size` stocks, the largest first.

    With an `offset` it counts all stocks, and those whose statements are fresh are left out of the page.
    """
    selection = Selection(options["offset"], options["max_stocks"] or options["batch_size"])
    return _start_or_kick("fundamentals", Options("key", selection), options["batch_size"])


@blueprint.post("/populate")
@blueprint.doc(**KEY)
@blueprint.response(202, MarketRunAnswer)
def populate() -> Mapping[str, Any]:
    """Start taking up the exchange's list of stocks."""
    require_key()
    return start_run("populate", Options("key"))


@blueprint.post("/trigger/<task>")
@blueprint.doc(**KEY)
@blueprint.response(202, MarketRunAnswer)
def trigger(task: str) -> Mapping[str, Any]:
    """Start any kind of run by its name."""
    require_key()
    if task not in TRIGGERS:
        raise Invalid(f"There is no such task. Please choose one of: {', '.join(TRIGGERS)}.")
    return start_run(task, Options("key"))


@blueprint.post("/migrate")
@blueprint.doc(**KEY)
@blueprint.response(200, SchemaChangesAnswer)
def migrate() -> Mapping[str, Any]:
    """Bring the schema up to date."""
    require_key()
    return success(None, "The database is up to date.", results=bring_up_to_date(runtime().database))


@blueprint.get("/runs")
@blueprint.doc(**KEY)
@blueprint.arguments(MarketRunsQuery, location="query")
@blueprint.response(200, MarketRunsAnswer)
def list_runs(page: dict[str, int]) -> Mapping[str, Any] | Response:
    """Runs, the newest first: JSON, and a page for a browser, which asks for the key as a password."""
    require_key_of_person()
    with runtime().database.read() as session:
        found = listing.told_runs(session, page["limit"], page["offset"])
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return make_response(render_template("worker_runs.html", runs=found))
    return success(found)


@blueprint.get("/sources")
@blueprint.doc(**KEY)
@blueprint.arguments(SourceUseQuery, location="query")
@blueprint.response(200, SourceUseAnswer)
def list_sources(query: dict[str, date | None]) -> Mapping[str, Any]:
    """How often each market-data source was asked on a day, what failed, and how long it took."""
    require_key_of_person()
    return success(use_of(runtime().redis, query["day"] or utc_now().date()))


def _start_or_kick(kind: str, options: Options, batch_size: int) -> Mapping[str, Any]:
    if has_key():
        return start_run(kind, options)
    settings = runtime().settings
    if settings.worker_key_required:
        raise Unauthorized(NO_KEY)
    with runtime().database.begin() as session:
        begun = starting.kick(session, settings, kind, batch_size)
    _enqueue(begun)
    return success(begun.summary, begun.message)


def start_run(kind: str, options: Options) -> Mapping[str, Any]:
    """Start a run for a caller with the key."""
    with runtime().database.begin() as session:
        begun = starting.begin(session, runtime().settings, kind, options)
    _enqueue(begun)
    return success({**begun.summary, "run_id": begun.run.id}, begun.message)


def _enqueue(begun: Begun) -> None:
    if begun.is_new:
        enqueue(runtime(), str(begun.run.job_id), RUN_JOB)
