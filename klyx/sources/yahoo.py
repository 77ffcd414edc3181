"""Yahoo Finance through yfinance, with our own session."""

from __future__ import annotations

import importlib
import logging
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from klyx.sources.base import (
    Deadline,
    SourceError,
    SourceRateLimited,
    SourceRecord,
    SourceUnavailable,
    SymbolUnknown,
)
from klyx.sources.circuit import Circuit
from klyx.sources.http import SourceSettings, bounded_by, new_session, retry_after_seconds
from klyx.sources.yahoo_fields import (
    Fields,
    fields_from_balance_sheet,
    fields_from_info,
    fields_from_quarters,
    reports_in_rupees,
)

logger = logging.getLogger(__name__)

NAME = "Yahoo Finance"
DATA_HOSTS = frozenset({"query1.finance.yahoo.com", "query2.finance.yahoo.com"})
# Where yfinance gets its cookie, and its consent in Europe.
COOKIE_HOSTS = frozenset({"fc.yahoo.com", "guce.yahoo.com", "consent.yahoo.com", "finance.yahoo.com"})
CRUMB_PATH = "/getcrumb"
QUOTE_SUMMARY_PATH = "/v10/finance/quoteSummary/"
REFUSALS = frozenset({401, 403})
EXCHANGE_SUFFIXES = (".NS", ".BO")
SYMBOL = re.compile(r"[A-Z0-9&_-]{1,30}")


class YahooSource:
    """Asks Yahoo for the figures of NSE symbols; build one per process, because yfinance keeps one session.

    yfinance takes half a second and 100 MB to import, so it is imported by the first `fetch`.
    """

    name = NAME
    slug = "yahoo"

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings
        self._circuit = Circuit(NAME, settings.circuit_failures, settings.circuit_open_seconds)
        # yfinance takes a session of requests although it prefers curl_cffi's when it makes its own.
        self._session = new_session(NAME, DATA_HOSTS | COOKIE_HOSTS, settings, self._circuit)
        self._session.hooks["response"].append(self._refuse_error_status)
        self._lock = threading.Lock()
        self._yfinance: Any = None

    def fetch(self, symbol: str, deadline: Deadline) -> SourceRecord:
        """The figures of a symbol of the NSE, or of the BSE when Yahoo does not know it there.

        Metadata: `_ticker`, `_company_name`, `_sector`, `_industry`, `_previous_close` (rupees),
        `_statement_currency`. One field goes beyond the vocabulary: `quarterly_revenue_growth`, a fraction.
        Raises SymbolUnknown, SourceUnavailable or SourceRateLimited, and nothing else.
        """
        code = re.sub(r"\.(NS|BO)$", "", symbol.strip().upper())
        if not SYMBOL.fullmatch(code):
            raise SymbolUnknown(f"{symbol.strip()[:40]!r} is not an NSE symbol")
        # Whatever yfinance raises, callers see a SourceError.
        try:
            with bounded_by(deadline):
                for suffix in EXCHANGE_SUFFIXES:
                    fields = self._fields(code + suffix)
                    if fields:
                        return SourceRecord(code, NAME, datetime.now(UTC), fields)
        except Exception as error:
            raise self._as_source_error(error) from error
        raise SymbolUnknown(f"{NAME} does not know the symbol {code}")

    def _fields(self, ticker_symbol: str) -> Fields:
        """Empty when Yahoo does not know the ticker."""
        ticker = self._library().Ticker(ticker_symbol, session=self._session)
        try:
            info = self._info(ticker)
        except SymbolUnknown:
            return {}
        fields = fields_from_info(info)
        if all(name.startswith("_") for name in fields):
            return {}
        if reports_in_rupees(info):
            self._add_statements(fields, ticker)
        fields["_ticker"] = ticker_symbol
        return fields

    def _info(self, ticker: Any) -> dict[str, Any]:
        try:
            return dict(ticker.get_info())
        except requests.HTTPError as error:
            if error.response.status_code not in REFUSALS:
                raise
        # yfinance keeps its cookie on disk until it expires, also one that Yahoo no longer honours.
        self._session.cookies.clear()
        self._library().cache.get_cookie_cache().store("curlCffi", None)
        return dict(self._library().Ticker(ticker.ticker, session=self._session).get_info())

    def _add_statements(self, fields: Fields, ticker: Any) -> None:
        """Adds what the statements hold. A quote without them is still worth having: they cannot fail it."""
        try:
            fields.update(fields_from_balance_sheet(ticker.get_balance_sheet(freq="yearly")))
            quarters = ticker.get_income_stmt(freq="quarterly")
            fields.update(fields_from_quarters(quarters, datetime.now(UTC).date()))
        except Exception as error:  # noqa: BLE001 - yfinance raises anything
            logger.info("Statements are missing", extra={"ticker": ticker.ticker, "error": type(error).__name__})

    def _library(self) -> Any:
        with self._lock:
            if self._yfinance is None:
                library = importlib.import_module("yfinance")
                # Otherwise failures are only logged and look like companies without figures.
                library.config.debug.hide_exceptions = False
                if self._settings.cache_folder is not None:
                    library.set_tz_cache_location(str(self._settings.cache_folder))
                self._yfinance = library
            return self._yfinance

    def _refuse_error_status(self, response: requests.Response, **_: Any) -> None:
        """Ends a request whose answer yfinance would misread.

        It takes an error page for a crumb, forgets Retry-After, and asks for new cookies after every unknown
        symbol. Refusals are left to it: new cookies are the cure.
        """
        address = urlsplit(response.url)
        status = response.status_code
        if address.hostname not in DATA_HOSTS:
            return
        is_crumb = address.path.endswith(CRUMB_PATH)
        if status == 429 or (is_crumb and "Too Many Requests" in response.text):
            seconds = retry_after_seconds(response, self._settings.rate_limit_pause_seconds)
            self._circuit.rest(seconds)
            raise SourceRateLimited(f"{NAME} limits how often it may be asked", seconds)
        if status < 400 or status in REFUSALS or (is_crumb and status < 500):
            return
        # Whatever stands between us and Yahoo can say 404 as well; only Yahoo's own counts.
        if status == 404 and address.path.startswith(QUOTE_SUMMARY_PATH) and '"quoteSummary"' in response.text:
            raise SymbolUnknown(f"{NAME} does not know the symbol")
        raise SourceUnavailable(f"{NAME} answered with an error")

    def _as_source_error(self, error: Exception) -> SourceError:
        """What the caller learns. yfinance can fail while it handles a failure: the first cause counts."""
        for cause in _causes(error):
            if isinstance(cause, SourceError):
                return cause
            if isinstance(cause, requests.Timeout):
                return SourceUnavailable(f"{NAME} did not answer in time")
            if isinstance(cause, requests.HTTPError):
                return SourceUnavailable(f"{NAME} refused the request")
            if isinstance(cause, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
                return SourceUnavailable(f"{NAME} could not be reached")
        logger.warning("Unreadable answer of a source", extra={"source": NAME, "error": type(error).__name__})
        return SourceUnavailable(f"{NAME} sent an answer that cannot be read")


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
