"""What hostile workbooks cost: `python -m bench.workbook_bombs` (on Linux).

For each file: the verdict, the time, how much the peak memory of this process (it stands for the web
process) grew, and the peak memory of the child.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import click

from klyx.workbooks import WorkbookLimits, WorkbookRefused, read_workbook, reader
from tests.workbooks.bombs import BOMBS
from tests.workbooks.files import Value, saved, xlsx_of

MEBIBYTE = 1024 * 1024
HEADING = f"{'file':<28}{'bytes':>11}  {'verdict':<12}{'seconds':>8}{'web MiB +':>11}{'child MiB':>11}"
# A process inherits the peak of the one that started it, so the child is measured below a small one.
LAUNCHER = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def ordinary_workbook() -> bytes:
    """For comparison: 2,400 stocks with 90 columns."""
    headings: list[Value] = ["Stock Name", *[f"Figure {number}" for number in range(89)]]
    return xlsx_of([headings, *[_stock(number) for number in range(2_400)]])


def _stock(number: int) -> list[Value]:
    return [f"A{number} Ltd.", *[number + figure / 7 for figure in range(89)]]


def measure(path: Path, name: str) -> tuple[str, float, float]:
    """Verdict, seconds, and growth of this process's peak memory in MiB."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is in use now
    before = _peak_mebibytes()
    started = time.perf_counter()
    try:
        table = read_workbook(path, name, WorkbookLimits())
        verdict = f"{len(table.rows)} rows"
    except WorkbookRefused as refused:
        verdict = refused.code
    return verdict, time.perf_counter() - started, _peak_mebibytes() - before


def measure_child(path: Path, extension: str) -> float:
    """Peak memory of the child that reads `path`, in MiB."""
    request = json.dumps({"extension": extension, "limits": asdict(WorkbookLimits())})
    child = [sys.executable, "-I", str(reader.CHILD), request]
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, *child]
    with path.open("rb") as source:
        done = subprocess.run(launcher, stdin=source, capture_output=True, check=True)
    return int(done.stdout) * 1024 / MEBIBYTE


def _peak_mebibytes() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / MEBIBYTE


def main() -> None:
    """Build, read and report each file."""
    files = {**BOMBS, "ordinary_workbook": (ordinary_workbook, ".xlsx")}
    click.echo(HEADING)
    with tempfile.TemporaryDirectory() as folder:
        for name, (build, extension) in files.items():
            path = saved(Path(folder), build())
            verdict, seconds, grown = measure(path, name + extension)
            child = measure_child(path, extension)
            size = path.stat().st_size
            click.echo(f"{name:<28}{size:>11,}  {verdict:<12}{seconds:>8.2f}{grown:>11.1f}{child:>11.1f}")


if __name__ == "__main__":
    main()
