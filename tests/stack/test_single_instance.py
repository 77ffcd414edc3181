from __future__ import annotations

import os
from pathlib import Path

import pytest

from klyx.stack.errors import StackError
from klyx.stack.single_instance import single_instance
from tests.stack.conftest import Start, eventually

URLS = ["http://127.0.0.1:5001", "http://127.0.0.1:8000"]
HOLD = """
import pathlib, sys, time
from klyx.stack.single_instance import single_instance
with single_instance(pathlib.Path(sys.argv[1]), ["http://127.0.0.1:5001"]):
    print("held", flush=True)
    time.sleep(300)
"""
# As a killed supervisor's guardian does.
HOLD_AFTER_DEATH = """
import os, pathlib, sys, time
from klyx.stack.single_instance import single_instance
with single_instance(pathlib.Path(sys.argv[1]), []):
    if os.fork():
        os.write(1, b"held\\n")
        os._exit(0)
    time.sleep(1.5)
    os._exit(0)
"""


def test_a_second_one_is_told_of_the_first(tmp_path: Path) -> None:
    with single_instance(tmp_path, URLS), pytest.raises(StackError) as caught, single_instance(tmp_path, []):
        pass

    assert f"already running here (process {os.getpid()}): {' '.join(URLS)}" in str(caught.value)
    assert f"kill {os.getpid()}" in str(caught.value)


def test_two_folders_are_two_stacks(tmp_path: Path) -> None:
    with single_instance(tmp_path / "a", []), single_instance(tmp_path / "b", []):
        assert (tmp_path / "a" / "stack.lock").exists()


def test_the_lock_ends_with_a_killed_holder(start: Start, tmp_path: Path) -> None:
    run = start("-c", HOLD, str(tmp_path))
    assert eventually(lambda: "held\n" in run.lines), run.output
    run.process.kill()
    run.wait()

    with single_instance(tmp_path, URLS):
        assert str(os.getpid()) in (tmp_path / "stack.lock").read_text()


def test_a_stack_that_is_still_ending_is_waited_for(
    start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = start("-c", HOLD_AFTER_DEATH, str(tmp_path))
    assert eventually(lambda: "held\n" in run.lines), run.output
    run.wait()

    with single_instance(tmp_path, URLS):
        assert run.living() == []

    assert capsys.readouterr().err == "klyx: An earlier Klyx is still ending; waiting for it.\n"


def test_one_that_does_not_end_is_not_waited_for_for_ever(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("klyx.stack.single_instance.ENDING_SECONDS", 0.2)
    run = start("-c", HOLD_AFTER_DEATH.replace("1.5", "300"), str(tmp_path))
    assert eventually(lambda: "held\n" in run.lines), run.output
    run.wait()

    with pytest.raises(StackError, match="still ending"), single_instance(tmp_path, URLS):
        pass
