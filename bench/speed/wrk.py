"""wrk, the load generator, and what it counts."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.speed.figures import Missing

CONNECTIONS = 32
# With one path wrk sends one request made beforehand; a function for each would slow it down.
_MANY_PATHS = """
local requests, turn = {}, 0
function init(paths)
  for place = 1, #paths do requests[place] = wrk.format("GET", paths[place]) end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
"""
_REPORT = """
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests":%d,"microseconds":%d,"bad_status":%d,"broken":%d,"p50_us":%d,"p95_us":%d,"p99_us":%d}\\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """`bad_status` counts 4xx and 5xx; `broken`, connections that failed or waited over the limit."""

    requests: int
    microseconds: int
    bad_status: int
    broken: int
    p50_us: int
    p95_us: int
    p99_us: int

    @property
    def per_second(self) -> float:
        return self.requests / self.microseconds * 1e6

    @property
    def failures(self) -> int:
        return self.bad_status + self.broken


def require_wrk() -> str:
    """Its path. Raises Missing, which says what to do."""
    path = shutil.which("wrk")
    if path is None:
        raise Missing("`wrk` is not on PATH. Install it (Debian: apt install wrk) to measure this row.")
    return path


def load(
    base_url: str,
    paths: Sequence[str],
    seconds: float,
    headers: Mapping[str, str] | None = None,
    connections: int = CONNECTIONS,
) -> Load:
    """Ask for the paths in turn, over and over. wrk counts whole seconds, and at least one."""
    command = [require_wrk(), "--threads=1", f"--connections={connections}", f"--duration={max(round(seconds), 1)}s",
               "--timeout=10s", "--latency"]  # fmt: skip
    command += [part for name, value in (headers or {}).items() for part in ("--header", f"{name}: {value}")]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_REPORT if len(paths) == 1 else _MANY_PATHS + _REPORT)
        script.flush()
        command += [f"--script={Path(script.name)}", f"{base_url}{paths[0]}"]
        if len(paths) > 1:
            command += ["--", *paths]
        # A session of its own, so that its share of the processors is not one with this program's.
        done = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    return Load(**json.loads(line.removeprefix("RESULT ")))
