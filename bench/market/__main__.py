"""Market data from simulated sources, measured and judged: `python -m bench.market`.

PostgreSQL, Redis, workers and the scheduler are real and thrown away afterwards; the sources are simulated over
HTTP, answer as slowly as the older report says, and count what they are asked.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import click

from bench.market import coverage, faults, full_run, lists, one_stock, weather
from bench.market.plan import Plan
from bench.market.stand import MarketStand
from bench.speed.figures import Measurement
from klyx.stack.guardian import start_guardian

Row = Callable[[MarketStand, Plan], Iterator[Measurement]]
ROWS: dict[str, Row] = {
    "lists": lists.measure,
    "one-stock": one_stock.measure,
    "full-run": full_run.measure,
    "faults": faults.measure,
    "weather": weather.measure,
    "coverage": coverage.measure,
}
QUICK_STOCKS = 60


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(ROWS)), help="Measure this; may be given again.")
@click.option("--stocks", default=2_384, show_default=True, help="Stocks of the long runs.")
@click.option("--quick", is_flag=True, help=f"{QUICK_STOCKS} stocks and fewer rounds: shows that all works.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with the exchange's EQUITY_L.csv and nse_sectors.csv, instead of generated companies.",
)
@click.option("--strict", is_flag=True, help="Exit status 1 when a goal is missed.")
def main(only: tuple[str, ...], stocks: int, quick: bool, data: Path | None, strict: bool) -> None:
    """Measure, and print each line as it is known."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    plan = Plan(min(stocks, QUICK_STOCKS) if quick else stocks, quick, data)
    guardian = start_guardian()
    found: list[Measurement] = []
    started = time.monotonic()
    try:
        with MarketStand(guardian) as stand:
            for name in only or ROWS:
                click.echo(f"\n{name}")
                for one in ROWS[name](stand, plan):
                    _tell(one)
                    found.append(one)
    except KeyboardInterrupt:
        click.echo("Stopped; everything that was started has ended.", err=True)
        sys.exit(130)
    finally:
        guardian.dismiss()
    missed = sum(one.is_met is False for one in found)
    met = sum(one.is_met is True for one in found)
    click.echo(f"\n{met} goals met, {missed} missed, in {time.monotonic() - started:.0f} s")
    sys.exit(1 if strict and missed else 0)


def _tell(one: Measurement) -> None:
    verdict = {True: "met   ", False: "MISSED", None: "      "}[one.is_met]
    goal = f"   goal {one.goal}" if one.goal else ""
    click.echo(f"  {verdict}  {one.what}\n            {one.figure}{goal}")
    for detail in one.details:
        click.echo(f"            {detail}")


def _end(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
