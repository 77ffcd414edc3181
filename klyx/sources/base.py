"""What every market-data source answers, and how it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol, runtime_checkable

StatementKind = Literal["standalone", "consolidated"]
Section = Literal["balance_sheet", "profit_loss", "cash_flow", "ratios"]
StatementRow = Mapping[str, str | float | None]
"""`headers` first, the label; then one key per period, such as `Mar 2025`, with a number or None."""


class SourceError(Exception):
    """A source gave no answer. The message is one clause for people, without a full stop."""


class SymbolUnknown(SourceError):
    """The source answered and does not know the symbol; asking again is useless."""


class SourceUnavailable(SourceError):
    """The source could not be reached in time, or answered something that cannot be read."""


class SourceUnreadable(SourceUnavailable):
    """The source answered something else than what was asked for."""


class SourceCircuitOpen(SourceUnavailable):
    """The source failed so often in a row that it is not asked again for a while."""


class SourceRateLimited(SourceError):
    """The source asked us to slow down; wait `retry_after_seconds` before the next question."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Deadline:
    """A moment on the monotonic clock, shared by everything that has to be finished by then."""

    __slots__ = ("_moment",)

    def __init__(self, seconds: float) -> None:
        self._moment = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._moment - time.monotonic())

    @property
    def expired(self) -> bool:
        return self.remaining() == 0.0


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What one source knows of one symbol.

    `fields` uses the raw field vocabulary: amounts in rupees; ratios such as `roe`, `profit_margin`,
    `revenue_growth`, `promoter_holding`, `dividend_yield` and `year1Change` as fractions (0.15 is 15 %);
    dates as ISO text. A field that is absent is unknown; a zero is a known zero. Names that start with an
    underscore describe the answer itself. `statement_kind` is that of the figures taken from statements,
    None where the source does not say.
    """

    symbol: str
    source: str
    fetched_at: datetime
    fields: Mapping[str, float | str]
    statement_kind: StatementKind | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One line of the exchange's list of equities."""

    symbol: str
    name: str
    series: str
    isin: str | None
    listed_on: date | None


@dataclass(frozen=True, slots=True)
class SectorEntry:
    """Where a company belongs."""

    symbol: str
    sector: str | None
    industry: str | None
    website: str | None


@dataclass(frozen=True, slots=True)
class DayQuote:
    """A stock's trading day: rupees, and shares for `volume`. None is unknown."""

    symbol: str
    price: float | None
    previous_close: float | None
    week_52_high: float | None
    week_52_low: float | None
    market_cap: float | None
    volume: float | None


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One session in rupees, adjusted for splits and bonus shares; `volume` in shares."""

    day: date
    open: float
    high: float
    low: float
    close: float
    volume: int


@dataclass(frozen=True, slots=True)
class Statements:
    """Yearly statements as tables. Amounts are in crores, as they are printed; ratios as printed.

    Every section is there, empty when unknown; the rows of one section have the same periods.
    """

    symbol: str
    kind: StatementKind
    source: str
    fetched_at: datetime
    sections: Mapping[Section, Sequence[StatementRow]]


@dataclass(frozen=True, slots=True)
class Headline:
    """A piece of news; `link` is http or https."""

    title: str
    link: str
    publisher: str
    published_at: datetime | None


class Source(Protocol):
    @property
    def name(self) -> str:
        """The name people know the source by."""

    @property
    def slug(self) -> str:
        """The name in settings, keys and metrics: lower case, digits and underscores."""


# Every method below may be called from several threads and raises SymbolUnknown, SourceUnavailable or
# SourceRateLimited, and nothing else.


@runtime_checkable
class MarketDataSource(Source, Protocol):
    def fetch(self, symbol: str, deadline: Deadline) -> SourceRecord:
        """Everything the source knows of an NSE symbol."""


@runtime_checkable
class ListingSource(Source, Protocol):
    def listings(self, deadline: Deadline) -> Sequence[Listing]:
        """Every equity of the exchange."""


@runtime_checkable
class SectorSource(Source, Protocol):
    def sectors(self, deadline: Deadline) -> Sequence[SectorEntry]:
        """The companies whose sector the source knows."""


@runtime_checkable
class DayQuoteSource(Source, Protocol):
    def day_quotes(self, deadline: Deadline) -> Iterator[Sequence[DayQuote]]:
        """The whole exchange, page by page."""


@runtime_checkable
class HistorySource(Source, Protocol):
    def history(self, symbol: str, since: date, deadline: Deadline) -> Sequence[DailyBar]:
        """The daily bars of a symbol from `since` on, oldest first."""


@runtime_checkable
class StatementSource(Source, Protocol):
    def statements(self, symbol: str, kind: StatementKind, deadline: Deadline) -> Statements:
        """Up to ten years of yearly statements."""


@runtime_checkable
class NewsSource(Source, Protocol):
    def headlines(self, stock_name: str, deadline: Deadline) -> Sequence[Headline]:
        """What was written about a company, the most relevant first."""
