"""Tools about the caller: the portfolio and the debts of the person who asks, and of nobody else."""

from __future__ import annotations

import orjson

from klyx.errors import NotFound
from klyx.services import debt_optimizer, portfolio
from klyx.services.chat.tools.base import Arguments, Result, Tool, ToolContext, updated_between
from klyx.services.stocks import MAX_BATCH_NAMES, batch, union_object

_SHOWN = ("nse_code", "sector_name", "current_price", "day_change_pct", "market_cap", "pe_ttm", "roe_annual_pct")
_NOTHING = {"type": "object", "properties": {}}


def get_portfolio(context: ToolContext, _arguments: Arguments) -> Result:
    """The caller's stocks; how many shares are held is not known to us."""
    with context.runtime.database.read() as session:
        names = portfolio.stock_names(session, context.user_id)
        found = batch(session, names[:MAX_BATCH_NAMES])
    if not names:
        raise NotFound("The portfolio is empty. Stocks can be added on the portfolio page.")
    stocks = [union_object(row) for row in found.rows]
    holdings = [{"stock_name": s["stock_name"], **{n: s[n] for n in _SHOWN if s[n] is not None}} for s in stocks]
    updated = updated_between(stock["last_updated"] for stock in stocks)
    return {"count": len(names), "holdings": holdings, "not_listed": found.missing, "source": "Klyx", **updated}


def get_debts(context: ToolContext, _arguments: Arguments) -> Result:
    with context.runtime.database.read() as session:
        scenario = debt_optimizer.current(session, context.user_id)
    if scenario is None:
        raise NotFound("No debts are stored. They can be entered in the debt planner.")
    return {
        "name": scenario.name,
        "monthly_budget": float(scenario.monthly_budget),
        "debts": orjson.loads(scenario.debts),
        "source": "Klyx debt planner",
        "as_of": scenario.updated_at.isoformat(timespec="seconds"),
    }


TOOLS = (
    Tool("get_portfolio", "The stocks of the person who asks, with their present figures.", _NOTHING, get_portfolio),
    Tool("get_debts", "The debts that the person who asks keeps in the debt planner.", _NOTHING, get_debts),
)
