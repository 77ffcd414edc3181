"""What every market-data source answers, and how it fails."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class SourceError(Exception):
    """A source gave no answer. The message is one clause for people, without a full stop."""


class SymbolUnknown(SourceError):
    """The source answered and does not know the symbol; asking again is useless."""


class SourceUnavailable(SourceError):
    """The source could not be reached in time, or answered something that cannot be read."""


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
    underscore describe the answer itself.
    """

    symbol: str
    source: str
    fetched_at: datetime
    fields: Mapping[str, float | str]


class MarketDataSource(Protocol):
    @property
    def name(self) -> str:
        """The name people know the source by."""

    def fetch(self, symbol: str, deadline: Deadline) -> SourceRecord:
        """Everything the source knows of an NSE symbol. Safe to call from several threads.

        Raises SymbolUnknown, SourceUnavailable or SourceRateLimited, and nothing else.
        """
