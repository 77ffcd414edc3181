from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from klyx.stack import sessions


@pytest.fixture
def leader() -> Iterator[subprocess.Popen[bytes]]:
    # The shell stays: it has a child to wait for.
    with subprocess.Popen(["sh", "-c", "sleep 300; true"], start_new_session=True) as process:
        yield process
        sessions.kill(process.pid)


def test_the_two_ways_to_list_processes_agree(leader: subprocess.Popen[bytes]) -> None:
    stable = {1, os.getpid(), leader.pid}
    assert stable <= {pid for pid, _ in sessions._processes()}
    assert stable <= {pid for pid, _ in sessions._processes_by_ps()}


def test_a_zombie_is_no_member(leader: subprocess.Popen[bytes]) -> None:
    assert leader.pid in sessions.members(leader.pid)

    sessions.kill(leader.pid)

    assert sessions.members(leader.pid) == []
    assert leader.pid in {pid for pid, state in sessions._processes() if state == "Z"}
    assert leader.pid in {pid for pid, state in sessions._processes_by_ps() if state.startswith("Z")}
