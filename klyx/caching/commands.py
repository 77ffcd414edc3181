"""Commands: `flask cache forget`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from klyx.database.versions import FUNDAMENTALS, PRICES, STOCKS, mark_changed
from klyx.web import runtime

cache_commands = AppGroup("cache", help="Ready answers.")


@cache_commands.command("forget")
def forget_command() -> None:
    """Let no answer be served that was made before; for data that was changed by hand."""
    namespaces = (STOCKS, FUNDAMENTALS, PRICES)
    with runtime().database.begin(*namespaces) as session:
        for namespace in namespaces:
            mark_changed(session, namespace)
    click.echo("What was kept is forgotten. Portfolios are kept for a minute at most.")
