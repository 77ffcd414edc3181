"""MoneyControl, by our own reader of its pages: statements of a company and of its group, and who owns it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

import requests

from klyx.services.analysis.text import normalise_nse_code
from klyx.sources.answers import as_source_error, require_success
from klyx.sources.base import (
    Deadline,
    Section,
    SourceError,
    SourceRecord,
    SourceUnavailable,
    StatementKind,
    StatementRow,
    Statements,
    SymbolUnknown,
)
from klyx.sources.context import SourceContext
from klyx.sources.http import bounded_by
from klyx.sources.moneycontrol_fields import crores_per_unit, fields_from_holdings, fields_from_profit_loss
from klyx.sources.moneycontrol_pages import (
    BASE_URL,
    HOST,
    SEARCH_PATH,
    SECTION_NAMES,
    SHORT_STATEMENT_PATH,
    CompanyPages,
    find_company,
    search_query,
)
from klyx.sources.moneycontrol_tables import grids_of, read_page
from klyx.sources.statement_periods import PeriodTable, joined
from klyx.sources.statement_rows import section_rows

logger = logging.getLogger(__name__)

NAME = "MoneyControl"
SLUG = "moneycontrol"
PAGES = 2
# As many as the session keeps connections for.
THREADS = 4
DAY_SECONDS = 86_400.0
KNOWN_SECONDS, UNKNOWN_SECONDS = 30 * DAY_SECONDS, DAY_SECONDS
KINDS: tuple[StatementKind, ...] = ("consolidated", "standalone")
NO_TABLE = PeriodTable("", (), ())

T = TypeVar("T")


class MoneyControlSource:
    """Asks MoneyControl; build one per process.

    `fetch` makes two requests, for the profit and loss account and for the quote page, which leave together; a
    third for a company without a group, a fourth when the quote page does not show the owners. `statements`
    makes eight, four at a time. The first time for a symbol a search comes before them; it is remembered.
    """

    name = NAME
    slug = SLUG

    def __init__(self, context: SourceContext) -> None:
        self._memo = context.memo
        self._circuit = context.circuit(SLUG, NAME)
        self._session = context.session(NAME, SLUG, frozenset({HOST}))
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None

    def fetch(self, symbol: str, deadline: Deadline) -> SourceRecord:
        """Figures of the newest year, of the group where there is one, and holdings with their changes.

        Metadata: `_isin`, `_bse_code`. Raises SymbolUnknown, SourceUnavailable or SourceRateLimited, and nothing else.
        """
        return self._answer(partial(self._fetch, symbol, deadline))

    def statements(self, symbol: str, kind: StatementKind, deadline: Deadline) -> Statements:
        """Up to ten years of the four statements.

        Raises SymbolUnknown, also when the company has none of that kind; SourceUnavailable as soon as one of
        them could not be had, since a part of them would pass for the whole; or SourceRateLimited.
        """
        return self._answer(partial(self._statements, symbol, kind, deadline))

    def _fetch(self, symbol: str, deadline: Deadline) -> SourceRecord:
        code, company = self._company(symbol, deadline)
        later = self._later(self._holdings, company, deadline)
        # One page that cannot be had does not cost the figures of the other.
        profit_loss, failure = _tried(lambda: self._newest_profit_loss(code, company, deadline))
        holdings, other_failure = _tried(later.result)
        kind, table = profit_loss or (None, NO_TABLE)
        fetched_at = datetime.now(UTC)
        fields: dict[str, float | str] = {**(holdings or {}), **fields_from_profit_loss(table, fetched_at.date())}
        if not fields:
            if failure is None and other_failure is None:
                # It found the company, and now has none of its pages: one such company may be, not several in a row.
                self._circuit.misunderstood()
            raise failure or other_failure or SymbolUnknown(f"{NAME} has no figures of {code}")
        codes = {"_isin": company.isin, "_bse_code": company.bse_code}
        fields |= {name: code for name, code in codes.items() if code}
        return SourceRecord(code, NAME, fetched_at, fields, kind)

    def _newest_profit_loss(
        self, code: str, company: CompanyPages, deadline: Deadline
    ) -> tuple[StatementKind | None, PeriodTable]:
        """The group's where it has one, else the company's own; which of them it was is remembered."""
        key = f"{SLUG}:kind:{code}"
        known = self._memo.get(key)
        for kind in sorted(KINDS, key=lambda one: one != known):
            table = self._table("profit_loss", company, kind, deadline, pages=1)
            if table.lines:
                if kind != known:
                    self._memo.put(key, kind, KNOWN_SECONDS)
                return kind, table
        return None, NO_TABLE

    def _holdings(self, company: CompanyPages, deadline: Deadline) -> dict[str, float]:
        for path in (company.quote_path, company.shareholding_path):
            document = self._get(path, None, deadline)
            found = {} if document is None else fields_from_holdings(self._read(grids_of, document))
            if found:
                self._circuit.understood()
                return found
        return {}

    def _statements(self, symbol: str, kind: StatementKind, deadline: Deadline) -> Statements:
        code, company = self._company(symbol, deadline)
        tables = {
            section: self._later(self._table, section, company, kind, deadline, pages=PAGES)
            for section in SECTION_NAMES
        }
        sections: dict[Section, list[StatementRow]] = {
            section: section_rows(section, table.result()) for section, table in tables.items()
        }
        if not any(sections.values()):
            # The address may have changed with the company's name: the next question searches again.
            self._memo.put(_page_key(code), None, 1.0)
            raise SymbolUnknown(f"{NAME} has no {kind} statements of {code}")
        return Statements(code, kind, NAME, datetime.now(UTC), sections)

    def _table(
        self, section: Section, company: CompanyPages, kind: StatementKind, deadline: Deadline, *, pages: int
    ) -> PeriodTable:
        """A statement in crores, or ratios, over several pages; without lines when there is none."""
        found: list[PeriodTable] = []
        for number in range(1, pages + 1):
            document = self._get(company.statement_path(section, kind, number), None, deadline)
            page = None if document is None else self._read(read_page, document)
            if page is None or not page.tables:
                break
            self._circuit.understood()
            found.append(page.tables[0])
            following = company.statement_path(section, kind, number + 1)
            if page.older_years is None or not company.is_page(page.older_years, following):
                break
        if section == "ratios":
            return joined(found) if found else self._short_ratios(company, kind, deadline)
        return joined([table for one in found if (table := _in_crores(one, section)) is not None])

    def _short_ratios(self, company: CompanyPages, kind: StatementKind, deadline: Deadline) -> PeriodTable:
        """The short statement has a small table for each group of ratios, all of the same years."""
        document = self._get(SHORT_STATEMENT_PATH, company.short_statement_query("ratios", kind), deadline)
        if document is None:
            return NO_TABLE
        tables = self._read(read_page, document).tables
        same_years = [table for table in tables if table.periods == tables[0].periods]
        if not same_years:
            return NO_TABLE
        return PeriodTable("", tables[0].periods, tuple(line for table in same_years for line in table.lines))

    def _company(self, symbol: str, deadline: Deadline) -> tuple[str, CompanyPages]:
        """The NSE code and where its pages are. Unknown symbols are remembered for a day."""
        code = normalise_nse_code(symbol)
        if code is None:
            raise SymbolUnknown(f"{symbol.strip()[:40]!r} is not an NSE symbol")
        remembered = self._memo.get(_page_key(code))
        company = _remembered(remembered)
        if company is None and not remembered:
            document = self._get(SEARCH_PATH, search_query(code), deadline)
            if document is None:
                self._circuit.misunderstood()
                raise SourceUnavailable(f"{NAME}'s search could not be found")
            company = self._read(find_company, document, code)
            self._circuit.understood()
            place = {"unknown": True} if company is None else _place(company)
            self._memo.put(_page_key(code), place, UNKNOWN_SECONDS if company is None else KNOWN_SECONDS)
        if company is None:
            raise SymbolUnknown(f"{NAME} does not know the symbol {code}")
        return code, company

    def _get(self, path: str, query: Mapping[str, str] | None, deadline: Deadline) -> bytes | None:
        """The document at a path, None when there is none (404). Raises SourceError."""
        try:
            with bounded_by(deadline):
                response = self._session.get(BASE_URL + path, params=query)
        except requests.RequestException as error:
            raise as_source_error(error, NAME) from error
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        require_success(response, NAME, self._circuit)
        return response.content

    def _read(self, reader: Callable[..., T], *arguments: Any) -> T:
        """What a document says. One that cannot be understood counts against the source."""
        try:
            return reader(*arguments)
        except SourceUnavailable:
            self._circuit.misunderstood()
            raise

    def _answer(self, question: Callable[[], T]) -> T:
        """Whatever goes wrong inside, callers see a SourceError."""
        try:
            return question()
        except SourceError:
            raise
        except Exception as error:
            logger.warning("Unreadable answer of a source", extra={"source": NAME, "error": type(error).__name__})
            raise SourceUnavailable(f"{NAME} sent an answer that cannot be read") from error

    def _later(self, function: Callable[..., T], *arguments: Any, **options: Any) -> Future[T]:
        """In another thread. Threads are started when first needed, never before a fork."""
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=SLUG)
            return self._threads.submit(function, *arguments, **options)


def _tried(question: Callable[[], T]) -> tuple[T | None, SourceUnavailable | None]:
    """The answer, or why there is none. A source that wants a rest is not asked for less, but later."""
    try:
        return question(), None
    except SourceUnavailable as failure:
        return None, failure


def _in_crores(table: PeriodTable, section: Section) -> PeriodTable | None:
    """None when the heading does not say that the amounts are rupees: others must not pass for them."""
    factor = crores_per_unit(table.heading)
    if factor is None:
        logger.warning("Statement in an unknown unit", extra={"source": NAME, "section": section})
        return None
    return table if factor == 1.0 else table.scaled(factor)


def _page_key(code: str) -> str:
    return f"{SLUG}:pages:{code}"


def _place(company: CompanyPages) -> dict[str, str | None]:
    return asdict(company)


def _remembered(place: Any) -> CompanyPages | None:
    """What `_place` made; None for anything else, also from another version of this program."""
    if not isinstance(place, dict) or "page_id" not in place:
        return None
    try:
        return CompanyPages(**place)
    except (TypeError, ValueError):
        return None
