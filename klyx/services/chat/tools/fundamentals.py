"""A company's figures: ratios from its statements, and what the stock table knows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from klyx.errors import KlyxError, NotFound
from klyx.services import fundamentals
from klyx.services.chat.tools.arguments import choice_argument, company_argument
from klyx.services.chat.tools.base import Arguments, Result, Tool, ToolContext
from klyx.services.chat.tools.stocks import loaded, origin
from klyx.services.fundamentals import NotFetched
from klyx.services.stocks import StockReference
from klyx.sources.base import StatementKind

logger = logging.getLogger(__name__)

MOST_ROWS, MOST_PERIODS = 10, 3
KINDS: tuple[StatementKind, ...] = ("standalone", "consolidated")
FIGURES = (
    "market_cap",
    "pe_ttm",
    "sector_pe_ttm",
    "pb_ratio",
    "peg_ratio",
    "ps_ratio",
    "earnings_yield_pct",
    "basic_eps_ttm",
    "eps_growth_pct",
    "roe_annual_pct",
    "roce_annual_pct",
    "roa_annual_pct",
    "operating_margin_pct",
    "net_profit_margin_pct",
    "revenue_growth_yoy_pct",
    "profit_growth_yoy_pct",
    "debt_to_equity",
    "current_ratio",
    "dividend_yield_pct",
    "revenue_annual",
    "net_profit_annual",
    "promoter_holding_pct",
    "fii_holding_pct",
    "dii_holding_pct",
    "mf_holding_pct",
    "piotroski_score",
    "durability_score",
    "valuation_score",
    "target_price",
    "analyst_count",
)
# Told beside them when asked for; by themselves they are no fundamentals.
ALSO_TOLD = (
    "beta_1yr",
    "week_change_pct",
    "month_change_pct",
    "qtr_change_pct",
    "year_1_change_pct",
    "momentum_score",
    "data_quality_score",
)


def get_fundamentals(context: ToolContext, arguments: Arguments) -> Result:
    """Figures of the stock table, and the first ten rows of the ratios in the last three years.

    Statements that are not kept yet are fetched; without them the figures are still an answer.
    """
    asked = choice_argument(arguments, "statement_type", KINDS, "standalone")
    kind: StatementKind = "consolidated" if asked == "consolidated" else "standalone"
    database = context.runtime.database
    with database.read() as session:
        company = company_argument(session, arguments, "symbol", "ticker", "stock_name")
        stock = loaded(session, company)
        figures = {name: stock[name] for name in FIGURES if stock[name] is not None}
        others = {name: stock[name] for name in ALSO_TOLD if stock[name] is not None}
        where_from = origin(session, stock, "pe_ttm" if stock["pe_ttm"] is not None else "market_cap")
    ratios = _ratios(context, company, kind)
    if not figures and not ratios:
        raise NotFound(f"No fundamentals of {company.stock_name} are known yet.")
    return {
        "symbol": company.nse_code,
        "name": company.stock_name,
        "type": kind,
        "key_metrics": ratios,
        "figures": figures | others,
        "units": "figures: rupees, percent points, plain ratios; key_metrics: as printed",
        **where_from,
    }


def _ratios(context: ToolContext, company: StockReference, kind: StatementKind) -> list[dict[str, Any]]:
    symbol = str(company.nse_code)
    try:
        return _kept_ratios(context, symbol, kind)
    except NotFetched as missing:
        if not context.runtime.settings.sources_asked:
            return []
        try:
            context.look_up(**missing.lookup)
            return _kept_ratios(context, symbol, kind)
        except (KlyxError, NotFetched) as error:
            logger.info("no statements for an answer", extra={"symbol": symbol, "reason": type(error).__name__})
    except NotFound:
        pass
    return []


def _kept_ratios(context: ToolContext, symbol: str, kind: StatementKind) -> list[dict[str, Any]]:
    with context.runtime.database.read() as session:
        return shortened(_rows(session, symbol, kind))


def _rows(session: Session, symbol: str, kind: StatementKind) -> Sequence[Mapping[str, Any]]:
    rows: Sequence[Mapping[str, Any]] = fundamentals.find(session, symbol, kind).data["ratios"]
    return rows


def shortened(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The first rows, each with its label and its newest years."""
    return [dict(list(row.items())[: MOST_PERIODS + 1]) for row in rows[:MOST_ROWS]]


TOOLS = (
    Tool(
        "get_fundamentals",
        "Valuation, profitability, debt, growth and shareholding of a company, and ratios of its last years.",
        {
            "type": "object",
            "properties": {
                "symbol": {"type": "string", "description": "NSE symbol such as HDFCBANK, or a name"},
                "statement_type": {"type": "string", "enum": list(KINDS), "default": "standalone"},
            },
            "required": ["symbol"],
        },
        get_fundamentals,
    ),
)
