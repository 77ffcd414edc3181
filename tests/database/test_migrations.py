"""The runner, and the proof that all ways lead to one schema."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, text

from klyx.database import Database, DatabaseUnavailable
from klyx.database.migrations import (
    DEFAULT_FILES,
    SchemaFiles,
    initialise,
    migrate,
    prepare,
    status,
)
from klyx.database.models import Base
from klyx.database.schema_record import MigrationError, schema_migrations
from tests.database.conftest import OpenDatabase
from tests.servers import ThrowAwayPostgres

FIRST = "CREATE TABLE one (x integer);"
SECOND = "CREATE TABLE two (x integer); INSERT INTO two VALUES (length('100% %s'));"


def files_in(folder: Path, *migrations: str) -> SchemaFiles:
    """Migrations 0001, 0002, ... and a schema that is their sum."""
    (folder / "migrations").mkdir(exist_ok=True)
    for number, statements in enumerate(migrations, start=1):
        (folder / "migrations" / f"{number:04}_step.sql").write_text(statements)
    (folder / "schema.sql").write_text("\n".join(migrations))
    return SchemaFiles(folder / "schema.sql", folder / "migrations")


def dump_of(postgres: ThrowAwayPostgres, url: str) -> list[str]:
    """The schema statement by statement, without the noise of comments, settings and random keys."""
    lines = [
        line
        for line in postgres.dump_schema(url).splitlines()
        if line.strip() and not line.startswith(("--", "SET ", "SELECT pg_catalog", "\\restrict", "\\unrestrict"))
    ]
    return "\n".join(lines).split(";\n")


def created_tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names())


def test_schema_and_migrations_and_models_give_one_schema(
    postgres: ThrowAwayPostgres, open_database: OpenDatabase
) -> None:
    fresh, migrated, modelled = (postgres.create_database() for _ in range(3))
    initialise(open_database(fresh))
    assert migrate(open_database(migrated)) == tuple(DEFAULT_FILES.checksums())
    with open_database(modelled).begin() as session:
        Base.metadata.create_all(session.connection())
        schema_migrations.create(session.connection())

    expected = dump_of(postgres, fresh)
    assert len(expected) > 100
    assert dump_of(postgres, migrated) == expected
    assert dump_of(postgres, modelled) == expected


def test_screens_of_one_name_are_told_apart_on_the_way_up(
    empty_postgres_url: str, open_database: OpenDatabase, tmp_path: Path
) -> None:
    database = open_database(empty_postgres_url)
    before = files_in(tmp_path)
    for path in sorted(DEFAULT_FILES.migrations.glob("*.sql")):
        if path.stem < "0005":
            shutil.copy(path, before.migrations)
    migrate(database, before)
    with database.begin() as session:
        session.execute(text("INSERT INTO users (id, email, name, password_hash) VALUES ('u', 'e', 'n', 'h')"))
        for name in ("Cheap", "Cheap", "Dear"):
            screen = {"name": name, "filters": '[{"field": "pe_ttm"}]'}
            statement = "INSERT INTO user_screeners (user_id, name, filters) VALUES ('u', :name, :filters)"
            session.execute(text(statement), screen)
    assert "0005_saved_screens" in migrate(database)
    with database.read() as session:
        rows = session.execute(text("SELECT name, filters FROM user_screeners ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [
        (name, {"filters": [{"field": "pe_ttm"}]}) for name in ("Cheap", "Cheap (2)", "Dear")
    ]


def test_a_fresh_database_counts_as_having_every_migration(
    empty_postgres_url: str, open_database: OpenDatabase
) -> None:
    database = open_database(empty_postgres_url)
    versions = tuple(DEFAULT_FILES.checksums())
    assert status(database).pending == versions
    assert initialise(database) == versions
    found = status(database)
    assert (found.applied, found.pending) == (versions, ())
    assert migrate(database) == ()


def test_a_database_is_set_up_only_once(empty_postgres_url: str, open_database: OpenDatabase) -> None:
    database = open_database(empty_postgres_url)
    initialise(database)
    with pytest.raises(MigrationError, match="already set up"):
        initialise(database)


def test_a_database_of_something_else_is_left_alone(
    empty_postgres_url: str, open_database: OpenDatabase
) -> None:
    database = open_database(empty_postgres_url)
    with database.begin() as session:
        session.execute(text("CREATE TABLE foreigners (x integer)"))
    with pytest.raises(MigrationError, match="foreigners"):
        prepare(database)
    assert created_tables(database) == {"foreigners"}


def test_prepare_sets_up_and_later_migrates(
    empty_postgres_url: str, open_database: OpenDatabase, tmp_path: Path
) -> None:
    database = open_database(empty_postgres_url)
    assert prepare(database, files_in(tmp_path, FIRST)) == ("0001_step",)
    assert prepare(database, files_in(tmp_path, FIRST, SECOND)) == ("0002_step",)
    assert prepare(database, files_in(tmp_path, FIRST, SECOND)) == ()
    with database.read() as session:
        assert session.scalar(text("SELECT x FROM two")) == 7


def test_a_changed_migration_is_refused(
    empty_postgres_url: str, open_database: OpenDatabase, tmp_path: Path
) -> None:
    database = open_database(empty_postgres_url)
    migrate(database, files_in(tmp_path, FIRST))
    changed = files_in(tmp_path, FIRST + " -- later thought", SECOND)
    with pytest.raises(MigrationError, match="0001_step was changed after it had been applied"):
        migrate(database, changed)
    with pytest.raises(MigrationError, match="0001_step was changed"):
        status(database, changed)
    assert "two" not in created_tables(database)


def test_line_ends_do_not_change_a_migration(
    empty_postgres_url: str, open_database: OpenDatabase, tmp_path: Path
) -> None:
    database = open_database(empty_postgres_url)
    files = files_in(tmp_path, FIRST + "\n")
    migrate(database, files)
    (files.migrations / "0001_step.sql").write_bytes(FIRST.encode() + b"\r\n")
    assert migrate(database, files) == ()


def test_a_database_of_a_newer_version_is_refused(
    empty_postgres_url: str, open_database: OpenDatabase, tmp_path: Path
) -> None:
    database = open_database(empty_postgres_url)
    files = files_in(tmp_path, FIRST, SECOND)
    migrate(database, files)
    (files.migrations / "0002_step.sql").unlink()
    with pytest.raises(MigrationError, match="newer version"):
        migrate(database, files)


def test_a_failing_migration_leaves_nothing_of_itself(
    empty_postgres_url: str, open_database: OpenDatabase, tmp_path: Path
) -> None:
    database = open_database(empty_postgres_url)
    broken = "CREATE TABLE half (x integer); SELECT 1 / 0;"
    with pytest.raises(MigrationError, match=r"0002_step\.sql failed and was taken back: division by zero"):
        migrate(database, files_in(tmp_path, FIRST, broken))
    assert created_tables(database) == {"one", "schema_migrations"}
    assert status(database, files_in(tmp_path, FIRST, SECOND)).pending == ("0002_step",)
    assert migrate(database, files_in(tmp_path, FIRST, SECOND)) == ("0002_step",)


def test_a_migration_whose_connection_is_lost_is_unavailable(
    empty_postgres_url: str, open_database: OpenDatabase, tmp_path: Path
) -> None:
    database = open_database(empty_postgres_url)
    lost = "CREATE TABLE half (x integer); SELECT pg_terminate_backend(pg_backend_pid());"
    with pytest.raises(DatabaseUnavailable):
        migrate(database, files_in(tmp_path, lost))
    assert created_tables(database) == set()


def test_a_failing_schema_leaves_the_database_empty(
    empty_postgres_url: str, open_database: OpenDatabase, tmp_path: Path
) -> None:
    database = open_database(empty_postgres_url)
    with pytest.raises(MigrationError, match=r"schema\.sql failed"):
        initialise(database, files_in(tmp_path, FIRST, "nonsense"))
    assert created_tables(database) == set()


def test_runners_at_once_apply_each_migration_once(
    empty_postgres_url: str, open_database: OpenDatabase, tmp_path: Path
) -> None:
    files = files_in(tmp_path, *(f"CREATE TABLE t{n} (x integer); SELECT pg_sleep(0.05);" for n in range(6)))
    databases = [open_database(empty_postgres_url) for _ in range(3)]
    done: list[str] = []
    threads = [
        threading.Thread(target=lambda database=database: done.extend(migrate(database, files)))
        for database in databases
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == list(files.checksums())


def test_two_processes_may_prepare_one_database_at_once(
    empty_postgres_url: str, open_database: OpenDatabase
) -> None:
    databases = [open_database(empty_postgres_url) for _ in range(3)]
    threads = [threading.Thread(target=prepare, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert status(databases[0]).applied == tuple(DEFAULT_FILES.checksums())


def test_the_checks_of_the_schema_hold_at_the_database_itself(
    empty_postgres_url: str, open_database: OpenDatabase
) -> None:
    database = open_database(empty_postgres_url)
    initialise(database)
    for column, value, constraint in (
        ("pe_ttm", "'NaN'", "ck_stocks_no_nan"),
        ("market_cap", "'NaN'", "ck_stocks_no_nan"),
        ("momentum_score", "101", "ck_stocks_momentum_score_range"),
        ("rel_strength_score", "100", "ck_stocks_rel_strength_score_range"),
        ("nse_code", "'m&m'", "ck_stocks_nse_code_syntax"),
        ("nse_code", "''", "ck_stocks_nse_code_syntax"),
    ):
        with pytest.raises(Exception, match=constraint), database.begin() as session:
            session.execute(text(f"INSERT INTO stocks (stock_name, {column}) VALUES ('A', {value})"))
    with database.begin() as session:
        session.execute(insert(Base.metadata.tables["stocks"]).values(stock_name="A", nse_code="M&M-1_X"))
