"""Tests of klyx.priority, in processes of their own: a priority once given away does not come back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GIVE_WAY = "import os; from klyx.priority import give_way; give_way(7); print(os.nice(0)); "
GROUP = "print(open('/proc/self/autogroup').read())"


def _told(code: str, *, leads_its_session: bool) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, start_new_session=leads_its_session
    )
    return done.stdout


@pytest.mark.parametrize("leads_its_session", [True, False])
def test_it_lowers_the_process(leads_its_session: bool) -> None:
    before = int(_told("import os; print(os.nice(0))", leads_its_session=leads_its_session))
    assert int(_told(GIVE_WAY, leads_its_session=leads_its_session)) == min(before + 7, 19)


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel does not group by session")
def test_it_lowers_a_session_of_its_own_and_no_other() -> None:
    assert _told(GIVE_WAY + GROUP, leads_its_session=True).rstrip().endswith("nice 7")
    before = _told(GROUP, leads_its_session=False)
    assert _told(GIVE_WAY + GROUP, leads_its_session=False).splitlines()[1] == before.strip()
