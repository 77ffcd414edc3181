"""Figures from outside: asking all sources of a stock at once, joining what they say, and storing what is better."""

from klyx.services.market_data.columns import ColumnValue, stock_columns
from klyx.services.market_data.gather import ENOUGH_QUALITY, Gathered, Gatherer, gather
from klyx.services.market_data.merge import Merged, MergedField, merge
from klyx.services.market_data.plausible import Rejections
from klyx.services.market_data.scores import recompute_scores
from klyx.services.market_data.store import store
from klyx.services.market_data.trust import Origin, is_better

__all__ = [
    "ENOUGH_QUALITY",
    "ColumnValue",
    "Gathered",
    "Gatherer",
    "Merged",
    "MergedField",
    "Origin",
    "Rejections",
    "gather",
    "is_better",
    "merge",
    "recompute_scores",
    "stock_columns",
    "store",
]
