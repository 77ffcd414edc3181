"""Yahoo Finance through yfinance, with our own session."""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from klyx.sources.base import (
    DailyBar,
    DayQuote,
    Deadline,
    SourceCircuitOpen,
    SourceRecord,
    SourceUnavailable,
    StatementKind,
    Statements,
    SymbolUnknown,
)
from klyx.sources.context import SourceContext
from klyx.sources.http import bounded_by
from klyx.sources.yahoo_client import CHART_PATH, NAME, PAGE_SIZE, QUOTE_SUMMARY_PATH, SERIES_PATH, SLUG, YahooClient
from klyx.sources.yahoo_fields import Fields, fields_from_info, fields_from_series, info_from, reports_in_rupees
from klyx.sources.yahoo_numbers import RUPEES
from klyx.sources.yahoo_prices import bars_from, day_quote
from klyx.sources.yahoo_series import Series, series_from, type_names
from klyx.sources.yahoo_statements import ANNUAL_ITEMS, QUARTERLY_ITEMS, sections_from
from klyx.sources.yahoo_symbols import INDICES, SUFFIX_OF_NSE, code_of, tickers_of

logger = logging.getLogger(__name__)

T = TypeVar("T")

MODULES = "financialData,quoteType,defaultKeyStatistics,assetProfile,summaryDetail"
# Yahoo keeps four or five years of statements.
SERIES_SINCE = datetime(2016, 1, 1, tzinfo=UTC)
# Of the time that is left: whoever asks for all at once stops listening at the deadline, to the quote as well.
STATEMENTS_SHARE_OF_TIME = 0.85


