"""Which columns are filled after every kind of run, and how many stocks each ready-made screen then finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.market.plan import Plan
from bench.market.stand import LIMITS, Ended, MarketStand
from bench.speed.figures import Measurement
from klyx.database.models import Stock, StockMetadata
from klyx.services.screener.presets import PRESETS
from klyx.services.screener.run import matching_ids

RUNS = ("populate", "refresh", "technicals", "enrich", "news")
# What no source carries, and what is not a figure.
NOT_FROM_SOURCES = frozenset({"id", "stock_id", "created_at", "updated_at"})
# The measurement is of what arrives, not of how fast.
NO_LIMITS: Mapping[str, int] = dict.fromkeys(LIMITS, 200)


def measure(stand: MarketStand, plan: Plan) -> Iterator[Measurement]:
    with stand.site(plan.market(), limits=NO_LIMITS, settings={"MARKET_RUN_PARALLELISM": "16"}) as site:
        ended = {kind: site.run(kind) for kind in RUNS}
        with site.runtime.database.read() as session:
            filled, stocks = _filled(session)
            matches = {preset.id: len(matching_ids(session, preset.screen)) for preset in PRESETS}
    yield _runs(ended)
    empty = sorted(name for name, count in filled.items() if count == 0)
    partly = {name: count for name, count in filled.items() if count}
    lines = [f"{name} {count / stocks * 100:.0f} %" for name, count in sorted(partly.items(), key=lambda one: -one[1])]
    yield Measurement(
        f"columns filled for some of {stocks:,} stocks",
        f"{len(partly)} of {len(filled)}",
        "",
        None,
        (*_wrapped(lines), f"empty: {', '.join(empty) or 'none'}"),
    )
    yield Measurement(
        "ready-made screens that find something",
        f"{sum(count > 0 for count in matches.values())} of {len(matches)}",
        f"{len(matches)}",
        all(matches.values()),
        tuple(_wrapped([f"{name} {count}" for name, count in matches.items()])),
    )


def _runs(ended: Mapping[str, Ended]) -> Measurement:
    return Measurement(
        "every kind of run",
        ", ".join(f"{kind} {one.status}" for kind, one in ended.items()),
        "success",
        all(one.status == "success" for one in ended.values()),
        tuple(
            f"{kind:<11} {one.seconds:6.1f} s  {one.updated:,} of {one.total:,} updated, {one.failed:,} failed"
            f"  {one.error or ''}"
            for kind, one in ended.items()
        ),
    )


def _filled(session: Session) -> tuple[dict[str, int], int]:
    filled: dict[str, int] = {}
    for table in (Stock.__table__, StockMetadata.__table__):
        columns = [column for column in table.columns if column.name not in NOT_FROM_SOURCES]
        counts = session.execute(select(*(func.count(column) for column in columns))).one()
        filled |= {column.name: int(count) for column, count in zip(columns, counts, strict=True)}
    return filled, int(session.scalar(select(func.count()).select_from(Stock)) or 0)


def _wrapped(words: list[str], each: int = 8) -> list[str]:
    return [", ".join(words[start : start + each]) for start in range(0, len(words), each)]
