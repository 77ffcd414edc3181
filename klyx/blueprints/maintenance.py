"""`/api/database/...` and `/api/migrate`: maintenance, with the worker's key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from klyx.blueprints.worker import KEY, start_run
from klyx.errors import Invalid
from klyx.openapi import Blueprint
from klyx.schemas.envelope import MessageSchema, success
from klyx.schemas.worker import (
    ExchangeQuery,
    MaintenanceEnrichSchema,
    MaintenanceRefreshAnswer,
    MaintenanceRefreshSchema,
    MarketRunAnswer,
    SchemaChangesAnswer,
)
from klyx.services import stocks
from klyx.services.market_runs.kinds import Selection
from klyx.services.market_runs.runs import Options
from klyx.services.schema_changes import bring_up_to_date
from klyx.web import runtime
from klyx.worker_key import require_key

blueprint = Blueprint("maintenance", __name__, url_prefix="/api", description="Maintenance of the database")
INCREMENTAL_STOCKS = 50


@blueprint.post("/database/init")
@blueprint.doc(**KEY)
@blueprint.response(200, MessageSchema)
def init() -> Mapping[str, Any]:
    """Set the database up; again without harm."""
    require_key()
    bring_up_to_date(runtime().database)
    return success(None, "The database is set up.")


@blueprint.post("/migrate")
@blueprint.doc(**KEY)
@blueprint.response(200, SchemaChangesAnswer)
def migrate() -> Mapping[str, Any]:
    """Bring the schema up to date."""
    require_key()
    return success(None, "The database is up to date.", results=bring_up_to_date(runtime().database))


@blueprint.post("/database/populate")
@blueprint.doc(**KEY)
@blueprint.arguments(ExchangeQuery, location="query")
@blueprint.response(202, MarketRunAnswer)
def populate(query: dict[str, str]) -> Mapping[str, Any]:
    """Start taking up the list of stocks."""
    require_key()
    if query["exchange"].strip().upper() != "NSE":
        raise Invalid("Only the exchange NSE is supported. Please leave `exchange` out or send NSE.")
    return start_run("populate", Options("key"))


@blueprint.post("/database/enrich")
@blueprint.doc(**KEY)
@blueprint.arguments(MaintenanceEnrichSchema, required=False)
@blueprint.response(202, MarketRunAnswer)
def enrich(options: dict[str, Any]) -> Mapping[str, Any]:
    """Start completing figures of a quality below 80 or older than a week."""
    require_key()
    return start_run("enrich", Options("key", Selection(limit=options["max_stocks"]), options["batch_size"]))


@blueprint.post("/database/refresh")
@blueprint.doc(**KEY)
@blueprint.arguments(MaintenanceRefreshSchema, required=False)
@blueprint.response(202, MaintenanceRefreshAnswer)
def refresh(options: dict[str, Any]) -> Mapping[str, Any]:
    """Start both: the list of stocks, and the figures of 50 stocks or, with `full`, of all stale ones."""
    require_key()
    limit = None if options["full"] else INCREMENTAL_STOCKS
    populated = start_run("populate", Options("key"))
    enriched = start_run("enrich", Options("key", Selection(limit=limit)))
    with runtime().database.read() as session:
        statistics = stocks.statistics(session)
    told = {"populate": populated["data"], "enrich": enriched["data"], "stats": asdict(statistics)}
    return success(told, "Both runs are on their way.")
