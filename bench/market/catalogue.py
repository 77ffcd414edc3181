"""Which module answers for which host, and how a source's delay is spread over the requests of one fetch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Final, Protocol, cast

from bench.market import Answer, Company, Query, State

SLUGS: Final = ("nse", "yahoo", "moneycontrol", "alpha_vantage", "google_news")
# Seconds of one whole fetch, from the report on the older system.
OLDER_DELAYS: Final[Mapping[str, float]] = {"nse": 0.5, "yahoo": 1.0, "moneycontrol": 1.5}
# How many requests of one fetch follow one another; those that leave together wait together.
_REQUESTS_IN_A_ROW: Final[Mapping[str, int]] = {"nse": 1, "yahoo": 1, "moneycontrol": 1}


class Documents(Protocol):
    """What a module of documents has, and the slug of its source."""

    slug: str

    def symbol_of(self, host: str, path: str, query: Query, /) -> str | None: ...

    def answer(self, company: Company | None, host: str, path: str, query: Query, state: State, /) -> Answer: ...


class _Module:
    def __init__(self, slug: str) -> None:
        module = import_module(f"bench.market.{slug}_documents")
        self.slug = slug
        self.hosts: tuple[str, ...] = tuple(module.HOSTS)
        self._module = module

    def symbol_of(self, host: str, path: str, query: Query, /) -> str | None:
        return cast("str | None", self._module.symbol_of(host, path, query))

    def answer(self, company: Company | None, host: str, path: str, query: Query, state: State, /) -> Answer:
        return cast("Answer", self._module.answer(company, host, path, query, state))


@cache
def documents() -> Mapping[str, Documents]:
    """The documents of every host."""
    written = [slug for slug in SLUGS if find_spec(f"bench.market.{slug}_documents")]
    return {host: module for module in map(_Module, written) for host in module.hosts}


def share_of_delay(slug: str, host: str, path: str) -> float:
    """The part of its source's delay that a request takes; those of one fetch in a row take all of it."""
    if host == "fc.yahoo.com" or "getcrumb" in path:
        # Once for a process, not for each stock.
        return 0.0
    return 1.0 / _REQUESTS_IN_A_ROW.get(slug, 1)
