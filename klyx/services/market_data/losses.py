"""What a loss makes meaningless: a price-earnings ratio of earlier profits, which no source takes back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from klyx.database.starter import SAMPLE_SOURCE
from klyx.services.market_data.trust import FRESH_FOR, Origin
from klyx.services.market_data.vocabulary import Kind

MADE_OF_PROFITS = ("pe_ttm", "peg_ratio", "earnings_yield_pct")
COLUMNS = (*MADE_OF_PROFITS, "basic_eps_ttm", "net_profit_annual")
"""What `denied_by_a_loss` reads."""

_NOBODY = Origin(None, None)


def denied_by_a_loss(row: Mapping[str, Any], origins: Mapping[str, Origin]) -> tuple[str, ...]:
    """The known columns of MADE_OF_PROFITS that the loss of the last year denies.

    The earnings per share of the last four quarters decide, and deny a P/E told up to a day after them; without
    them the year's profit, which denies only what is a day older: later quarters may have been better.
    """
    column, slack = "basic_eps_ttm", FRESH_FOR[Kind.VALUATION]
    if row[column] is None or _is_no_evidence(origins.get(column, _NOBODY)):
        column, slack = "net_profit_annual", -slack
    loss = origins.get(column, _NOBODY)
    if row[column] is None or row[column] > 0 or _is_no_evidence(loss):
        return ()
    stated = ("pe_ttm", "peg_ratio")
    denied = [name for name in stated if _is_denied(row[name], origins.get(name, _NOBODY), loss, slack)]
    if row["pe_ttm"] is not None and "pe_ttm" not in denied:
        return ()
    return tuple(denied) + (("earnings_yield_pct",) if row["earnings_yield_pct"] is not None else ())


def _is_denied(value: float | None, told: Origin, loss: Origin, slack: timedelta) -> bool:
    # A ratio below zero says itself that there is a loss.
    if value is None or value <= 0:
        return False
    if _is_no_evidence(told) or told.obtained_at is None or loss.obtained_at is None:
        return True
    return told.obtained_at - loss.obtained_at <= slack


def _is_no_evidence(origin: Origin) -> bool:
    return origin.source == SAMPLE_SOURCE or origin.obtained_at is None
