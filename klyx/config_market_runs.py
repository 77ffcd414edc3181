"""Settings of the runs that fetch market data: how they go, when they begin, and who may begin them."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import fields, validate

from klyx.config_fields import Boolean, ScheduleText, setting


@dataclass(frozen=True, kw_only=True)
class MarketRunOptions:
    """Part of `klyx.config.Settings`."""

    market_run_parallelism: int = setting(
        "MARKET_RUN_PARALLELISM",
        fields.Integer(validate=validate.Range(1, 32)),
        default=8,
        doc="Stocks a worker asks for at the same time in a run of market data",
    )
    populate_schedule: str = setting(
        "POPULATE_SCHEDULE", ScheduleText(), default="Sun 14:00", doc="When the list of stocks is taken up, UTC"
    )
    refresh_schedule: str = setting(
        "REFRESH_SCHEDULE", ScheduleText(), default="Mon-Fri 13:00", doc="When the day's prices are fetched, UTC"
    )
    technicals_schedule: str = setting(
        "TECHNICALS_SCHEDULE", ScheduleText(), default="after refresh", doc="When indicators are worked out"
    )
    enrich_schedule: str = setting(
        "ENRICH_SCHEDULE", ScheduleText(), default="Sat 14:00", doc="When stale figures are fetched anew, UTC"
    )
    fundamentals_schedule: str = setting(
        "FUNDAMENTALS_SCHEDULE", ScheduleText(), default="Sun 16:00", doc="When statements are fetched, UTC"
    )
    news_schedule: str = setting("NEWS_SCHEDULE", ScheduleText(), default="daily 02:00", doc="When news is read, UTC")
    cleaning_schedule: str = setting(
        "CLEANING_SCHEDULE", ScheduleText(), default="daily 20:30", doc="When what is old is forgotten, UTC"
    )
    worker_api_key: str = setting(
        "WORKER_API_KEY",
        fields.String(validate=validate.Length(min=16, error="must have at least 16 characters")),
        default="",
        secret=True,
        doc="What `X-API-Key` must be for `/worker/*` and the maintenance endpoints; without it they are refused",
    )
    worker_key_required: bool = setting(
        "WORKER_KEY_REQUIRED",
        Boolean(),
        default=False,
        doc="Refuse `/worker/refresh`, `enrich` and `sync-fundamentals` too when they come without the key",
    )
    worker_kick_interval_seconds: int = setting(
        "WORKER_KICK_INTERVAL_SECONDS",
        fields.Integer(validate=validate.Range(1, 86_400)),
        default=600,
        doc="Least time between two runs of a kind that are started without the key",
    )
