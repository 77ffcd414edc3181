"""What screens mean, in plain Python over rows of the database: nothing here is shared with what it checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from klyx.database import Database
from klyx.database.models import Stock, StockMetadata

Row = Mapping[str, Any]
COLUMNS = {
    "Stock Name": "stock_name",
    "NSE Code": "nse_code",
    "Sector": "sector_name",
    "Industry": "industry_name",
    "Industry Name": "industry_name",
    "Current Price": "current_price",
    "Day change %": "day_change_pct",
    "Month Change %": "month_change_pct",
    "Market Capitalization": "market_cap",
    "PE TTM Price to Earnings": "pe_ttm",
    "PEG TTM PE to Growth": "peg_ratio",
    "ROE Annual %": "roe_annual_pct",
    "Debt to Equity Ratio": "debt_to_equity",
    "Net Profit Annual": "net_profit_annual",
    "Day RSI": "rsi",
    "Tech_RSI": "rsi",
    "Day SMA50": "sma_50",
    "Day SMA200": "sma_200",
    "Trendlyne Momentum Score": "momentum_score",
    "Trendlyne Durability Score": "durability_score",
    "Durability Score": "durability_score",
    "Relative Strength": "rel_strength_score",
    "Piotroski Score": "piotroski_score",
    "FII holding current Qtr %": "fii_holding_pct",
    "DII holding current Qtr %": "dii_holding_pct",
    "Institutional holding current Qtr %": "institutional_holding_pct",
    "52 Week High": "week_52_high",
    "1Yr High": "week_52_high",
    "52 Week Low": "week_52_low",
    "YF_TotalDebt": "total_debt",
    "Forecaster Estimates Target Price": "target_price",
    "Forecaster Estimates 12Mth Upside %": "upside_12m_pct",
    "Data Quality Score": "data_quality_score",
}
TEXTS = ("stock_name", "nse_code", "sector_name", "industry_name")
NUMBERS = tuple(dict.fromkeys(column for column in COLUMNS.values() if column not in TEXTS))
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda known, asked: known > asked,
    "gte": lambda known, asked: known >= asked,
    "lt": lambda known, asked: known < asked,
    "lte": lambda known, asked: known <= asked,
    "eq": lambda known, asked: known == asked,
    "ne": lambda known, asked: known != asked,
    "between": lambda known, asked: min(asked) <= known <= max(asked),
    "in": lambda known, asked: known in asked,
    "not_in": lambda known, asked: known not in asked,
    "contains": lambda known, asked: asked.lower() in known.lower(),
}


def stored_rows(database: Database) -> list[Row]:
    """Every stock with the facts of its metadata, as the database has them."""
    facts = [column for column in StockMetadata.__table__.columns if column.name in COLUMNS.values()]
    statement = select(*Stock.__table__.columns, *facts).outerjoin_from(
        Stock, StockMetadata, StockMetadata.stock_id == Stock.id
    )
    with database.read() as session:
        return [dict(row) for row in session.execute(statement).mappings()]


class Oracle:
    """Answers screens over rows; of low quality or none, a row is as good as absent."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.stocks = [row for row in rows if (row["data_quality_score"] or 0) >= 30]
        self._ranked: dict[tuple[str, str, int], set[int]] = {}

    def ids(self, definition: Mapping[str, Any]) -> list[int]:
        """The ids of the matches in the order asked for."""
        filters = definition["filters"]
        if isinstance(filters, list):
            filters = {"any" if definition.get("logic") == "OR" else "all": filters}
        found = [row for row in self.stocks if self._holds(filters, row)]
        column = _column(definition.get("sort_by") or "market_cap")
        return [row["id"] for row in _sorted(found, column, descending=definition.get("sort_order") != "asc")]

    def _holds(self, node: Mapping[str, Any], row: Row) -> bool:
        if "all" in node:
            return all(self._holds(member, row) for member in node["all"])
        if "any" in node:
            return any(self._holds(member, row) for member in node["any"])
        return self._compares(_column(node["field"]), node["operator"], node["value"], row)

    def _compares(self, column: str, operator: str, asked: Any, row: Row) -> bool:
        known = value(row, column)
        if known is None:
            return False
        if operator in ("top", "bottom"):
            return row["id"] in self._best(column, operator, asked)
        if operator in ("gt_field", "lt_field"):
            other = value(row, _column(asked))
        elif operator in ("gt_field_factor", "lt_field_factor"):
            other = value(row, _column(asked[0]))
            other = None if other is None else float(other) * asked[1]
        else:
            return _COMPARISONS[operator](known, asked)
        return other is not None and _COMPARISONS[operator[:2]](known, other)

    def _best(self, column: str, operator: str, number: int) -> set[int]:
        key = column, operator, number
        if key not in self._ranked:
            known = [stock for stock in self.stocks if value(stock, column) is not None]
            best = _sorted(known, column, descending=operator == "top")[:number]
            self._ranked[key] = {stock["id"] for stock in best}
        return self._ranked[key]


def value(row: Row, column: str) -> Any:
    """A stored or derived value."""
    if column == "institutional_holding_pct" and row[column] is None:
        fii, dii = row["fii_holding_pct"], row["dii_holding_pct"]
        return None if fii is None or dii is None else round(fii + dii, 4)
    if column == "upside_12m_pct":
        target, price = row["target_price"], row["current_price"]
        return None if target is None or price is None or price <= 0 else (target - price) / price * 100
    return row[column]


def _column(name: str) -> str:
    return COLUMNS.get(name, name)


def _sorted(rows: Sequence[Row], column: str, *, descending: bool) -> list[Row]:
    by_symbol = sorted(rows, key=lambda row: (row["nse_code"] is None, row["nse_code"] or "", row["id"]))
    known = [row for row in by_symbol if value(row, column) is not None]
    unknown = [row for row in by_symbol if value(row, column) is None]
    if descending:
        # Python keeps equals in their order also when it sorts backwards.
        return [*sorted(known, key=lambda row: value(row, column), reverse=True), *unknown]
    return [*sorted(known, key=lambda row: value(row, column)), *unknown]
