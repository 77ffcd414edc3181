"""The schema of a SQLite file: made from the models, and rebuilt table by table when a model has changed.

SQLite cannot add a check or change a column, so a table whose definition differs is renamed, made anew,
filled from the old one and dropped, all in one transaction. `schema_migrations` keeps, for each table, the
SHA-256 of the statements that made it.
"""

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Table, create_mock_engine, delete, insert, inspect, select, text
from sqlalchemy import MetaData as SeparateMetaData
from sqlalchemy.exc import IntegrityError

from klyx.database import Database
from klyx.database.engine import sqlite_engine
from klyx.database.models import Base
from klyx.database.schema_record import ALREADY_SET_UP, MigrationError, schema_migrations

logger = logging.getLogger(__name__)

_BESIDE_A_TABLE = re.compile(r"\s*CREATE\s+(VIEW|TRIGGER)\s+(\w+)", re.IGNORECASE)


def outdated_tables(database: Database) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tables that are as the models say, and those that are missing or different."""
    with _schema_connection(database) as connection:
        recorded = _recorded(connection)
    outdated = tuple(t.name for t in Base.metadata.sorted_tables if recorded.get(t.name) != _checksum(t))
    current = tuple(t.name for t in Base.metadata.sorted_tables if t.name not in outdated)
    return current, outdated


def create_tables(database: Database) -> tuple[str, ...]:
    """Make every table in an empty file; MigrationError when it is not empty."""
    with _schema_connection(database) as connection:
        if inspect(connection).get_table_names():
            raise MigrationError(ALREADY_SET_UP)
        return _upgrade(connection)


def upgrade_tables(database: Database) -> tuple[str, ...]:
    """Make missing tables and rebuild different ones, keeping their rows; returns their names.

    Raises MigrationError, and changes nothing, when rows break a rule that is new.
    """
    with _schema_connection(database) as connection:
        return _upgrade(connection)


@contextmanager
def _schema_connection(database: Database) -> Iterator[Connection]:
    url = database.engine.url
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    # Dropping a table whose rows others refer to would delete those too, were foreign keys on.
    engine = sqlite_engine(url, database.settings, foreign_keys=False)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _upgrade(connection: Connection) -> tuple[str, ...]:
    schema_migrations.create(connection, checkfirst=True)
    recorded = _recorded(connection)
    present = set(inspect(connection).get_table_names())
    changed: list[str] = []
    for table in Base.metadata.sorted_tables:
        checksum = _checksum(table)
        if recorded.get(table.name) == checksum:
            continue
        if table.name in present:
            _rebuild(connection, table)
        else:
            table.create(connection, checkfirst=False)
        connection.execute(delete(schema_migrations).where(schema_migrations.c.version == table.name))
        connection.execute(insert(schema_migrations).values(version=table.name, checksum=checksum))
        changed.append(table.name)
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if dangling is not None:
        raise MigrationError(f"A row of {dangling[0]} refers to a row of {dangling[2]} that does not exist.")
    logger.info("SQLite schema brought up to date", extra={"tables": changed})
    return tuple(changed)


def _rebuild(connection: Connection, table: Table) -> None:
    quote = connection.dialect.identifier_preparer.quote
    for kind, name in filter(None, (_beside(statement) for statement in _definition(table))):
        connection.exec_driver_sql(f"DROP {kind} IF EXISTS {quote(name)}")
    # Those without SQL of their own belong to a constraint.
    indexes = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = :name AND sql IS NOT NULL"
    for name in connection.scalars(text(indexes), {"name": table.name}).all():
        connection.exec_driver_sql(f"DROP INDEX {quote(name)}")
    names = [column["name"] for column in inspect(connection).get_columns(table.name)]
    old = Table(f"{table.name}_before", SeparateMetaData(), *(Column[Any](name) for name in names))
    # The old way of renaming leaves the references of other tables on the name, which the new table takes.
    connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")
    connection.exec_driver_sql(f"ALTER TABLE {quote(table.name)} RENAME TO {quote(old.name)}")
    connection.exec_driver_sql("PRAGMA legacy_alter_table = OFF")
    table.create(connection, checkfirst=False)
    kept = [name for name in names if name in table.columns]
    try:
        connection.execute(insert(table).from_select(kept, select(*(old.columns[name] for name in kept))))
    except IntegrityError as error:
        raise MigrationError(f"Rows of {table.name} break a rule that is new: {error.orig}") from error
    connection.exec_driver_sql(f"DROP TABLE {quote(old.name)}")


def _recorded(connection: Connection) -> dict[str, str]:
    if not inspect(connection).has_table(schema_migrations.name):
        return {}
    rows = connection.execute(select(schema_migrations.c.version, schema_migrations.c.checksum))
    return {row.version: row.checksum for row in rows}


def _definition(table: Table) -> list[str]:
    """The statements that make a table with all that belongs to it."""
    statements: list[str] = []

    def note(statement: Any, *_arguments: Any, **_options: Any) -> None:
        statements.append(str(statement.compile(dialect=recorder.dialect)))

    recorder = create_mock_engine("sqlite://", note)
    table.create(recorder, checkfirst=False)
    # Indexes come in no fixed order.
    return sorted(statements)


def _checksum(table: Table) -> str:
    return hashlib.sha256("\n".join(_definition(table)).encode()).hexdigest()


def _beside(statement: str) -> tuple[str, str] | None:
    found = _BESIDE_A_TABLE.match(statement)
    return (found[1], found[2]) if found else None
