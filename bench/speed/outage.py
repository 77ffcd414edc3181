"""Redis killed and started again under load: what the clients notice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from bench.speed import paths
from bench.speed.figures import Effort, Measurement
from bench.speed.stand import Stand, Web
from bench.speed.wrk import Load, load, require_wrk

# The change happens within a stretch of load, not between two.
FAULT_AFTER_SECONDS = 0.7


def measure(stand: Stand, effort: Effort) -> Iterator[Measurement]:
    require_wrk()
    asked = [paths.LIST, *(paths.details(symbol) for symbol in paths.symbols(300))]
    seconds = effort.load_seconds * 2
    with stand.application() as web:
        load(web.url, asked, seconds)
        before = load(web.url, asked, seconds)
        during = _load_with(stand.redis.kill, web, asked, seconds)
        after = _load_with(stand.redis.start, web, asked, seconds)
        settled = load(web.url, asked, seconds)
    stretches = {"before": before, "during": during, "after": after, "later": settled}
    failures = sum(one.failures for one in stretches.values())
    answers = sum(one.requests for one in stretches.values())
    yield Measurement(
        f"Redis killed and started again under load: failed answers of {answers:,}",
        f"{failures}",
        "0",
        failures == 0,
        tuple(_describe(name, one) for name, one in stretches.items()),
    )


def _load_with(change: Callable[[], None], web: Web, asked: list[str], seconds: float) -> Load:
    timer = threading.Timer(FAULT_AFTER_SECONDS, change)
    timer.start()
    try:
        return load(web.url, asked, seconds)
    finally:
        timer.join()


def _describe(name: str, one: Load) -> str:
    return (
        f"{name:<7} p50 {one.p50_us / 1000:7.2f} ms  p99 {one.p99_us / 1000:8.2f} ms  {one.per_second:8,.0f} requests/s"
        f"  {one.bad_status} with an error status, {one.broken} broken"
    )
