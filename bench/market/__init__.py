"""Simulated market-data sources, and what is measured against them: `python -m bench.market`.

One server stands for every host. The first segment of a path names the host that was meant, so
`SOURCE_REWRITES` maps each host to `http://127.0.0.1:<port>/<host>`. What a host answers is written by one module
for each source, `bench/market/<slug>_documents.py`, with these names:

    HOSTS: tuple[str, ...]                          # every host of this source
    def symbol_of(host: str, path: str, query: Query) -> str | None
        # the NSE symbol a request asks for ("M&M", without ".NS"), None when it asks for none or for many
    def answer(company: Company | None, host: str, path: str, query: Query, state: State) -> Answer
        # company: of symbol_of, None when there is no symbol or it is not listed; path has no leading slash

`Query` is what `urllib.parse.parse_qs` gives, `Answer` is (status, headers, body). `state.market` knows every
company, `state.headers` are those of the request with names in lower case. Delays, failures on demand, counting
and gzip are the server's business. A document is a pure function of its arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.market.companies import Company, Market

Query = Mapping[str, list[str]]
Answer = tuple[int, dict[str, str], bytes]

__all__ = ["Answer", "Company", "Market", "Query", "State"]


@dataclass(frozen=True, slots=True)
class State:
    """What an answer may depend on besides the address that was asked. Made for each request."""

    market: Market
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
