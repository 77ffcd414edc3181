"""Beta: how far a stock moves when the market does. The market is the NIFTY 50 index."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

from klyx.services.technicals.changes import months_before
from klyx.sources.base import DailyBar

MARKET = "NIFTY 50"
# Half a year of sessions that both have: fewer say more about chance than about the stock.
FEWEST_RETURNS = 120


def beta_of(bars: Sequence[DailyBar], market_closes: Mapping[date, float]) -> float | None:
    """Covariance of the daily returns of the last year with the market's, over the market's variance.

    Only sessions that both have count, each with the return since the last one that both have. None with fewer
    than FEWEST_RETURNS of them, or when the market stood still.
    """
    if not bars:
        return None
    begin = months_before(bars[-1].day, 12)
    shared = [bar for bar in bars if bar.day >= begin and market_closes.get(bar.day, 0.0) > 0 and bar.close > 0]
    if len(shared) <= FEWEST_RETURNS:
        return None
    own = [new.close / old.close - 1 for old, new in pairwise(shared)]
    market = [market_closes[new.day] / market_closes[old.day] - 1 for old, new in pairwise(shared)]
    variance = statistics.variance(market)
    return statistics.covariance(own, market) / variance if variance > 0 else None
