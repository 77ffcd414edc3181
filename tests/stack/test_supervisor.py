"""The supervisor over small programs of every bad habit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from klyx.stack import sessions
from klyx.stack.errors import StackError
from klyx.stack.program import Child, Program
from tests.stack.conftest import Run, Start, eventually

NOTHING = "pass"
# os.write: several programs write to one pipe, and print() does not write a line at once.
SLEEPS = "import os, time; os.write(1, b'sleeping\\n'); time.sleep(300)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"
# As an rq worker does with its work horse: a fork in a process group of its own.
HAS_HORSE = f"""
import os
if os.fork() == 0:
    os.setpgrp()
    {DEAF}
{SLEEPS}
"""


def supervised(start: Start, *sources: str, grace_seconds: float = 1.0, first: str = NOTHING) -> Run:
    run = start("-m", "tests.stack.supervised", str(grace_seconds), first, *sources)
    sleepers = sum(source.count("sleeping") for source in sources)
    assert eventually(lambda: "up\n" in run.lines and run.lines.count("sleeping\n") == sleepers), run.output
    return run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_every_process(start: Start, number: signal.Signals) -> None:
    run = supervised(start, SLEEPS, HAS_HORSE, DEAF)
    assert len(run.living()) == 6

    run.process.send_signal(number)

    assert run.wait() == 0, run.output
    assert run.living() == []
    assert "stopped\n" in run.lines


def test_a_second_ctrl_c_does_not_wait(start: Start) -> None:
    run = supervised(start, DEAF, grace_seconds=3600)
    run.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(0.5)

    run.process.send_signal(signal.SIGINT)

    assert run.wait() == 0, run.output
    assert run.living() == []


def test_nothing_outlives_a_killed_supervisor(start: Start) -> None:
    run = supervised(start, SLEEPS, HAS_HORSE)

    run.process.kill()

    assert eventually(lambda: run.living() == []), run.living()


def test_the_end_of_the_parent_is_a_stop_signal(start: Start) -> None:
    starter = "; ".join(
        (
            "import os, subprocess, sys",
            "os.environ['KLYX_TEST_PARENT'] = str(os.getpid())",
            f"subprocess.run([sys.executable, '-m', 'tests.stack.supervised', '1', {NOTHING!r}, {SLEEPS!r}])",
        )
    )
    run = start("-c", starter)
    assert eventually(lambda: "sleeping\n" in run.lines), run.output

    run.process.kill()

    assert eventually(lambda: run.living() == []), run.living()
    assert "stopped\n" in run.lines


def test_a_program_that_dies_is_started_again_and_its_leftovers_are_ended(start: Start) -> None:
    run = supervised(start, HAS_HORSE)
    worker = run.find(f"-c {HAS_HORSE}")
    before = set(run.living())
    leftovers = set(sessions.members(worker))
    assert len(leftovers) == 2

    os.kill(worker, signal.SIGKILL)

    assert eventually(lambda: run.lines.count("sleeping\n") == 4), run.output
    after = set(run.living())
    assert before - leftovers == before & after
    assert len(after) == len(before)
    assert "Program 1 is started again in 0.5 s: it was ended by SIGKILL" in run.output


def test_restarts_come_further_and_further_apart(start: Start) -> None:
    fails = "import time; time.sleep(0.3); raise SystemExit(7)"
    run = start("-m", "tests.stack.supervised", "1", NOTHING, fails)

    assert eventually(lambda: "again in 2 s: it ended with status 7" in run.output), run.output

    assert "again in 0.5 s" in run.output
    assert "again in 1 s" in run.output


def test_a_failed_preparation_ends_the_start_with_one_line(start: Start) -> None:
    run = start("-m", "tests.stack.supervised", "1", "raise SystemExit(3)", SLEEPS)

    assert run.wait() == 1
    assert eventually(lambda: len(run.lines) == 1), run.output
    assert run.output == "Program 0 failed: it ended with status 3; its own message is above.\n"
    assert run.living() == []


def test_a_program_that_cannot_start_ends_the_start_with_one_line(start: Start) -> None:
    never_up = {"KLYX_TEST_NEVER_UP": "yes"}
    run = start("-m", "tests.stack.supervised", "1", NOTHING, SLEEPS, "raise SystemExit(3)", environ=never_up)

    assert run.wait() == 1
    complaint = "Program 2 could not start: it ended with status 3; its own message is above.\n"
    # The sleeper may have been ended before it said a word.
    assert eventually(lambda: [line for line in run.lines if line != "sleeping\n"] == [complaint]), run.output
    assert run.living() == []


def test_a_start_that_takes_too_long_is_given_up(start: Start) -> None:
    never_up = {"KLYX_TEST_NEVER_UP": "yes"}
    run = start("-m", "tests.stack.supervised", "1", NOTHING, SLEEPS, environ=never_up)

    assert run.wait() == 1
    assert eventually(lambda: run.lines[-1:] == ["It took too long.\n"]), run.output
    assert run.living() == []


def test_a_program_that_is_not_there_is_named() -> None:
    program = Program("The worker", ("/no/such/program",), {})

    with pytest.raises(StackError, match=r"The worker could not start: .*'/no/such/program'"):
        Child(program)


def test_a_stop_during_the_preparation_ends_it(start: Start) -> None:
    run = start("-m", "tests.stack.supervised", "1", SLEEPS)
    assert eventually(lambda: "sleeping\n" in run.lines), run.output

    run.process.send_signal(signal.SIGINT)

    assert run.wait() == 0, run.output
    assert run.living() == []


def test_under_nohup_a_closed_terminal_stops_nothing(start: Start) -> None:
    command = [sys.executable, "-m", "tests.stack.supervised", "1", NOTHING, SLEEPS]
    under_nohup = f"""
import os, signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execv({sys.executable!r}, {command!r})
"""
    run = start("-c", under_nohup)
    assert eventually(lambda: "sleeping\n" in run.lines), run.output

    run.process.send_signal(signal.SIGHUP)

    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(1.0)
    assert len(run.living()) == 3
