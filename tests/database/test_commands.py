"""`flask db init|migrate|status`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from klyx.config import Settings
from klyx.database.commands import database_commands
from klyx.runtime import Runtime, build_runtime
from klyx.stack.ports import free_port
from klyx.web import EXTENSION_KEY


@pytest.fixture
def runner_for(tmp_path: Path) -> Iterator[Callable[[str], FlaskCliRunner]]:
    runtimes: list[Runtime] = []

    def make(postgres_url: str) -> FlaskCliRunner:
        app = Flask("commands")
        settings = Settings(instance_folder=tmp_path / "instance", postgres_url=postgres_url)
        runtimes.append(build_runtime(settings))
        app.extensions[EXTENSION_KEY] = runtimes[-1]
        app.cli.add_command(database_commands)
        return app.test_cli_runner()

    yield make
    for runtime in runtimes:
        runtime.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def runner(request: pytest.FixtureRequest, runner_for: Callable[[str], FlaskCliRunner]) -> FlaskCliRunner:
    """Commands on a database without tables."""
    return runner_for(request.getfixturevalue("empty_postgres_url") if request.param == "postgresql" else "")


def test_a_database_is_set_up_and_reported_on(runner: FlaskCliRunner) -> None:
    before = runner.invoke(args=["db", "status"])
    assert before.exit_code == 1
    assert ", 0 pending" not in before.output
    assert "Run `flask db init`." in before.output

    assert "The database is set up" in runner.invoke(args=["db", "init"]).output
    after = runner.invoke(args=["db", "status"])
    assert (after.exit_code, ", 0 pending" in after.output) == (0, True)
    assert runner.invoke(args=["db", "migrate"]).output == "The database is up to date.\n"

    again = runner.invoke(args=["db", "init"])
    assert again.exit_code == 1
    assert "already set up" in again.output


def test_migrate_names_what_it_applied(runner: FlaskCliRunner) -> None:
    lines = runner.invoke(args=["db", "migrate"]).output.splitlines()
    assert {"applied 0001_initial", "applied stocks"} & set(lines)
    assert lines[-1] == "The database is up to date."


def test_an_unreachable_database_is_said_in_one_line(runner_for: Callable[[str], FlaskCliRunner]) -> None:
    done = runner_for(f"postgresql://x@127.0.0.1:{free_port()}/x").invoke(args=["db", "status"])
    assert done.exit_code == 1
    assert done.output == "Error: The database cannot be reached. Please try again in a moment.\n"
