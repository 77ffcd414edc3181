"""A supervisor over small programs: `python -m tests.stack.supervised SECONDS SOURCE...`, in Python.

The first program is run to its end, the others are supervised; each has SECONDS to end itself. Prints "up"
when all of them run; with KLYX_TEST_NEVER_UP set, that moment never comes.
"""

from __future__ import annotations

import os
import sys

import click

from klyx.stack.errors import StackError
from klyx.stack.program import Program
from klyx.stack.supervisor import StopRequested, Supervisor


def main() -> None:
    seconds, *sources = sys.argv[1:]
    first, *others = (
        Program(f"Program {number}", (sys.executable, "-c", source), os.environ, float(seconds))
        for number, source in enumerate(sources)
    )
    try:
        parent = int(os.environ["KLYX_TEST_PARENT"]) if "KLYX_TEST_PARENT" in os.environ else None
        with Supervisor(parent) as supervisor:
            supervisor.run_once(first)
            for program in others:
                supervisor.start(program)
            supervisor.wait_until(lambda: "KLYX_TEST_NEVER_UP" not in os.environ, 3.0, "It took too long.")
            click.echo("up")
            supervisor.supervise()
    except StopRequested:
        click.echo("stopped")
    except StackError as error:
        click.echo(error)
        sys.exit(1)


if __name__ == "__main__":
    main()
