"""The schema of a database: made new, brought up to date, or reported on.

PostgreSQL: a new database gets schema.sql and counts as having every migration; an existing one gets the
migrations it lacks, in order, each in one transaction. SQLite: see klyx.database.sqlite_schema.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from klyx.database import Database
from klyx.database.errors import DatabaseUnavailable
from klyx.database.schema_record import ALREADY_SET_UP, MigrationError, SchemaStatus, schema_migrations
from klyx.database.sqlite_schema import create_tables, outdated_tables, upgrade_tables

logger = logging.getLogger(__name__)

PROJECT_FOLDER = Path(__file__).parents[2]
# Any fixed number: it names the advisory lock under which schemas are changed.
LOCK_NAME = 5_001_800_018
# While a migration waits for a table, everybody else waits behind it.
LOCK_TIMEOUT = "30s"


@dataclass(frozen=True, slots=True)
class SchemaFiles:
    """Where the SQL lies: the whole schema, and the folder of the migrations that lead to it."""

    schema: Path = PROJECT_FOLDER / "schema.sql"
    migrations: Path = PROJECT_FOLDER / "migrations"

    def checksums(self) -> dict[str, str]:
        """The SHA-256 of each migration by its name, in the order of application."""
        # A checkout with other line ends holds the same migration.
        return {
            path.stem: hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
            for path in sorted(self.migrations.glob("*.sql"))
        }


DEFAULT_FILES = SchemaFiles()


def initialise(database: Database, files: SchemaFiles = DEFAULT_FILES) -> tuple[str, ...]:
    """Set up an empty database; returns the migrations (SQLite: tables) that it now has.

    Raises MigrationError, and changes nothing, when the database is not empty.
    """
    if database.dialect_name == "sqlite":
        return create_tables(database)
    with _schema_change(database) as connection:
        if _applied(connection):
            raise MigrationError(ALREADY_SET_UP)
        tables = set(inspect(connection).get_table_names()) - {schema_migrations.name}
        if tables:
            raise MigrationError(
                f"The database holds tables of something else ({', '.join(sorted(tables)[:5])}). "
                "Use an empty database."
            )
        _run_file(connection, files.schema)
        checksums = files.checksums()
        for version, checksum in checksums.items():
            connection.execute(insert(schema_migrations).values(version=version, checksum=checksum))
    return tuple(checksums)


def migrate(database: Database, files: SchemaFiles = DEFAULT_FILES) -> tuple[str, ...]:
    """Apply what is missing; returns the names of the migrations (SQLite: tables) concerned.

    Several runners at once wait for each other. A migration that fails leaves nothing of itself behind;
    those before it stay. Raises MigrationError for that, and when an applied file was changed or is gone.
    """
    if database.dialect_name == "sqlite":
        return upgrade_tables(database)
    done: list[str] = []
    while (version := _apply_next(database, files)) is not None:
        logger.info("migration applied", extra={"migration": version})
        done.append(version)
    return tuple(done)


def prepare(database: Database, files: SchemaFiles = DEFAULT_FILES) -> tuple[str, ...]:
    """Whatever brings the database up to date: set up when it is empty, migrated otherwise."""
    if database.dialect_name == "sqlite":
        return upgrade_tables(database)
    if not status(database, files).applied:
        try:
            return initialise(database, files)
        except MigrationError:
            # Unless another process was faster, the refusal stands.
            if not status(database, files).applied:
                raise
    return migrate(database, files)


def status(database: Database, files: SchemaFiles = DEFAULT_FILES) -> SchemaStatus:
    """What the database has and lacks. Raises MigrationError when an applied file was changed or is gone."""
    if database.dialect_name == "sqlite":
        current, outdated = outdated_tables(database)
        return SchemaStatus("sqlite", current, outdated)
    checksums = files.checksums()
    with database.read() as session:
        applied = _applied(session.connection())
    _check(applied, checksums)
    return SchemaStatus("postgresql", tuple(applied), tuple(v for v in checksums if v not in applied))


def _apply_next(database: Database, files: SchemaFiles) -> str | None:
    checksums = files.checksums()
    with _schema_change(database) as connection:
        # Read again under the lock: another runner may just have applied it.
        applied = _applied(connection)
        _check(applied, checksums)
        version = next((version for version in checksums if version not in applied), None)
        if version is not None:
            _run_file(connection, files.migrations / f"{version}.sql")
            connection.execute(insert(schema_migrations).values(version=version, checksum=checksums[version]))
    return version


@contextmanager
def _schema_change(database: Database) -> Iterator[Connection]:
    with database.begin() as session:
        connection = session.connection()
        connection.execute(select(func.set_config("statement_timeout", "0", True)))
        connection.execute(select(func.pg_advisory_xact_lock(LOCK_NAME)))
        connection.execute(select(func.set_config("lock_timeout", LOCK_TIMEOUT, True)))
        schema_migrations.create(connection, checkfirst=True)
        yield connection


def _applied(connection: Connection) -> dict[str, str]:
    if not inspect(connection).has_table(schema_migrations.name):
        return {}
    columns = schema_migrations.columns
    rows = connection.execute(select(columns.version, columns.checksum).order_by(columns.version))
    return {row.version: row.checksum for row in rows}


def _check(applied: dict[str, str], checksums: dict[str, str]) -> None:
    for version, checksum in applied.items():
        if version not in checksums:
            raise MigrationError(
                f"The database has migration {version}, which is not here: it belongs to a newer version of "
                "the application. Run that version."
            )
        if checksums[version] != checksum:
            raise MigrationError(
                f"Migration {version} was changed after it had been applied. Put the file back, and "
                "make the change in a new migration."
            )


def _run_file(connection: Connection, path: Path) -> None:
    try:
        # Without parameters the driver leaves every % of the file alone.
        connection.execution_options(no_parameters=True).exec_driver_sql(path.read_text(encoding="utf-8"))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseUnavailable from error
        raise MigrationError(f"{path.name} failed and was taken back: {str(error.orig).strip()}") from error
    finally:
        connection.execution_options(no_parameters=False)
