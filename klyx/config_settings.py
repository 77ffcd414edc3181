"""Every setting: its type, its bounds, its default and its environment variable."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import fields, validate

from klyx.config_chat import ChatOptions
from klyx.config_fields import Boolean, CommaSeparated, DatabaseUrl, FolderPath, RateLimit, setting
from klyx.config_market_runs import MarketRunOptions
from klyx.config_sources import SourceOptions

DEFAULT_ORIGINS = (
    "http://localhost:3000",
    "http://127.0.0.1:3000",
    "http://localhost:3001",
    "http://localhost:3005",
    "https://projectklyx.vercel.app",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SourceOptions, MarketRunOptions, ChatOptions):
    environment: str = setting(
        "FLASK_ENV",
        fields.String(validate=validate.OneOf(["development", "testing", "production"])),
        default="development",
        doc="`production` turns on HTTPS, HSTS, secure cookies and the refusal of weak secrets",
    )
    log_level: str = setting(
        "LOG_LEVEL",
        fields.String(validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])),
        default="INFO",
        doc="Least severe log line that is written",
    )
    instance_folder: Path = setting(
        "INSTANCE_FOLDER",
        FolderPath(),
        default=Path("instance"),
        doc="Where uploads, the embedded database, the embedded Redis and the development secret live",
    )

    jwt_secret_key: str = setting(
        "JWT_SECRET_KEY",
        fields.String(),
        default="",
        secret=True,
        doc="Signs tokens; at least 32 bytes; mandatory in production, made and kept in the instance folder elsewhere",
    )
    access_token_ttl_seconds: int = setting(
        "ACCESS_TOKEN_TTL_SECONDS",
        fields.Integer(validate=validate.Range(60, 7 * 86_400)),
        default=12 * 3600,
        doc="Life of an access token",
    )
    refresh_token_ttl_seconds: int = setting(
        "REFRESH_TOKEN_TTL_SECONDS",
        fields.Integer(validate=validate.Range(3600, 365 * 86_400)),
        default=30 * 86_400,
        doc="Life of a refresh token; each works once",
    )
    bcrypt_rounds: int = setting(
        "BCRYPT_ROUNDS",
        fields.Integer(validate=validate.Range(4, 16)),
        default=12,
        doc="Cost of a password hash (2^n rounds); 4 only in tests",
    )

    postgres_url: str = setting(
        "POSTGRES_URL",
        DatabaseUrl(),
        default="",
        secret=True,
        doc="`postgres://` or `postgresql://` URL; empty means the embedded SQLite file",
    )
    use_sqlite: bool = setting("USE_SQLITE", Boolean(), default=False, doc="Use SQLite even when POSTGRES_URL is set")
    database_pool_min: int = setting(
        "DATABASE_POOL_MIN",
        fields.Integer(validate=validate.Range(0, 100)),
        default=1,
        doc="PostgreSQL connections a process keeps open",
    )
    database_pool_max: int = setting(
        "DATABASE_POOL_MAX",
        fields.Integer(validate=validate.Range(1, 200)),
        default=10,
        doc="PostgreSQL connections a process opens at most",
    )
    database_pool_wait_seconds: float = setting(
        "DATABASE_POOL_WAIT_SECONDS",
        fields.Float(validate=validate.Range(0.05, 25)),
        default=3.0,
        doc="How long a request waits for a free connection before it is answered 503",
    )
    database_statement_timeout_seconds: float = setting(
        "DATABASE_STATEMENT_TIMEOUT_SECONDS",
        fields.Float(validate=validate.Range(0.1, 600)),
        default=20.0,
        doc="PostgreSQL cancels a longer statement",
    )

    redis_url: str = setting(
        "REDIS_URL",
        fields.String(
            validate=validate.Regexp(r"^(rediss?|unix)://.*", error="must start with redis://, rediss:// or unix://")
        ),
        default="redis://127.0.0.1:6379/0",
        secret=True,
        alias="KV_URL",
        doc="Queue and shared limits; `make run` starts a server of its own when it is unset",
    )
    redis_timeout_seconds: float = setting(
        "REDIS_TIMEOUT_SECONDS",
        fields.Float(validate=validate.Range(0.05, 10)),
        default=0.25,
        doc="Longest wait of a web request for Redis, per operation",
    )

    answer_cache_enabled: bool = setting(
        "ANSWER_CACHE_ENABLED", Boolean(), default=True, doc="Keep ready answers; `false` works each of them out anew"
    )
    cache_redis_url: str = setting(
        "CACHE_REDIS_URL",
        fields.String(
            validate=validate.Regexp(
                r"^(rediss?://|unix://|memory://$).*", error="must start with redis://, rediss:// or unix://"
            )
        ),
        default="",
        secret=True,
        doc="Redis for ready answers, best a server of its own with `allkeys-lru`; empty means database 1 of "
        "REDIS_URL's server, `memory://` that each process keeps its own",
    )
    cache_memory_bytes: int = setting(
        "CACHE_MEMORY_BYTES",
        fields.Integer(validate=validate.Range(0, 4 * 1024**3)),
        default=8 * 1024 * 1024,
        doc="Ready answers a web process holds in its own memory",
    )

    http_binds: tuple[str, ...] = setting(
        "HTTP_BINDS",
        CommaSeparated(fields.String(validate=validate.Regexp(r"^\S+:\d{1,5}$", error="must look like host:port"))),
        default=("127.0.0.1:5001",),
        doc="Addresses the web application listens on; the clients expect this port, and CHAT_BINDS",
    )
    web_workers: int = setting(
        "WEB_WORKERS", fields.Integer(validate=validate.Range(1, 64)), default=2, doc="gunicorn processes"
    )
    web_threads: int = setting(
        "WEB_THREADS",
        fields.Integer(validate=validate.Range(2, 256)),
        default=32,
        doc="Threads per gunicorn process; keep it above MAX_EVENT_STREAMS with headroom",
    )
    max_event_streams: int = setting(
        "MAX_EVENT_STREAMS",
        fields.Integer(validate=validate.Range(1, 200)),
        default=16,
        doc="Open event streams per process, 4 of them for one caller; one more is answered 503",
    )
    trusted_proxy_count: int = setting(
        "TRUSTED_PROXY_COUNT",
        fields.Integer(validate=validate.Range(0, 5)),
        default=0,
        doc="Proxies whose X-Forwarded-* headers are believed; 0 believes none",
    )
    force_https: bool = setting(
        "FORCE_HTTPS",
        Boolean(),
        default=True,
        doc="In production, redirect plain HTTP; turn off when callers on the same machine use the port directly",
    )
    cors_origins: tuple[str, ...] = setting(
        "CORS_ORIGIN",
        CommaSeparated(
            fields.String(validate=validate.Regexp(r"^https?://[^/*\s]+$", error="must be an exact origin"))
        ),
        default=DEFAULT_ORIGINS,
        doc="Exact origins browsers may call from, comma separated",
    )
    cors_preview_origin_pattern: str = setting(
        "CORS_PREVIEW_ORIGIN_PATTERN",
        fields.String(),
        default="",
        doc="Regular expression, anchored by us at both ends, for preview deployments; empty means none",
    )
    max_request_bytes: int = setting(
        "MAX_REQUEST_BYTES",
        fields.Integer(validate=validate.Range(1024, 100 * 1024 * 1024)),
        default=10 * 1024 * 1024,
        doc="Largest request body, JSON at most 1 MiB of it; the frontends' proxy refuses more than 10 MiB itself",
    )

    rate_limits_enabled: bool = setting(
        "RATE_LIMITS_ENABLED", Boolean(), default=True, doc="Turn all limits off with `false`"
    )
    rate_limit_storage_url: str = setting(
        "RATE_LIMIT_STORAGE_URL",
        fields.String(),
        default="",
        secret=True,
        doc="Where counts live; empty means REDIS_URL; `memory://` counts per process",
    )
    rate_limit_default: str = setting(
        "RATE_LIMIT_DEFAULT",
        RateLimit(),
        default="1200 per minute; 20000 per hour",
        doc="Every endpoint without a limit of its own, per web process and user, session or address",
    )
    rate_limit_login: str = setting(
        "RATE_LIMIT_LOGIN",
        RateLimit(),
        default="10 per minute; 60 per hour",
        doc="Failed logins per account and address",
    )
    rate_limit_login_account: str = setting(
        "RATE_LIMIT_LOGIN_ACCOUNT",
        RateLimit(),
        default="600 per hour",
        doc="Login attempts per account from all addresses; wide, because anybody may use it up for somebody else",
    )
    rate_limit_login_address: str = setting(
        "RATE_LIMIT_LOGIN_ADDRESS",
        RateLimit(),
        default="60 per minute; 600 per hour",
        doc="Failed logins per address; wide, because users behind one proxy share an address",
    )
    rate_limit_register: str = setting(
        "RATE_LIMIT_REGISTER", RateLimit(), default="20 per minute; 100 per hour", doc="Registrations per address"
    )
    rate_limit_upload: str = setting(
        "RATE_LIMIT_UPLOAD",
        RateLimit(),
        default="30 per minute; 300 per hour",
        doc="Uploads per user, session or address",
    )
    rate_limit_process: str = setting(
        "RATE_LIMIT_PROCESS",
        RateLimit(),
        default="30 per minute; 200 per hour",
        doc="Analyses per user, session or address",
    )
    rate_limit_multi_source: str = setting(
        "RATE_LIMIT_MULTI_SOURCE",
        RateLimit(),
        default="30 per minute; 300 per hour",
        doc="Questions to all market-data sources about one stock, per user, session or address",
    )

    workspace_max_files: int = setting(
        "WORKSPACE_MAX_FILES",
        fields.Integer(validate=validate.Range(1, 1000)),
        default=20,
        doc="Workbooks per workspace",
    )
    workspace_max_bytes: int = setting(
        "WORKSPACE_MAX_BYTES",
        fields.Integer(validate=validate.Range(1024)),
        default=50 * 1024 * 1024,
        doc="Bytes of workbooks per workspace",
    )
    anonymous_workspace_ttl_seconds: int = setting(
        "ANONYMOUS_WORKSPACE_TTL_SECONDS",
        fields.Integer(validate=validate.Range(60)),
        default=7 * 86_400,
        doc="An unused workspace without a user is deleted after this time",
    )
    user_workspace_ttl_seconds: int = setting(
        "USER_WORKSPACE_TTL_SECONDS",
        fields.Integer(validate=validate.Range(60)),
        default=180 * 86_400,
        doc="An unused workspace of a user is emptied after this time",
    )
    workbook_max_rows: int = setting(
        "WORKBOOK_MAX_ROWS",
        fields.Integer(validate=validate.Range(1, 100_000)),
        default=10_000,
        doc="Rows per workbook",
    )
    workbook_max_columns: int = setting(
        "WORKBOOK_MAX_COLUMNS",
        fields.Integer(validate=validate.Range(1, 2000)),
        default=400,
        doc="Columns per workbook",
    )
    workbook_max_uncompressed_bytes: int = setting(
        "WORKBOOK_MAX_UNCOMPRESSED_BYTES",
        fields.Integer(validate=validate.Range(1024)),
        default=100 * 1024 * 1024,
        doc="What a workbook may unpack to",
    )
    workbook_memory_bytes: int = setting(
        "WORKBOOK_MEMORY_BYTES",
        fields.Integer(validate=validate.Range(64 * 1024 * 1024)),
        default=512 * 1024 * 1024,
        doc="Address space of the process that reads a workbook",
    )
    workbook_seconds: float = setting(
        "WORKBOOK_SECONDS",
        fields.Float(validate=validate.Range(0.5, 25)),
        default=10.0,
        doc="Time the process that reads a workbook may take",
    )

    job_timeout_seconds: int = setting(
        "JOB_TIMEOUT_SECONDS",
        fields.Integer(validate=validate.Range(5, 7200)),
        default=900,
        doc="Longest run of one job",
    )
    job_lease_seconds: int = setting(
        "JOB_LEASE_SECONDS",
        fields.Integer(validate=validate.Range(2, 600)),
        default=20,
        doc="A job whose worker was silent for this long is taken up again",
    )
    job_max_attempts: int = setting(
        "JOB_MAX_ATTEMPTS",
        fields.Integer(validate=validate.Range(1, 50)),
        default=5,
        doc="Attempts before a job fails for good",
    )
    job_retention_seconds: int = setting(
        "JOB_RETENTION_SECONDS",
        fields.Integer(validate=validate.Range(60)),
        default=30 * 86_400,
        doc="Finished jobs are forgotten after this time",
    )
    scheduler_interval_seconds: float = setting(
        "SCHEDULER_INTERVAL_SECONDS",
        fields.Float(validate=validate.Range(0.1, 60)),
        default=5.0,
        doc="How often the scheduler looks for lost jobs and due tasks",
    )

    price_history_days: int = setting(
        "PRICE_HISTORY_DAYS",
        fields.Integer(validate=validate.Range(30, 7300)),
        default=1100,
        doc="Calendar days of daily prices that are fetched for a stock we have none of; 1100 tell a three-year change",
    )
    enrichment_deadline_seconds: float = setting(
        "ENRICHMENT_DEADLINE_SECONDS",
        fields.Float(validate=validate.Range(1, 3600)),
        default=120.0,
        doc="Time one analysis may spend asking market-data sources",
    )
    enrichment_parallelism: int = setting(
        "ENRICHMENT_PARALLELISM",
        fields.Integer(validate=validate.Range(1, 32)),
        default=8,
        doc="Stocks asked for at the same time",
    )

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def database_url(self) -> str:
        """URL of the database in use: PostgreSQL when given, else the SQLite file in the instance folder."""
        if self.postgres_url and not self.use_sqlite:
            return self.postgres_url
        return f"sqlite:///{(self.instance_folder / 'klyx.sqlite3').resolve()}"

    @property
    def cache_url(self) -> str | None:
        """URL of the Redis for ready answers; None when each process keeps its own."""
        if self.cache_redis_url == "memory://":
            return None
        if self.cache_redis_url:
            return self.cache_redis_url
        if self.redis_url.startswith("unix://"):
            return self.redis_url
        return urlsplit(self.redis_url)._replace(path="/1").geturl()


def setting_fields() -> dict[str, dataclasses.Field[Any]]:
    """The settings by environment variable, in the order of the table in the README."""
    return {field.metadata["env"]: field for field in dataclasses.fields(Settings)}
