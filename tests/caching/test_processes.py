"""Several web processes and a worker, as in production, on one Redis that comes and goes."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
import requests

from jobs.queue import JobQueue
from klyx.database.models import JobState
from klyx.runtime import Runtime
from klyx.stack.ports import free_port
from tests.jobs.conftest import environment, queue, runtime, settings  # noqa: F401 (fixtures)
from tests.jobs.support import new_job, program, state_of, wait_for
from tests.servers import ThrowAwayRedis
from tests.stack.conftest import Start, start  # noqa: F401 (a fixture)
from tests.stock_rows import add_stock

STOCK = "/api/stock/INFY"
GUNICORN = ("-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "wsgi:app")


@pytest.fixture
def webs(environment: dict[str, str], runtime: Runtime, start: Start) -> list[str]:  # noqa: F811
    """The addresses of two web processes, which serve one stock."""
    with runtime.database.begin() as session:
        add_stock(session, "Infosys Ltd.", "INFY", current_price=1.0)
    ports = [free_port() for _ in range(2)]
    for port in ports:
        start(*GUNICORN, environ={**environment, "WEB_WORKERS": "1", "HTTP_BINDS": f"127.0.0.1:{port}"})
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    for url in urls:
        wait_for(lambda url=url: answers(url), url)  # type: ignore[misc]
    return urls


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=5).ok
    except requests.RequestException:
        return False


def price(url: str) -> float:
    answer = requests.get(url + STOCK, timeout=20)
    assert answer.status_code == 200, answer.text
    return float(answer.json()["data"]["current_price"])


def test_what_a_worker_changes_shows_in_every_web_process_at_once(
    webs: list[str], runtime: Runtime, queue: JobQueue, environment: dict[str, str]  # noqa: F811
) -> None:
    with program("jobs.worker", environment):
        for new in (2.0, 3.0, 4.0):
            assert {price(url) for url in webs * 2} == {new - 1}
            job = new_job(runtime.database, "reprice", {"price": new})
            queue.ensure_enqueued(job.id)
            wait_for(lambda job=job: state_of(runtime.database, job.id) == JobState.SUCCEEDED, "the job")  # type: ignore[misc]
            assert [price(url) for url in webs * 2] == [new] * 4


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_redis_coming_and_going_costs_no_answer(
    webs: list[str], runtime: Runtime, own_redis: ThrowAwayRedis  # noqa: F811
) -> None:
    stop = threading.Event()
    codes: Counter[int] = Counter()

    def read(url: str) -> None:
        with requests.Session() as client:
            while not stop.is_set():
                codes[client.get(url + STOCK, timeout=20).status_code] += 1

    readers = [threading.Thread(target=read, args=(url,)) for url in webs * 2]
    for reader in readers:
        reader.start()
    try:
        for number in range(2):
            own_redis.kill()
            with runtime.database.begin() as session:
                add_stock(session, f"While {number} Ltd.", f"WHILE{number}")
            assert {stock_count(url) for url in webs} == {number + 2}
            own_redis.start()
            assert {stock_count(url) for url in webs} == {number + 2}
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert set(codes) == {200}


def stock_count(url: str) -> int:
    return int(requests.get(f"{url}/api/database/stats", timeout=20).json()["data"]["total_stocks"])
