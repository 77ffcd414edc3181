"""What a database remembers of its own schema, on both engines."""

from dataclasses import dataclass

from sqlalchemy import Column, MetaData, String, Table, func

from klyx.database.types import UTCDateTime, utc_now

# PostgreSQL: a migration and the checksum of its file. SQLite: a table and that of its definition.
schema_migrations = Table(
    "schema_migrations",
    MetaData(),
    Column("version", String(255), primary_key=True),
    Column("checksum", String(64), nullable=False),
    Column("applied_at", UTCDateTime(), nullable=False, default=utc_now, server_default=func.now()),
)

ALREADY_SET_UP = "The database is already set up. Use `flask db migrate` to bring it up to date."


class MigrationError(Exception):
    """The schema cannot be changed as asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """What has been applied and what is missing: migrations on PostgreSQL, tables on SQLite."""

    dialect_name: str
    applied: tuple[str, ...]
    pending: tuple[str, ...]
