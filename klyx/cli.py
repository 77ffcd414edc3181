"""Commands: `flask db init|migrate|status`."""

from __future__ import annotations

from flask import Flask

from klyx.database.commands import database_commands


def register_commands(app: Flask) -> None:
    app.cli.add_command(database_commands)
