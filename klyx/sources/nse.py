"""The National Stock Exchange: who is listed and where each belongs, and the quote of a symbol."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from klyx.sources import nse_lists, nse_quote
from klyx.sources.answers import as_source_error, document, require_success
from klyx.sources.base import (
    Deadline,
    Listing,
    SectorEntry,
    SourceError,
    SourceRecord,
    SourceUnavailable,
    SymbolUnknown,
)
from klyx.sources.circuit import Circuit
from klyx.sources.context import SourceContext
from klyx.sources.http import bounded_by

logger = logging.getLogger(__name__)

NAME, SLUG = "NSE", "nse"
SECTOR_LIST_NAME, SECTOR_LIST_SLUG = "The list of sectors", "sector_list"
SITE, ARCHIVES = "www.nseindia.com", "nsearchives.nseindia.com"
QUOTE_PATH = "/api/quote-equity"
EQUITIES, RENAMED = "/content/equities/EQUITY_L.csv", "/content/equities/symbolchange.csv"
# The first is the larger one and holds the second; whichever answers.
INDEX_LISTS = ("/content/indices/ind_niftytotalmarket_list.csv", "/content/indices/ind_nifty500list.csv")
SYMBOL = re.compile(r"[A-Z0-9&_-]{1,30}")
REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
# The site answers only to what looks like its own pages in a browser.
HEADERS = {
    "Accept": "application/json,text/html,application/xhtml+xml,text/csv;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-IN,en;q=0.9",
}
COOKIES_KEY, COOKIES_SECONDS = "nse:cookies", 240.0
RENAMED_KEY, RENAMED_SECONDS, RENAMED_RETRY_SECONDS = "nse:renamed", 86_400.0, 600.0


class NseSource:
    """One request a quote, one a list; before the first quote one more for cookies, shared by all processes."""

    name, slug = NAME, SLUG

    def __init__(self, context: SourceContext) -> None:
        self._memo = context.memo
        self._circuit = context.circuit(SLUG, NAME)
        self._session = context.session(NAME, SLUG, frozenset({SITE, ARCHIVES}))
        self._session.headers.update(HEADERS)
        self._sector_list_url = context.settings.sector_list_url
        if self._sector_list_url:
            # A host of its own, not one of the exchange's: neither its turns nor its circuit.
            host = urlsplit(self._sector_list_url).hostname or ""
            self._sector_session = context.session(SECTOR_LIST_NAME, SECTOR_LIST_SLUG, frozenset({host}))
            self._sector_circuit = context.circuit(SECTOR_LIST_SLUG)
        self._lock = threading.Lock()
        self._cookies_are_from = 0

    def fetch(self, symbol: str, deadline: Deadline) -> SourceRecord:
        """The quote of a symbol; of today's symbol of the company when it was renamed, which `_symbol` names then.

        Metadata: `_previous_close` (rupees), `_company_name`, `_isin`, `_sector`, `_industry`.
        """
        code = symbol.strip().upper()
        if not SYMBOL.fullmatch(code):
            raise SymbolUnknown(f"{symbol.strip()[:40]!r} is not an NSE symbol")
        try:
            with bounded_by(deadline):
                fields = self._quote(code, deadline)
                if fields is None and (today := self._renamed(deadline).get(code)):
                    fields = self._quote(today, deadline)
                    if fields is not None:
                        fields["_symbol"] = today
        except requests.RequestException as error:
            raise as_source_error(error, NAME) from error
        if fields is None:
            raise SymbolUnknown(f"{NAME} does not know the symbol {code}")
        return SourceRecord(code, NAME, datetime.now(UTC), fields)

    def listings(self, deadline: Deadline) -> Sequence[Listing]:
        """Every equity of the series EQ, BE and BZ."""
        return nse_lists.listings(self._archived(EQUITIES, deadline))

    def sectors(self, deadline: Deadline) -> Sequence[SectorEntry]:
        """From the configured list of sectors, and for companies it does not know from the exchange's indices.

        Without the configured list nothing is answered: its sectors are not to be replaced by coarser ones.
        """
        believed: Sequence[SectorEntry] = ()
        if self._sector_list_url:
            believed = nse_lists.sector_list(self._sector_list(deadline))
        try:
            return nse_lists.joined(believed, self._index_members(deadline))
        except SourceError as error:
            if not believed:
                raise
            logger.warning("Sectors of the indices are missing", extra={"source": NAME, "reason": str(error)})
            return believed

    def _index_members(self, deadline: Deadline) -> Sequence[SectorEntry]:
        failure: SourceError | None = None
        for path in INDEX_LISTS:
            try:
                return nse_lists.index_members(self._archived(path, deadline))
            except SourceUnavailable as error:
                failure = error
        raise failure or SourceUnavailable(f"{NAME} sent an empty list")

    def _archived(self, path: str, deadline: Deadline) -> bytes:
        return _downloaded(self._session, f"https://{ARCHIVES}{path}", NAME, self._circuit, deadline)

    def _sector_list(self, deadline: Deadline) -> bytes:
        circuit = self._sector_circuit
        return _downloaded(self._sector_session, self._sector_list_url, SECTOR_LIST_NAME, circuit, deadline)

    def _renamed(self, deadline: Deadline) -> dict[str, str]:
        """Today's symbol of every former one; empty when the list cannot be had now."""
        known: dict[str, str] | None = self._memo.get(RENAMED_KEY)
        if known is None:
            try:
                known, kept = nse_lists.renamed(self._archived(RENAMED, deadline)), RENAMED_SECONDS
            except SourceError as error:
                logger.info("Renamed symbols are missing", extra={"source": NAME, "reason": str(error)})
                known, kept = {}, RENAMED_RETRY_SECONDS
            self._memo.put(RENAMED_KEY, known, kept)
        return known

    def _quote(self, code: str, deadline: Deadline) -> nse_quote.Fields | None:
        """None when the exchange does not know the symbol."""
        response = self._with_cookies(code, deadline)
        if response.status_code == HTTPStatus.NOT_FOUND and _is_json(response):
            return None
        found = document(response, NAME, self._circuit, _tells_nothing)
        if not nse_quote.knows(found):
            if not _tells_nothing(found):
                return None
            raise SourceUnavailable(f"{NAME} sent an answer that cannot be read")
        fields = nse_quote.fields_of(found)
        if all(name.startswith("_") for name in fields):
            raise SourceUnavailable(f"{NAME} sent an answer without figures")
        return fields

    def _with_cookies(self, code: str, deadline: Deadline) -> requests.Response:
        """Asks again with new cookies, once, when the site does not honour those it gave."""
        page = f"https://{SITE}/get-quotes/equity?symbol={quote(code, safe='')}"
        used = self._cookies(page, deadline)
        for may_renew in (True, False):
            response = self._session.get(
                f"https://{SITE}{QUOTE_PATH}", params={"symbol": code}, headers={"Referer": page}
            )
            if not may_renew or response.status_code not in REFUSALS:
                break
            used = self._cookies(page, deadline, other_than=used)
        return response

    def _cookies(self, page: str, deadline: Deadline, other_than: int | None = None) -> int:
        """Has the session carry cookies of the site, and answers their number; `other_than` is the refused one's.

        One thread gets them for all that wait.
        """
        if not self._lock.acquire(timeout=deadline.remaining()):
            raise SourceUnavailable(f"{NAME} did not answer in time")
        try:
            if self._cookies_are_from and self._cookies_are_from != other_than:
                return self._cookies_are_from
            kept: Any = self._memo.get(COOKIES_KEY) if other_than is None else None
            self._session.cookies.clear()
            if isinstance(kept, dict):
                for name, value in kept.items():
                    self._session.cookies.set(name, value, domain=f".{SITE.removeprefix('www.')}")
            else:
                require_success(self._session.get(page), NAME, self._circuit)
                self._memo.put(COOKIES_KEY, self._session.cookies.get_dict(), COOKIES_SECONDS)
            self._cookies_are_from += 1
            return self._cookies_are_from
        finally:
            self._lock.release()


def _downloaded(session: requests.Session, url: str, source_name: str, circuit: Circuit, deadline: Deadline) -> bytes:
    try:
        with bounded_by(deadline):
            response = session.get(url)
    except requests.RequestException as error:
        raise as_source_error(error, source_name) from error
    require_success(response, source_name, circuit)
    circuit.understood()
    return response.content


def _tells_nothing(found: Any) -> bool:
    """Neither a quote nor the message about an unknown symbol."""
    return not nse_quote.knows(found) and not (isinstance(found, dict) and "msg" in found)


def _is_json(response: requests.Response) -> bool:
    return "json" in response.headers.get("Content-Type", "").lower()
