from __future__ import annotations

from marshmallow import Schema, fields

from klyx.schemas.envelope import UtcDateTime, envelope
from klyx.schemas.stocks import MAX_OFFSET, ClampedInteger
from klyx.services.market_runs.kinds import DEFAULT_BATCH_SIZE, LARGEST_BATCH_SIZE

MAX_STOCKS = 100_000


class BatchSchema(Schema):
    batch_size = ClampedInteger(1, LARGEST_BATCH_SIZE, load_default=DEFAULT_BATCH_SIZE)
    offset = ClampedInteger(0, MAX_OFFSET, load_default=0)
    max_stocks = ClampedInteger(1, MAX_STOCKS, load_default=None, allow_none=True)


class MarketRunSummarySchema(Schema):
    """How far the run is, at the moment of the answer."""

    state = fields.String(metadata={"enum": ["running", "success", "partial", "failed"]})
    inserted = fields.Integer(metadata={"description": "populate"})
    updated = fields.Integer(metadata={"description": "populate and refresh"})
    enriched = fields.Integer(metadata={"description": "enrich"})
    synced = fields.Integer(metadata={"description": "sync-fundamentals"})
    failed = fields.Integer()
    total = fields.Integer(metadata={"description": "0 until the run is planned"})
    batch_size = fields.Integer(metadata={"description": "sync-fundamentals"})
    offset = fields.Integer(metadata={"description": "sync-fundamentals"})
    details = fields.List(fields.Dict(keys=fields.String(), values=fields.String()))
    run_id = fields.Integer(metadata={"description": "Only with the key"})


class MarketRunsQuery(Schema):
    limit = ClampedInteger(1, 200, load_default=50)
    offset = ClampedInteger(0, MAX_OFFSET, load_default=0)


class MarketRunSchema(Schema):
    id = fields.Integer()
    kind = fields.String()
    title = fields.String()
    state = fields.String(metadata={"enum": ["running", "success", "partial", "failed"]})
    started_by = fields.String()
    started_at = UtcDateTime()
    completed_at = UtcDateTime(allow_none=True)
    duration_seconds = fields.Integer(allow_none=True)
    updated = fields.Integer()
    failed = fields.Integer()
    total = fields.Integer(allow_none=True)
    percent = fields.Integer()
    message = fields.String()
    failures = fields.Dict(metadata={"description": "Source -> kind of failure -> count"})
    failed_stocks = fields.List(fields.Dict(), metadata={"description": "The first ones, with their reasons"})


class SourceUseSchema(Schema):
    source = fields.String()
    requests = fields.Integer()
    failures = fields.Dict(metadata={"description": "Kind of failure -> count"})
    seconds_waited = fields.Float(metadata={"description": "For the requests' turns"})
    seconds_asked = fields.Float(metadata={"description": "For the answers"})


class SourceUseQuery(Schema):
    day = fields.Date(load_default=None, metadata={"description": "UTC; today, or one of the last seven days"})


class SchemaChangeSchema(Schema):
    migration = fields.Raw(metadata={"description": "Number; on SQLite the name of a table"})
    status = fields.String(metadata={"enum": ["success", "skipped"]})
    reason = fields.String()


MarketRunAnswer = envelope("MarketRunAnswer", MarketRunSummarySchema)
MarketRunsAnswer = envelope("MarketRunsAnswer", fields.List(fields.Nested(MarketRunSchema)))
SourceUseAnswer = envelope("SourceUseAnswer", fields.List(fields.Nested(SourceUseSchema)))
SchemaChangesAnswer = envelope("SchemaChangesAnswer", None, results=fields.List(fields.Nested(SchemaChangeSchema)))


class ExchangeQuery(Schema):
    exchange = fields.String(load_default="NSE")


class MaintenanceEnrichSchema(Schema):
    batch_size = ClampedInteger(1, LARGEST_BATCH_SIZE, load_default=10)
    max_stocks = ClampedInteger(1, MAX_STOCKS, load_default=None, allow_none=True)


class MaintenanceRefreshSchema(Schema):
    full = fields.Boolean(load_default=False)


class MaintenanceStatisticsSchema(Schema):
    total_stocks = fields.Integer()
    high_quality_stocks = fields.Integer()
    avg_quality = fields.Float()
    last_updated = UtcDateTime(allow_none=True)


class MaintenanceRefreshResultSchema(Schema):
    populate = fields.Nested(MarketRunSummarySchema)
    enrich = fields.Nested(MarketRunSummarySchema)
    stats = fields.Nested(MaintenanceStatisticsSchema)


MaintenanceRefreshAnswer = envelope("MaintenanceRefreshAnswer", MaintenanceRefreshResultSchema)
