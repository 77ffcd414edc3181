"""An exchange on this machine, for the tests of its source and of the client."""

from __future__ import annotations

from typing import Any

from bench.market import Company, Market
from bench.market.server import Simulator
from klyx.sources.base import Deadline
from klyx.sources.context import SourceContext
from klyx.sources.nse import NseSource
from klyx.sources.settings import SourceSettings

MARKET = Market.generated(60)
COMPANY: Company = next(company for company in MARKET if company.pe is not None)
SECTOR_LIST_URL = "https://sectors.example/nse_sectors.csv"


def context_of(simulator: Simulator, **changes: Any) -> SourceContext:
    """What sources share, giving up quickly."""
    quick: dict[str, Any] = {
        "connect_timeout_seconds": 2.0,
        "read_timeout_seconds": 0.5,
        "request_timeout_seconds": 1.0,
        "backoff_seconds": 0.01,
        "base_url_rewrites": simulator.rewrites,
    }
    return SourceContext(SourceSettings(**{**quick, **changes}))


def exchange(simulator: Simulator, **changes: Any) -> NseSource:
    return NseSource(context_of(simulator, **changes))


def soon() -> Deadline:
    return Deadline(10)


def asked(simulator: Simulator, part: str = "") -> int:
    """Requests to the exchange whose path contains `part`."""
    return sum(part in one.what for one in simulator.arrivals.of("nse"))
