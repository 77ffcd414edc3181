"""The speed of the stock database and the screener, measured and judged: `python -m bench` (`make bench`).

Everything is real and thrown away afterwards: PostgreSQL, Redis, gunicorn with the production configuration,
limits, security headers and logs on. Load comes from `wrk`. Each ratio is taken within one run, in rounds that
alternate between what is compared; a figure is the median of the rounds, then the lowest and the highest.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

import click

from bench.speed import cold, memory, outage, portfolio, scale, screener, throughput, uncached_list
from bench.speed.figures import FULL, QUICK, Effort, Measurement, Missing
from bench.speed.stand import Stand
from klyx.stack.guardian import start_guardian

Row = Callable[[Stand, Effort], Iterator[Measurement]]
ROWS: dict[str, Row] = {
    "throughput": throughput.measure,
    "uncached-list": uncached_list.measure,
    "portfolio": portfolio.measure,
    "screener": screener.measure,
    "scale": scale.measure,
    "cold": cold.measure,
    "memory": memory.measure,
    "outage": outage.measure,
}


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(ROWS)), help="Measure this; may be given again.")
@click.option("--quick", is_flag=True, help="Short rounds: shows that all works, not how fast it is.")
@click.option("--strict", is_flag=True, help="Exit status 1 when a goal is missed or could not be measured.")
def main(only: tuple[str, ...], quick: bool, strict: bool) -> None:
    """Measure, and print each line as it is known."""
    # Both, also where the shell had us ignore Ctrl-C: what was started must end with us.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    guardian = start_guardian()
    found: list[Measurement] = []
    started = time.monotonic()
    try:
        with Stand(guardian) as stand:
            for name in only or ROWS:
                found += _measure(name, stand, QUICK if quick else FULL)
    except KeyboardInterrupt:
        click.echo("Stopped; everything that was started has ended.", err=True)
        sys.exit(130)
    finally:
        guardian.dismiss()
    missed = [one for one in found if one.is_met is False]
    unmeasured = [one for one in found if one.is_met is None]
    click.echo(
        f"\n{sum(one.is_met is True for one in found)} goals met, {len(missed)} missed, "
        f"{len(unmeasured)} not measured, in {time.monotonic() - started:.0f} s"
    )
    sys.exit(1 if strict and (missed or unmeasured) else 0)


def _measure(name: str, stand: Stand, effort: Effort) -> list[Measurement]:
    click.echo(f"\n{name}")
    found: list[Measurement] = []
    try:
        for one in ROWS[name](stand, effort):
            _tell(one)
            found.append(one)
    except Missing as missing:
        found.append(Measurement(name, f"not measured: {missing}"))
        _tell(found[-1])
    return found


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
