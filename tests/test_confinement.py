import json
import subprocess
import sys
from pathlib import Path

import pytest

CONFINED = """
import json, os, resource, sys
from klyx.confinement import confine
confine(256 * 1024 * 1024, {seconds})
{body}
"""


def run_confined(body: str, seconds: float = 5.0) -> subprocess.CompletedProcess[str]:
    code = CONFINED.format(seconds=seconds, body=body)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_the_limits_are_set_for_good() -> None:
    names = ["AS", "CPU", "CORE", "FSIZE", "NOFILE"]
    body = f"print(json.dumps([resource.getrlimit(getattr(resource, 'RLIMIT_' + n)) for n in {names}]))"
    memory = 256 * 1024 * 1024
    assert json.loads(run_confined(body).stdout) == [[memory, memory], [5, 5], [0, 0], [0, 0], [16, 16]]


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no address-space limit")
def test_memory_beyond_the_limit_is_not_given() -> None:
    assert "MemoryError" in run_confined("bytearray(300 * 1024 * 1024)").stderr


def test_no_file_can_be_written(tmp_path: Path) -> None:
    done = run_confined(f"with open({str(tmp_path / 'new')!r}, 'wb') as target: target.write(b'x')")
    assert "File too large" in done.stderr


@pytest.mark.parametrize("body", ["while True: pass", "import threading; threading.Event().wait()"])
def test_time_beyond_the_limit_ends_the_process(body: str) -> None:
    assert run_confined(body, seconds=0.5).returncode < 0
