"""Commands: `flask stocks populate|refresh|enrich|technicals|fundamentals|news|runs`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import click
from flask.cli import AppGroup

from klyx.errors import KlyxError
from klyx.runtime import Runtime
from klyx.services.market_runs import listing, starting
from klyx.services.market_runs.kinds import (
    DEFAULT_BATCH_SIZE,
    LARGEST_BATCH_SIZE,
    RUN_KINDS,
    NothingFetched,
    RunKind,
    Selection,
    StockWork,
)
from klyx.services.market_runs.names import RUN_JOB
from klyx.services.market_runs.runs import Options
from klyx.stock_commands.following import Follower
from klyx.stock_commands.texts import preview_lines, run_lines, summary_lines
from klyx.web import runtime

stock_commands = AppGroup("stocks", help="Fetch market data, and see how it went.")
INTERRUPTED_STATUS = 130
HELP = {
    "populate": "Take up the exchange's list of stocks with their sectors.",
    "refresh": "Fetch the day's prices of the whole exchange.",
    "enrich": "Complete figures of a quality below 80 or older than a week.",
    "technicals": "Fetch daily prices and work out technical indicators.",
    "fundamentals": "Fetch yearly statements, standalone and consolidated.",
    "news": "Read headlines and their sentiment.",
}
WHOLE = ("populate", "refresh")
_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option("--limit", type=click.IntRange(1), help="So many stocks at most, the largest companies first."),
    click.option("--offset", type=click.IntRange(0), default=0, help="Leave so many of the largest out."),
    click.option("--all", "everything", is_flag=True, help="Also stocks whose figures are fresh."),
    click.option(
        "--batch-size",
        type=click.IntRange(1, LARGEST_BATCH_SIZE),
        default=DEFAULT_BATCH_SIZE,
        show_default=True,
        help="Stocks a worker takes at a time.",
    ),
)


def _command(kind: str) -> click.Command:
    def command(*, dry_run: bool, detach: bool, batch_size: int = DEFAULT_BATCH_SIZE, **selection: Any) -> None:
        _run(kind, Options("command", Selection(**selection), batch_size), dry_run=dry_run, detach=detach)

    for option in reversed(() if kind in WHOLE else _OPTIONS):
        command = option(command)
    command = click.option("--detach", is_flag=True, help="Leave the work to the workers and return at once.")(command)
    command = click.option("--dry-run", is_flag=True, help="Tell what would be done.")(command)
    return stock_commands.command(kind, help=HELP[kind])(command)


for _kind in HELP:
    _command(_kind)


@stock_commands.command("runs")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def runs_command(limit: int) -> None:
    """List the last runs."""
    with runtime().database.read() as session:
        found = listing.told_runs(session, limit)
    for line in run_lines(found):
        click.echo(line)


def _run(name: str, options: Options, *, dry_run: bool, detach: bool) -> None:
    # Its lines would go between those of the progress.
    logging.getLogger().setLevel(max(logging.WARNING, logging.getLogger().level))
    kind, using = RUN_KINDS[name], runtime()
    try:
        if dry_run:
            _preview(using, kind, options)
        else:
            _start(using, kind, options, detach=detach)
    except (NothingFetched, KlyxError) as error:
        raise click.ClickException(str(error)) from error


def _preview(using: Runtime, kind: RunKind, options: Options) -> None:
    from jobs.market_runs import context_of

    work = kind.load()
    if isinstance(work, StockWork):
        with using.database.read() as session:
            chosen = work.select(session, options.selection)
        click.echo(f"{kind.title}: {len(chosen):,} stocks would be asked for, {options.batch_size} at a time.")
        if chosen:
            click.echo(f"The first: {', '.join(stock.nse_code for stock in chosen[:10])}.")
        return
    for line in preview_lines(kind, work.preview(context_of(using))):
        click.echo(line)


def _start(using: Runtime, kind: RunKind, options: Options, *, detach: bool) -> None:
    from jobs.queue import enqueue

    with using.database.begin() as session:
        begun = starting.begin(session, using.settings, kind.name, options)
    click.echo(begun.message)
    if begun.is_new:
        enqueue(using, str(begun.run.job_id), RUN_JOB)
    if detach:
        click.echo(f"Run {begun.run.id} is left to the workers; `flask stocks runs` tells how it goes.")
        return
    follower = Follower(using, begun.run.id, str(begun.run.job_id))
    if not follower.follow():
        click.echo(f"Stopped here. `flask stocks {kind.name}` goes on with this run, and so does any worker.")
        follower.leave(INTERRUPTED_STATUS)
    run = follower.read()
    for line in summary_lines(run):
        click.echo(line)
    sys.exit(1 if run["state"] == "failed" else 0)
