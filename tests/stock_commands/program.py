"""`python -m tests.stock_commands.program stocks test ...`: the commands, with the kind of run of the tests."""

from __future__ import annotations

from flask.cli import FlaskGroup

from klyx import create_app, stock_commands
from klyx.services.market_runs.kinds import RUN_KINDS
from tests.jobs.run_kinds import KIND, TEST_KIND

if __name__ == "__main__":
    RUN_KINDS[KIND] = TEST_KIND
    stock_commands.HELP[KIND] = "Test"
    stock_commands._command(KIND)
    FlaskGroup(create_app=create_app).main(prog_name="flask")
