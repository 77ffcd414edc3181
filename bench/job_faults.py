"""Kill workers and Redis under 100 analyses and see that each ends once: `python -m bench.job_faults URL FOLDER`.

FOLDER is the instance folder of a stack that `make run` started with RATE_LIMIT_REGISTER and RATE_LIMIT_UPLOAD widened.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

import click
import requests

JOBS = 100
FAULT_EVERY_SECONDS = 4.0
REDIS_RESTARTS = 2
FAULTS_FOR_SECONDS = 45.0
GIVE_UP_AFTER_SECONDS = 300.0
Jobs = list[tuple[str, dict[str, str]]]
FINAL = ("SUCCESS", "FAILURE")
CSV = b"Stock Name,NSE Code,Market Capitalization\nTata Steel Ltd.,TATASTEEL,200\nInfosys Ltd.,INFY,600\n"


def processes(part: str, folder: Path) -> list[int]:
    """The processes of the stack in `folder` whose command line holds `part`."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            here = (entry / "cwd").resolve() in (folder.parent, folder, folder / "redis")
        except OSError:
            continue
        if part in command and here:
            found.append(int(entry.name))
    return found


def kill(part: str, folder: Path) -> int:
    victims = processes(part, folder)
    for victim in victims:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return len(victims)


def prepare_users(url: str) -> list[dict[str, str]]:
    """A hundred accounts with a workbook each; returns their headers."""
    users = []
    for number in range(JOBS):
        account = {"email": f"{uuid.uuid4().hex}@example.org", "password": uuid.uuid4().hex, "name": f"User {number}"}
        token = requests.post(f"{url}/api/auth/register", json=account, timeout=30).json()["data"]["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        requests.post(
            f"{url}/api/upload", headers=headers, files={"files[]": ("a.csv", CSV)}, timeout=30
        ).raise_for_status()
        users.append(headers)
    return users


def start_job(url: str, headers: dict[str, str]) -> str:
    answer = requests.post(f"{url}/api/process", headers=headers, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["task_id"])


def inject_faults(folder: Path, stop: threading.Event, log: list[tuple[float, str]]) -> None:
    restarts = 0
    turn = 0
    while not stop.wait(FAULT_EVERY_SECONDS):
        turn += 1
        if turn % 4 == 2 and restarts < REDIS_RESTARTS:
            restarts += kill("valkey-server", folder) or kill("redis-server", folder)
            log.append((time.monotonic(), "Redis"))
        else:
            kill("jobs.worker", folder)
            log.append((time.monotonic(), "worker and work horse"))


def wait_for_the_end(url: str, started: Jobs, last_fault: float) -> tuple[dict[str, str], float]:
    """The final state of each job, and when the last one was seen to end."""
    states: dict[str, str] = {}
    last_end = last_fault
    pause = threading.Event()
    while len(states) < len(started) and time.monotonic() - last_fault < GIVE_UP_AFTER_SECONDS:
        for task, headers in started:
            if task not in states:
                answer = requests.get(f"{url}/api/process/status/{task}", headers=headers, timeout=30).json()
                if answer["status"] in FINAL:
                    states[task] = answer["status"]
                    last_end = time.monotonic()
        pause.wait(0.5)
    return states, last_end


def main() -> int:
    url, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    users = prepare_users(url)
    faults: list[tuple[float, str]] = []
    stop = threading.Event()
    injector = threading.Thread(target=inject_faults, args=(folder, stop, faults))
    injector.start()
    started = [(start_job(url, headers), headers) for headers in users]
    stop.wait(FAULTS_FOR_SECONDS)
    stop.set()
    injector.join()
    last_fault = faults[-1][0]
    states, last_end = wait_for_the_end(url, started, last_fault)
    rows = Counter(len(results(url, headers)) for _, headers in started)
    click.echo(f"faults: {dict(Counter(kind for _, kind in faults))}")
    click.echo(f"ended: {dict(Counter(states.values()))}; not ended: {len(started) - len(states)}")
    click.echo(f"rows of results a job (2 is right): {dict(rows)}")
    click.echo(f"last end {last_end - last_fault:.1f} s after the last fault")
    return 0


def results(url: str, headers: dict[str, str]) -> list[object]:
    rows: list[object] = requests.get(f"{url}/api/results", headers=headers, timeout=30).json().get("data", [])
    return rows


if __name__ == "__main__":
    sys.exit(main())
