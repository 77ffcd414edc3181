"""What the database package needs to know, apart from the application's own settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """`url` is `sqlite:///path`, `postgres://...` or `postgresql://...`; pools apply to one process.

    `pool_min` idle connections are kept however long they are unused; the others are closed after
    `pool_max_idle_seconds`. Every connection is replaced once it is `pool_max_age_seconds` old.
    """

    url: str
    pool_min: int = 1
    pool_max: int = 10
    pool_wait_seconds: float = 3.0
    pool_max_idle_seconds: float = 300.0
    pool_max_age_seconds: float = 3600.0
    statement_timeout_seconds: float = 20.0
    sqlite_busy_timeout_seconds: float = 5.0
    application_name: str = "klyx"
