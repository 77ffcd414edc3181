"""Commands: `flask db`, `flask cache` and `flask stocks`."""

from __future__ import annotations

from flask import Flask

from klyx.caching.commands import cache_commands
from klyx.database.commands import database_commands
from klyx.stock_commands import stock_commands


def register_commands(app: Flask) -> None:
    app.cli.add_command(database_commands)
    app.cli.add_command(cache_commands)
    app.cli.add_command(stock_commands)
