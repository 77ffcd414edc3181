"""Asking Yahoo through yfinance's data layer, which keeps its cookie and crumb, and reading what goes wrong."""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from klyx.sources.base import SourceError, SourceRateLimited, SourceUnavailable, SourceUnreadable, SymbolUnknown
from klyx.sources.context import SourceContext
from klyx.sources.http import retry_after_seconds

logger = logging.getLogger(__name__)

NAME = "Yahoo Finance"
SLUG = "yahoo"
DATA_HOST = "https://query2.finance.yahoo.com"
DATA_HOSTS = frozenset({"query1.finance.yahoo.com", "query2.finance.yahoo.com"})
# Where yfinance gets its cookie, and its consent in Europe.
COOKIE_HOSTS = frozenset({"fc.yahoo.com", "guce.yahoo.com", "consent.yahoo.com", "finance.yahoo.com"})
CRUMB_PATH = "/getcrumb"
QUOTE_SUMMARY_PATH = "/v10/finance/quoteSummary/"
CHART_PATH = "/v8/finance/chart/"
SERIES_PATH = "/ws/fundamentals-timeseries/v1/finance/timeseries/"
# Whose own 404 means that the ticker is unknown, and what it then holds.
TELLS_UNKNOWN = {QUOTE_SUMMARY_PATH: '"quoteSummary"', CHART_PATH: '"chart"'}
REFUSALS = frozenset({401, 403})
PAGE_SIZE = 250


class YahooClient:
    """One per process, because yfinance keeps one session. Safe for threads.

    yfinance takes half a second and 100 MB to import, so the first question does it. What the methods raise is
    anything at all; `as_source_error` makes a SourceError of it.
    """

    def __init__(self, context: SourceContext) -> None:
        self._settings = context.settings
        self._circuit = context.circuit(SLUG, NAME)
        # yfinance takes a session of requests although it prefers curl_cffi's when it makes its own.
        self._session = context.session(NAME, SLUG, DATA_HOSTS | COOKIE_HOSTS)
        self._session.hooks["response"].append(self._refuse_error_status)
        self._lock = threading.Lock()
        self._yfinance: Any = None

    def ask(self, path: str, ticker: str, parameters: Mapping[str, str]) -> Any:
        """The JSON document about a ticker."""
        address = f"{DATA_HOST}{path}{quote(ticker, safe='')}"
        return self._with_new_cookies_if_refused(lambda: self._data().get_raw_json(address, params=dict(parameters)))

    def page_of_exchange(self, offset: int) -> Mapping[str, Any]:
        """PAGE_SIZE quotes of the NSE, the largest companies first: `quotes` and `total`."""
        library = self._library()
        listed = library.EquityQuery("eq", ["exchange", "NSI"])
        order = {"sortField": "intradaymarketcap", "sortAsc": False}
        page = self._with_new_cookies_if_refused(
            lambda: library.screen(listed, offset=offset, size=PAGE_SIZE, session=self._session, **order)
        )
        if not isinstance(page, dict) or not isinstance(page.get("quotes"), list):
            raise SourceUnreadable(f"{NAME} sent an answer that cannot be read")
        return page

    def _with_new_cookies_if_refused(self, ask: Callable[[], Any]) -> Any:
        """yfinance keeps its cookie on disk until it expires, also one that Yahoo no longer honours."""
        try:
            return ask()
        except requests.HTTPError as error:
            if error.response.status_code not in REFUSALS:
                raise
        self._session.cookies.clear()
        self._library().cache.get_cookie_cache().store("curlCffi", None)
        data = self._data()
        # It takes the page that refuses a crumb for one, and keeps it; there is no public way to make it forget.
        data._cookie = data._crumb = None  # noqa: SLF001
        return ask()

    def understood(self) -> None:
        self._circuit.understood()

    def as_source_error(self, error: Exception) -> SourceError:
        """What the caller learns. yfinance can fail while it handles a failure: the first cause counts."""
        for cause in _causes(error):
            if isinstance(cause, SourceError):
                if isinstance(cause, SourceUnreadable):
                    self._circuit.misunderstood()
                return cause
            if isinstance(cause, requests.Timeout):
                return SourceUnavailable(f"{NAME} did not answer in time")
            if isinstance(cause, requests.HTTPError):
                return SourceUnavailable(f"{NAME} refused the request")
            if isinstance(cause, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
                return SourceUnavailable(f"{NAME} could not be reached")
        logger.info("Unreadable answer of a source", extra={"source": NAME, "error": type(error).__name__})
        self._circuit.misunderstood()
        return SourceUnavailable(f"{NAME} sent an answer that cannot be read")

    def _data(self) -> Any:
        return importlib.import_module("yfinance.data").YfData(session=self._session)

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

    def prepare(self) -> None:
        """Import yfinance and tell it where to keep its cookie, before several threads ask at once."""
        self._library()

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
        if status == 404 and any(address.path.startswith(p) and w in response.text for p, w in TELLS_UNKNOWN.items()):
            raise SymbolUnknown(f"{NAME} does not know the symbol")
        if status < 500:
            self._circuit.misunderstood()
        raise SourceUnavailable(f"{NAME} answered with an error")


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
