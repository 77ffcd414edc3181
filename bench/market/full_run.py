"""Figures of all stocks within the limits: how long it takes, and what each source saw of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean

from bench.market.arrivals import most_of_one_kind, most_within, too_early
from bench.market.catalogue import OLDER_DELAYS
from bench.market.plan import Plan
from bench.market.stand import LIMITS, Ended, MarketStand, Site
from bench.speed.figures import Measurement

GOAL_RATIO, GOAL_MEBIBYTES, GOAL_GROWTH = 1.1, 400.0, 0.1
SOURCES = ("nse", "yahoo", "moneycontrol", "alpha_vantage")


def measure(stand: MarketStand, plan: Plan) -> Iterator[Measurement]:
    with stand.site(plan.market(), delays=OLDER_DELAYS) as site:
        site.run("populate")
        run = site.run("enrich")
        yield from _duration(site, run)
        yield from _limits(site, run)
        yield from _memory(run)


def _duration(site: Site, run: Ended) -> Iterator[Measurement]:
    counts = {slug: len(site.simulator.arrivals.of(slug, run.began)) for slug in SOURCES}
    forced = max(count / LIMITS[slug] for slug, count in counts.items())
    each = ", ".join(f"{slug} {count:,} ({count / max(run.total, 1):.2f} a stock)" for slug, count in counts.items())
    ratio = run.seconds / max(forced, 1e-9)
    yield Measurement(
        f"enrich of {run.total:,} stocks by two workers: time over what the limits alone force",
        f"{ratio:.3f}",
        f"<= {GOAL_RATIO}",
        ratio <= GOAL_RATIO and run.status == "success" and run.updated == run.total,
        (
            f"{run.seconds:.0f} s; the limits force {forced:.0f} s",
            f"run: {run.status}, {run.updated:,} updated, {run.failed:,} failed; {run.error or 'no source failed'}",
            f"requests: {each}",
            f"the same thing asked about a stock, at most: {most_of_one_kind(site.simulator.arrivals.of())}",
        ),
    )


def _limits(site: Site, run: Ended) -> Iterator[Measurement]:
    for slug in SOURCES:
        arrivals = site.simulator.arrivals.of(slug, run.began)
        if arrivals:
            worst, early = most_within(arrivals), too_early(arrivals, LIMITS[slug])
            average = len(arrivals) / max(arrivals[-1].at - arrivals[0].at, 1e-9)
            told = f"too early: {len(early)} of {len(arrivals):,} requests, by {max(early, default=0.0):.3f} s at most"
            yield Measurement(
                f"{slug}: most requests within any second, counted at the source",
                f"{worst} (on average {average:.2f})",
                f"<= {LIMITS[slug]}",
                worst <= LIMITS[slug],
                (told,) if early else (),
            )


def _memory(run: Ended) -> Iterator[Measurement]:
    working = [value for value in run.memory if value > 0]
    early, late = _part(working, 0.2, 0.4), _part(working, 0.8, 1.0)
    growth = mean(late) / mean(early) - 1
    yield Measurement(
        "memory of the largest worker with its work horse",
        f"{max(working):.0f} MiB",
        f"<= {GOAL_MEBIBYTES:g} MiB",
        max(working) <= GOAL_MEBIBYTES,
        (f"on average {mean(early):.0f} MiB in the second fifth of the run, {mean(late):.0f} MiB in the last",
         f"growth {growth * 100:+.1f} % (flat: at most {GOAL_GROWTH * 100:g} %)"),
    )  # fmt: skip


def _part(values: Sequence[float], start: float, end: float) -> Sequence[float]:
    return values[int(len(values) * start) : max(int(len(values) * end), int(len(values) * start) + 1)]
