"""Relative strength of a row among all stocks we know, whichever of them the workbooks hold."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# A place among a handful of stocks says nothing of the market.
FEWEST_STOCKS = 20


@dataclass(frozen=True, slots=True)
class YearChanges:
    """What the prices of all known stocks did in a year, in percent points: all of them, rising, and by NSE code."""

    rising: tuple[float, ...] = ()
    by_code: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, stocks: Iterable[tuple[str | None, float]]) -> YearChanges:
        """From (NSE code, change) of each stock."""
        known = list(stocks)
        return cls(tuple(sorted(change for _, change in known)), {code: change for code, change in known if code})

    def strength(self, change: float | None, nse_code: str) -> int | None:
        """0 to 99: the share of the other stocks that did no better than `change`.

        A known stock takes its own place, so that its stored change gives its stored score. None for an unknown
        change, or when fewer than FEWEST_STOCKS are known.
        """
        if change is None or len(self.rising) < FEWEST_STOCKS:
            return None
        better = len(self.rising) - bisect_right(self.rising, change)
        others = len(self.rising)
        own = self.by_code.get(nse_code)
        if own is not None:
            others -= 1
            better -= own > change
        return (others - better) * 99 // others
