"""populate: the exchange's whole list and its sectors, the first time and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import func, select

from bench.market import Market
from bench.market.plan import Plan
from bench.market.stand import MarketStand, Site
from bench.speed.figures import Measurement
from klyx.database.models import Stock

SERIES = ("EQ", "BE", "BZ")


def measure(stand: MarketStand, plan: Plan) -> Iterator[Measurement]:
    market = Market.from_folder(plan.data) if plan.data else plan.market()
    wanted = sum(one.series in SERIES for one in market.listed)
    with stand.site(market, workers=1) as site:
        first = site.run("populate")
        stocks, with_sector = _counts(site)
        again = site.run("populate")
        still, _ = _counts(site)
        asked = Counter(one.what for one in site.simulator.arrivals.of(since=first.began))
    yield Measurement(
        f"populate: stocks of {wanted:,} in the list",
        f"{stocks:,} in {first.seconds:.1f} s",
        f"{wanted:,}",
        stocks == wanted and first.status == "success",
        (
            f"run: {first.status}, {first.updated:,} new or changed, {first.failed:,} failed; {dict(first.details)}",
            f"{with_sector:,} of them have a sector",
            f"requests of both runs: {dict(asked)}",
        ),
    )
    yield Measurement(
        "populate again: changes",
        f"{again.updated:,} in {again.seconds:.1f} s",
        "0",
        again.updated == 0 and still == stocks and again.status == "success",
    )


def _counts(site: Site) -> tuple[int, int]:
    """Stocks with a symbol, and those of them with a sector."""
    with site.runtime.database.read() as session:
        counted = select(func.count(Stock.nse_code), func.count(Stock.sector_name))
        stocks, sectors = session.execute(counted).one()
    return int(stocks), int(sectors)