class YahooSource:
    """Asks Yahoo about NSE symbols; build one per process, because yfinance keeps one session.

    A fetch is two requests side by side, a history one, the whole exchange one for 250 companies, statements one;
    the first of a process needs two more, for a cookie and its crumb.
    """

    name = NAME
    slug = SLUG

    def __init__(self, context: SourceContext) -> None:
        self._client = YahooClient(context)
        self._settings = context.settings
        # A second request of each stock that is asked at the same time.
        self._threads = ThreadPoolExecutor(4 * max(1, context.settings.parallelism), thread_name_prefix="yahoo")

    def fetch(self, symbol: str, deadline: Deadline) -> SourceRecord:
        """The figures of a symbol of the NSE, or of the BSE when Yahoo does not know it there.

        Metadata: `_ticker`, `_company_name`, `_sector`, `_industry`, `_website`, `_description`, `_previous_close`
        (rupees), `_statement_currency`. Raises SymbolUnknown, SourceUnavailable or SourceRateLimited, and nothing else.
        """
        code = code_of(symbol)
        return self._answered(deadline, lambda: self._record(code, deadline))

    def history(self, symbol: str, since: date, deadline: Deadline) -> Sequence[DailyBar]:
        """The daily bars of a symbol, or of an index of `yahoo_symbols.INDICES`, from `since` on, oldest first.

        Prices are adjusted for splits and bonus shares, not for dividends. Empty when nothing was traded.
        """
        index = INDICES.get(symbol.strip().upper())
        tickers = (index,) if index is not None else tickers_of(code_of(symbol))
        return self._answered(deadline, lambda: self._first_known(tickers, lambda ticker: self._bars(ticker, since)))

    def day_quotes(self, deadline: Deadline) -> Iterator[Sequence[DayQuote]]:
        """The whole exchange, 250 companies a page, the largest first."""
        offset = 0
        while True:
            page = self._page(offset, deadline)
            quotes = [quote for listed in page["quotes"] if (quote := day_quote(listed)) is not None]
            yield quotes
            offset += PAGE_SIZE
            total = page.get("total")
            if not page["quotes"] or not isinstance(total, int) or offset >= total:
                return

    def _page(self, offset: int, deadline: Deadline) -> Mapping[str, Any]:
        """A page is asked for with a POST, which the client never repeats; this one changes nothing at Yahoo."""
        attempt = 1
        while True:
            try:
                return self._answered(deadline, lambda: self._client.page_of_exchange(offset))
            except SourceCircuitOpen:
                raise
            except SourceUnavailable:
                if attempt >= self._settings.max_attempts or deadline.expired:
                    raise
            pause = self._settings.backoff_seconds * 2 ** (attempt - 1)
            threading.Event().wait(min(pause, deadline.remaining()))
            attempt += 1

    def statements(self, symbol: str, kind: StatementKind, deadline: Deadline) -> Statements:
        """The last years in the form of the contract, in crores.

        Yahoo has one set of statements per company and does not say of which kind they are. Raises SymbolUnknown
        for a company without statements in rupees.
        """
        code = code_of(symbol)

        def ask() -> Statements:
            series = self._first_known(tickers_of(code), self._known_series)
            sections = sections_from(series) if series.currency == RUPEES else {}
            if not any(sections.values()):
                raise SymbolUnknown(f"{NAME} has no statements in rupees of {code}")
            return Statements(code, kind, NAME, datetime.now(UTC), sections)

        return self._answered(deadline, ask)

    def _answered(self, deadline: Deadline, ask: Callable[[], T]) -> T:
        """Whatever yfinance raises, callers see a SourceError."""
        try:
            with bounded_by(deadline):
                self._client.prepare()
                answer = ask()
        except Exception as error:
            raise self._client.as_source_error(error) from error
        self._client.understood()
        return answer

    def _record(self, code: str, deadline: Deadline) -> SourceRecord:
        for ticker in tickers_of(code):
            fields = self._fields(ticker, deadline)
            if fields:
                return SourceRecord(code, NAME, datetime.now(UTC), {**fields, "_ticker": ticker})
        raise SymbolUnknown(f"{NAME} does not know the symbol {code}")

    def _first_known(self, tickers: Sequence[str], ask: Callable[[str], T]) -> T:
        *others, last = tickers
        for ticker in others:
            try:
                return ask(ticker)
            except SymbolUnknown:
                continue
        return ask(last)

    def _fields(self, ticker: str, deadline: Deadline) -> Fields:
        """Empty when Yahoo does not know the ticker. A quote without statements is still worth having."""
        soon = Deadline(deadline.remaining() * STATEMENTS_SHARE_OF_TIME)
        beside = self._beside(self._series, ticker, soon) if ticker.endswith(SUFFIX_OF_NSE) else None
        try:
            info = info_from(self._client.ask(QUOTE_SUMMARY_PATH, ticker, {"modules": MODULES, **_PLAIN}))
        except SymbolUnknown:
            info = {}
        fields = fields_from_info(info)
        if all(name.startswith("_") for name in fields):
            if beside is not None:
                beside.cancel()
            return {}
        try:
            series = (beside or self._beside(self._series, ticker, soon)).result(soon.remaining())
        except Exception as error:  # noqa: BLE001 - yfinance raises anything
            logger.info("Statements are missing", extra={"ticker": ticker, "error": type(error).__name__})
            return fields
        in_rupees = reports_in_rupees(info) and series.currency == RUPEES
        return fields | fields_from_series(series, datetime.now(UTC).date(), in_rupees=in_rupees)

    def _beside(self, ask: Callable[[str], T], ticker: str, deadline: Deadline) -> Future[T]:
        """Asks in another thread."""

        def bounded() -> T:
            with bounded_by(deadline):
                return ask(ticker)

        return self._threads.submit(contextvars.copy_context().run, bounded)

    def _series(self, ticker: str) -> Series:
        until = datetime.now(UTC) + timedelta(days=1)
        parameters = {
            "symbol": ticker,
            "type": ",".join(type_names(annual=ANNUAL_ITEMS, quarterly=QUARTERLY_ITEMS)),
            "period1": str(int(SERIES_SINCE.timestamp())),
            "period2": str(int(until.timestamp())),
        }
        return series_from(self._client.ask(SERIES_PATH, ticker, parameters))

    def _known_series(self, ticker: str) -> Series:
        series = self._series(ticker)
        if not series.annual:
            raise SymbolUnknown(f"{NAME} has no statements of the symbol")
        return series

    def _bars(self, ticker: str, since: date) -> Sequence[DailyBar]:
        begins = datetime.combine(since, time(), UTC) - timedelta(days=1)
        until = datetime.now(UTC) + timedelta(days=1)
        parameters: Mapping[str, Any] = {
            "period1": str(int(begins.timestamp())),
            "period2": str(int(until.timestamp())),
            "interval": "1d",
            "includePrePost": "false",
            "events": "",
        }
        return [bar for bar in bars_from(self._client.ask(CHART_PATH, ticker, parameters)) if bar.day >= since]


_PLAIN = {"corsDomain": "finance.yahoo.com", "formatted": "false"}
