"""Several stocks as a table: screens, the portfolio, and the debts beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klyx.services.chat.builtin.asking import unread
from klyx.services.chat.builtin.figures import Result
from klyx.services.chat.builtin.writing import crores, dated, percent, plain, price, table
from klyx.services.chat.explaining import field_name
from klyx.services.chat.periods import CHANGES
from klyx.services.chat.ranking import Ranking
from klyx.services.chat.understanding import Understood

MOST_HOLDINGS_SHOWN = 50
_HOLDING_COLUMNS = {
    "current_price": "Current Price",
    "day_change_pct": "Day change %",
    "market_cap": "Market Capitalization",
    "pe_ttm": "P/E",
    "roe_annual_pct": "ROE %",
}
_WHEN = {column: period for period, column in CHANGES.items() if period != "today"}


def screen(understood: Understood, result: Result, *, of_portfolio: bool = False) -> str:
    if "error" in result:
        return str(result["error"])
    ranking = understood.ranking
    if ranking is not None and ranking.moved:
        parts = [f"## Top {'gainers' if ranking.descending else 'losers'} of the {_WHEN[ranking.column]}\n\n"]
    else:
        parts = []
    where = "in your portfolio " if of_portfolio else ""
    parts.append(f"I looked {where}for stocks with this: {understood.explanation}.\n\n")
    if understood.unread:
        parts.append(unread(understood.unread))
    if not result["total_matches"] and of_portfolio:
        parts.append("None of your stocks meets that, as far as its figures are known.")
        return "".join(parts)
    if not result["total_matches"]:
        parts.append("No stock meets all of that. Loosen a condition and try again.")
        return "".join(parts)
    of_all = "of your" if of_portfolio else f"of {result['total_stocks']}"
    parts.append(f"**{result['total_matches']}** {of_all} stocks match. The first are:\n\n")
    return "".join([*parts, _rows(result), f"\n\n{dated(result)}"])


def portfolio(result: Result, ranking: Ranking | None = None) -> str:
    """With a `ranking` the stocks in its order, those whose figure is not known last."""
    if "error" in result:
        return str(result["error"])
    known = [holding for holding in result["holdings"] if holding.get("day_change_pct") is not None]
    rising = sum(holding["day_change_pct"] > 0 for holding in known)
    parts = [f"Your portfolio has **{result['count']}** stocks; {rising} of {len(known)} rose on their last day.\n\n"]
    holdings = list(result["holdings"])
    if ranking is not None:
        note, holdings = _ranked_holdings(holdings, ranking)
        parts.append(note)
    headings = ["Stock", *_HOLDING_COLUMNS.values()]
    rows = [
        [str(holding["stock_name"]), *(_cell(heading, holding.get(name)) for name, heading in _HOLDING_COLUMNS.items())]
        for holding in holdings[:MOST_HOLDINGS_SHOWN]
    ]
    if rows:
        parts.append(table(headings, rows))
    if len(holdings) > MOST_HOLDINGS_SHOWN:
        parts.append(f"\n\nThese are {MOST_HOLDINGS_SHOWN} of {len(holdings)}; the portfolio page shows all.")
    if result["not_listed"]:
        parts.append(f"\n\nWithout figures here: {', '.join(result['not_listed'])}.")
    return "".join([*parts, f"\n\n{dated(result)}"])


def _ranked_holdings(holdings: list[Result], ranking: Ranking) -> tuple[str, list[Result]]:
    """What is said of the ranking, and the holdings in its order, those whose figure is not known last."""
    column, name = ranking.column, field_name(ranking.column)
    known = [holding for holding in holdings if holding.get(column) is not None]
    if column not in _HOLDING_COLUMNS or not known:
        return f"I cannot rank them by {name} here.\n\n", holdings
    known.sort(key=lambda holding: float(holding[column]), reverse=ranking.descending)
    first = known[0]
    order = "highest" if ranking.descending else "lowest"
    told = f"**{first['stock_name']}** has the {order} {name}: {_cell(_HOLDING_COLUMNS[column], first[column])}.\n\n"
    return told, [*known, *(holding for holding in holdings if holding.get(column) is None)]


def debts(result: Result) -> str:
    if "error" in result:
        return str(result["error"])
    lines = []
    for debt in result["debts"]:
        if isinstance(debt, Mapping):
            about = [" ".join(str(debt[key]).split()) for key in ("name", "type") if debt.get(key)]
            amounts = [f"{key}: {plain(value)}" for key, value in debt.items() if isinstance(value, int | float)]
            lines.append(f"* {' '.join(about) or 'Debt'} ({', '.join(amounts)})\n")
    text = f"Your plan **{result['name']}** has {len(lines)} debts and {price(result['monthly_budget'])} a month.\n\n"
    return f"{text}{''.join(lines)}\n{dated(result)}"


def _rows(result: Result) -> str:
    shown = [key for key in result["results"][0] if key not in ("id", "NSE Code")]
    rows = [
        [f"{row['Stock Name']} ({row['NSE Code']})", *(_cell(key, row[key]) for key in shown[1:])]
        for row in result["results"]
    ]
    return table(["Stock", *map(_heading, shown[1:])], rows)


def _heading(name: str) -> str:
    """Fields without a name for people are headed by their column."""
    return f"{name.removesuffix('_pct').replace('_', ' ').capitalize()} %" if name.endswith("_pct") else name


def _cell(heading: str, value: Any) -> str:
    if heading == "Current Price":
        return price(value)
    if heading in ("Market Capitalization", "Operating Revenue Annual", "Net Profit Annual"):
        return crores(value)
    if isinstance(value, int | float) and heading.endswith(("%", "_pct")):
        return percent(value)
    return plain(value)
