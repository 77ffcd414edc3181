"""Commands: `flask db init|migrate|status`."""

from collections.abc import Callable
from typing import TypeVar

import click
from flask.cli import AppGroup

from klyx.database import Database
from klyx.database.migrations import initialise, migrate, status
from klyx.database.schema_record import MigrationError
from klyx.errors import KlyxError
from klyx.web import runtime

Result = TypeVar("Result")

database_commands = AppGroup("db", help="The database schema.")


@database_commands.command("init")
def init_command() -> None:
    """Set up an empty database."""
    done = _run(initialise)
    click.echo(f"The database is set up ({len(done)} {_unit()}).")


@database_commands.command("migrate")
def migrate_command() -> None:
    """Apply what the database lacks."""
    done = _run(migrate)
    for name in done:
        click.echo(f"applied {name}")
    click.echo("The database is up to date.")


@database_commands.command("status")
def status_command() -> None:
    """Say what the database has and lacks; exit code 1 when something is pending."""
    found = _run(status)
    click.echo(f"{found.dialect_name}: {len(found.applied)} {_unit()} applied, {len(found.pending)} pending")
    for name in found.applied:
        click.echo(f"  applied  {name}")
    for name in found.pending:
        click.echo(f"  pending  {name}")
    if found.pending:
        command = "migrate" if found.applied else "init"
        click.echo(f"Run `flask db {command}`.")
        raise SystemExit(1)


def _run(action: Callable[[Database], Result]) -> Result:
    try:
        return action(runtime().database)
    except (MigrationError, KlyxError) as error:
        raise click.ClickException(str(error)) from error


def _unit() -> str:
    return "tables" if runtime().database.dialect_name == "sqlite" else "migrations"
