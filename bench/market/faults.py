"""A run through two killed workers and a restarted Redis: does it complete, and how often was each stock asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from sqlalchemy import func, select

from bench.market.arrivals import most_of_one_kind, most_within, too_early
from bench.market.catalogue import OLDER_DELAYS
from bench.market.plan import Plan
from bench.market.stand import LIMITS, MarketStand, Site, ended
from bench.speed.figures import Measurement
from klyx.database.models import DataRefreshLog, RefreshItem

KILLED_AT, RESTARTED_AT = (0.25, 0.5), 0.7
MOST_TIMES = 2


def measure(stand: MarketStand, plan: Plan) -> Iterator[Measurement]:
    with stand.site(plan.market(), delays=OLDER_DELAYS) as site:
        site.run("populate")
        faults: list[tuple[float, str, Callable[[], None]]] = [
            (KILLED_AT[0], "worker 1 and its work horse killed", site.workers[0].kill),
            (KILLED_AT[1], "worker 2 and its work horse killed", site.workers[1].kill),
            (RESTARTED_AT, "Redis killed and started again", lambda: _restart(stand)),
        ]
        began = time.monotonic()
        number = site.start("enrich")
        told: list[str] = []
        last: DataRefreshLog | None = None
        for run, _ in site.follow(number):
            last = run
            done = ((run.stocks_updated or 0) + (run.stocks_failed or 0)) / max(run.stocks_total or 0, 1)
            if faults and done >= faults[0][0]:
                _, what, happen = faults.pop(0)
                happen()
                told.append(f"{what} after {done * 100:.0f} % at {time.monotonic() - began:.0f} s")
        assert last is not None  # noqa: S101 - follow yields at least once
        run_ended = ended(last, began)
        attempts = _attempts(site, number)
        arrivals = site.simulator.arrivals.of(since=began)
        # Of the documents that hold figures: a search or a cookie may be asked for again by another process.
        asked = most_of_one_kind(arrivals)
        of_source = {slug: site.simulator.arrivals.of(slug, began) for slug in LIMITS}
    worst = {slug: most_within(arrivals) for slug, arrivals in of_source.items()}
    early = {slug: too_early(arrivals, LIMITS[slug]) for slug, arrivals in of_source.items()}
    yield Measurement(
        f"enrich of {run_ended.total:,} stocks through three faults: updated",
        f"{run_ended.updated:,} in {run_ended.seconds:.0f} s, {run_ended.failed:,} failed",
        f"{run_ended.total:,}",
        run_ended.status == "success" and run_ended.updated == run_ended.total and not faults,
        (*told, f"run: {run_ended.status}; {run_ended.error or 'no source failed'}"),
    )
    yield Measurement(
        "most often that the same document of the same stock was asked for, counted at the sources",
        f"{max(asked, default=0)}",
        f"<= {MOST_TIMES}",
        max(asked, default=0) <= MOST_TIMES,
        (f"times: stocks {asked}", f"attempts as the run counted them: {attempts}"),
    )
    yield Measurement(
        "requests within any second through the faults",
        ", ".join(f"{slug} {count}" for slug, count in worst.items() if count),
        ", ".join(f"{slug} <= {LIMITS[slug]}" for slug, count in worst.items() if count),
        all(count <= LIMITS[slug] for slug, count in worst.items()),
        tuple(
            f"{slug}: too early {len(seconds)} of {len(of_source[slug]):,} requests, by {max(seconds):.3f} s at most"
            for slug, seconds in early.items()
            if seconds
        ),
    )


def _restart(stand: MarketStand) -> None:
    stand.redis.kill()
    stand.redis.start()


def _attempts(site: Site, number: int) -> dict[int, int]:
    counted = (
        select(RefreshItem.attempts, func.count())
        .where(RefreshItem.run_id == number)
        .group_by(RefreshItem.attempts)
        .order_by(RefreshItem.attempts)
    )
    with site.runtime.database.read() as session:
        return {int(attempts): int(count) for attempts, count in session.execute(counted)}
