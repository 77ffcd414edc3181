"""`python -m klyx.stack.prepare_database`: the schema brought up to date, and a first list of stocks in it."""

from __future__ import annotations

import sys

import click
from sqlalchemy import select

from klyx.bundled import read_starter_list
from klyx.config import ConfigurationError, load_settings
from klyx.database import Database
from klyx.database.migrations import prepare
from klyx.database.models import Stock
from klyx.database.schema_record import MigrationError
from klyx.database.starter import load_starter_list
from klyx.errors import KlyxError
from klyx.logs import configure_logging
from klyx.runtime import build_runtime
from klyx.services.market_data.scores import recompute_scores


def prepare_database(database: Database) -> None:
    """Makes or migrates the schema; a database without any stock gets the starter list."""
    done = prepare(database)
    if done:
        click.echo(f"klyx: The database has {len(done)} new parts of its schema.", err=True)
    with database.begin() as session:
        is_empty = session.scalar(select(Stock.id).limit(1)) is None
        count = load_starter_list(session, read_starter_list()) if is_empty else 0
    if count:
        recompute_scores(database)
        click.echo(f"klyx: The database has a starter list of {count} stocks; its figures are samples.", err=True)


def main() -> int:
    try:
        settings = load_settings()
        configure_logging(settings.log_level)
        runtime = build_runtime(settings)
        try:
            prepare_database(runtime.database)
        finally:
            runtime.close()
    except (ConfigurationError, MigrationError, KlyxError) as error:
        click.echo(f"klyx: {error}", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
