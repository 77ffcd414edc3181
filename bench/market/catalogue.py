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


def share_of_delay(slug: str, path: str, company: Company | None) -> float:
    """The part of its source's delay that a request takes.

    Those of one fetch that follow one another take all of it together; those that leave together wait together.
    """
    if slug == "moneycontrol" and company is not None:
        # A search, then the account of the group beside the owners; the company's own where there is no group.
        return 2 / 3 if "/consolidated-" in path and company.has_subsidiaries else 1 / 3
    if slug in OLDER_DELAYS and company is None:
        # Cookies and whole lists are asked for once, not for each stock.
        return 0.0
    return 1.0
