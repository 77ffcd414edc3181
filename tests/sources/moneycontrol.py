"""A MoneyControl on this machine for tests, and a source that asks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.market import Answer, Company, Market, Query, State, moneycontrol_documents
from bench.market.server import Simulator
from klyx.sources.base import Deadline
from klyx.sources.context import SourceContext
from klyx.sources.moneycontrol import MoneyControlSource
from klyx.sources.settings import SourceSettings

MARKET = Market.generated(80)
GROUP = next(company for company in MARKET if company.has_subsidiaries and not company.is_financial)
SINGLE = next(company for company in MARKET if not company.has_subsidiaries and not company.is_financial)
BANK = next(company for company in MARKET if company.is_financial and company.has_subsidiaries)
HOST = "www.moneycontrol.com"


@dataclass
class Documents:
    """The documents of the simulated source; `replaced` stands in for those whose path contains a key."""

    replaced: dict[str, Answer] = field(default_factory=dict)
    slug: str = "moneycontrol"

    def symbol_of(self, host: str, path: str, query: Query, /) -> str | None:
        return moneycontrol_documents.symbol_of(host, path, query)

    def answer(self, company: Company | None, host: str, path: str, query: Query, state: State, /) -> Answer:
        for part, answer in self.replaced.items():
            if part in path:
                return answer
        return moneycontrol_documents.answer(company, host, path, query, state)


def page(body: str) -> Answer:
    return 200, {"Content-Type": "text/html; charset=utf-8"}, f"<html><body>{body}</body></html>".encode()


@contextmanager
def moneycontrol(replaced: Mapping[str, Answer] | None = None) -> Iterator[tuple[Simulator, Documents]]:
    documents = Documents(dict(replaced or {}))
    with Simulator(MARKET, sources={HOST: documents}) as simulator:
        yield simulator, documents


def source_of(simulator: Simulator, **settings: Any) -> MoneyControlSource:
    quick: dict[str, Any] = {
        "connect_timeout_seconds": 2.0,
        "read_timeout_seconds": 2.0,
        "request_timeout_seconds": 2.0,
        "backoff_seconds": 0.01,
        "base_url_rewrites": simulator.rewrites,
    }
    return MoneyControlSource(SourceContext(SourceSettings(**{**quick, **settings})))


def soon() -> Deadline:
    return Deadline(10)
