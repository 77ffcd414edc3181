from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from klyx.stack.parent import Parent
from tests.stack.conftest import Start, eventually
from tests.stack.test_supervisor import SLEEPS

MAKEFILE = f"""
run:
	@KLYX_TEST_PARENT=$$PPID exec "{sys.executable}" -m tests.stack.supervised 1 pass "$$SOURCE"
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_that_only_make_gets_ends_everything(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    makefile = tmp_path / "Makefile"
    makefile.write_text(MAKEFILE)
    become_make = f"import os; os.execvp('make', ['make', '-f', {str(makefile)!r}, 'run'])"
    run = start("-c", become_make, environ={"SOURCE": SLEEPS})
    assert eventually(lambda: "sleeping\n" in run.lines), run.output

    run.process.send_signal(number)

    assert run.wait() == -number
    assert eventually(lambda: run.living() == []), run.living()
    assert "stopped\n" in run.lines


def test_a_parent_that_lives_wants_nothing() -> None:
    assert not Parent(os.getppid()).wants_us_to_stop()


def test_another_parent_than_at_the_start_means_that_it_ended() -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    assert Parent(ended.pid).wants_us_to_stop()
