"""Bad weather: each failure at each source during a run over stocks whose figures are good, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from redis import Redis
from sqlalchemy import select, update

from bench.market import Market
from bench.market.companies import RENAMED, Listed
from bench.market.failures import KINDS, Kind
from bench.market.plan import Plan
from bench.market.stand import LIMITS, Ended, MarketStand, Site
from bench.speed.figures import Measurement
from klyx.database.models import Stock, StockMetadata

SOURCES = ("nse", "yahoo", "moneycontrol")
STOCKS = 12
# How long a run over so few stocks may take when one source is down: its timeouts until the breaker opens, or
# the one rest it is given.
GOAL_SECONDS = 100.0
NO_LIMITS = dict.fromkeys(LIMITS, 100)
RENAMED_COMPANY = Listed(
    symbol="ETERNAL",
    name="Eternal Limited",
    series="EQ",
    isin="INE758T01015",
    listed_on=date(2021, 7, 23),
    face_value=1.0,
    sector="Consumer Services",
    industry="Internet Services",
    website="https://www.eternal.example",
)
# These change with every run.
_MOVING = frozenset(
    {"id", "stock_id", "created_at", "updated_at", "last_updated", "data_quality_score", "data_sources"}
)
Values = Mapping[str, Mapping[str, Any]]


class Row(NamedTuple):
    name: str
    kind: Kind
    retry_after: str | None = None


ROWS = tuple(
    row
    for kind in KINDS
    for row in (
        (Row("429 with Retry-After", "429", "2"), Row("429 without Retry-After", "429")) if kind == "429"
        else (Row(kind.replace("_", " "), kind),)
    )
)  # fmt: skip


def measure(stand: MarketStand, plan: Plan) -> Iterator[Measurement]:
    settings = {"SOURCE_RATE_LIMIT_PAUSE_SECONDS": "5"}
    market = Market([*Market.generated(STOCKS).listed, RENAMED_COMPANY])
    with stand.site(market, workers=1, limits=NO_LIMITS, settings=settings) as site:
        site.run("populate")
        fine = site.run("enrich")
        good = _values(site)
        if fine.status != "success":
            raise RuntimeError(f"a run in good weather ended with {fine.status}: {fine.error}")
        for slug in SOURCES:
            for row in ROWS[:: 4 if plan.is_quick else 1]:
                found = _row(stand, site, slug, row, good)
                yield found
                if not found.is_met:
                    # The next row begins with good figures as well.
                    _forget(stand)
                    site.run("enrich", give_up_seconds=300.0)
                    good = _values(site)
        yield _renamed(stand, site)


def _row(stand: MarketStand, site: Site, slug: str, row: Row, good: Values) -> Measurement:
    _forget(stand)
    lines_before = len(site.log_lines())
    site.simulator.fail(row.kind, slug=slug, retry_after=row.retry_after)
    try:
        run = site.run("enrich", give_up_seconds=900.0)
    finally:
        site.simulator.recover()
    after = _values(site)
    lost, changed = _compared(good, after)
    arrivals = site.simulator.arrivals
    failing = len(arrivals.of(slug, run.began))
    others = {one: len(arrivals.of(one, run.began)) for one in SOURCES if one != slug}
    logged = _logged(site.log_lines()[lines_before:], slug)
    is_well = not lost and not changed and run.updated == run.total and run.seconds <= GOAL_SECONDS
    return Measurement(
        f"{slug}: {row.name}",
        f"run {run.status} in {run.seconds:.1f} s, {run.updated} of {run.total} updated; {_failures(run, slug)}",
        "all updated by the other sources, nothing good lost",
        is_well,
        (
            f"requests to it {failing}, to the others {others}; lines logged about it {logged}",
            *((f"lost: {', '.join(lost[:6])}",) if lost else ()),
            *((f"changed: {', '.join(changed[:6])}",) if changed else ()),
        ),
    )


def _renamed(stand: MarketStand, site: Site) -> Measurement:
    """A stock that is known by yesterday's symbol: figures by it, and its symbol after the next populate."""
    _forget(stand)
    (former, today), *_ = RENAMED.items()
    with site.runtime.database.begin() as session:
        session.execute(update(Stock).where(Stock.nse_code == today).values(nse_code=former, current_price=None))
    run = site.run("enrich", give_up_seconds=300.0)
    price = _values(site)[former]["current_price"]
    listed = site.run("populate", give_up_seconds=300.0)
    changes = listed.details.get("renamed")
    company = site.simulator.market.company(today)
    symbols = set(_values(site))
    return Measurement(
        f"yesterday's symbol: {former} is {today} now",
        f"run {run.status}; price {price} by the former symbol; after populate known as "
        f"{' and '.join(sorted(symbols & {former, today}))}",
        f"its price, and {today} alone",
        company is not None and price == company.price and symbols & {former, today} == {today},
        (f"failures {dict(run.details.get('failures', {}))}; populate {listed.status}: {changes}",),
    )


def _forget(stand: MarketStand) -> None:
    """What is remembered of the sources' answers and rests: each row begins with a fresh memory."""
    address = stand.redis.url.rpartition("/")[0]
    for database in (0, 1):
        with Redis.from_url(f"{address}/{database}") as client:
            for pattern in ("klyx:source*", "klyx:memo*", "klyx:pace*", "klyx:gather*"):
                for key in client.scan_iter(pattern):
                    client.delete(key)


def _values(site: Site) -> Values:
    """Symbol -> column -> value, of everything but what changes with every run."""
    statement = (
        select(*Stock.__table__.columns, *(one for one in StockMetadata.__table__.columns if one.name not in _MOVING))
        .join(StockMetadata.__table__, StockMetadata.stock_id == Stock.id, isouter=True)
        .where(Stock.nse_code.is_not(None))
    )
    with site.runtime.database.read() as session:
        return {
            row["nse_code"]: {name: value for name, value in row.items() if name not in _MOVING}
            for row in session.execute(statement).mappings()
        }


def _compared(before: Values, after: Values) -> tuple[list[str], list[str]]:
    """(what was known and is not any more, what another good source would not have said), as "M&M.pe_ttm"."""
    lost: list[str] = []
    changed: list[str] = []
    for symbol, values in before.items():
        for name, value in values.items():
            now = after[symbol][name]
            if value is not None and now is None:
                lost.append(f"{symbol}.{name}")
            elif isinstance(value, (int, float)) and isinstance(now, (int, float)):
                # Sources round differently and define some ratios differently, but not by an order of magnitude.
                low, high = sorted((abs(value), abs(now)))
                if high > 10 * max(low, 1.0):
                    changed.append(f"{symbol}.{name} {value:g} -> {now:g}")
    return lost, changed


def _failures(run: Ended, slug: str) -> str:
    failures = run.details.get("failures", {})
    words = failures.get(slug, {})
    told = ", ".join(f"{count} {word}" for word, count in words.items()) or "no failure counted"
    others = [one for one in failures if one != slug]
    return f"{told}{f'; also failing: {others}' if others else ''}"


def _logged(lines: list[str], slug: str) -> int:
    """Warnings and errors that name the source."""
    names = {"nse": "NSE", "yahoo": "Yahoo Finance", "moneycontrol": "MoneyControl"}
    count = 0
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record.get("level") in ("WARNING", "ERROR") and record.get("source") in (slug, names[slug]):
            count += 1
    return count
