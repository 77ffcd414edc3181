"""Filling what the workbooks leave open from what the market-data sources know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from klyx.services.analysis import columns as c
from klyx.services.analysis.cleaning import cell_text
from klyx.services.analysis.numbers import NotANumberError, parse_number
from klyx.services.analysis.table import Cell, Row, fill, finite, number, text
from klyx.services.analysis.text import clean_text, comparison_key, normalise_nse_code

if TYPE_CHECKING:
    from klyx.services.market_data.merge import Merged

WORKBOOK_SOURCE = "Workbook"
STOCK_TABLE_SOURCE = "Klyx"

AMOUNT_FIELDS: Mapping[str, str] = {
    "currentPrice": c.PRICE,
    "marketCap": c.MARKET_CAP,
    "pb_ratio": c.PB,
    "ps_ratio": c.PS,
    "revenue": c.REVENUE_ANNUAL,
    "net_income": c.NET_PROFIT_ANNUAL,
    "total_assets": c.TOTAL_ASSETS,
    "current_assets": c.CURRENT_ASSETS,
    "total_debt": c.TOTAL_DEBT,
    "current_liabilities": c.CURRENT_LIABILITIES,
    "stockholders_equity": c.EQUITY,
    "quarterly_revenue": c.REVENUE_QUARTER,
    "quarterly_net_income": c.NET_PROFIT_QUARTER,
    "beta": c.BETA,
    "week52High": c.YEAR_HIGH,
    "week52Low": c.YEAR_LOW,
    "volume": c.DAY_VOLUME,
    "target_mean_price": c.TARGET_PRICE,
    "basic_eps": c.BASIC_EPS,
    "sector_pe": c.SECTOR_PE,
    "peg_ratio": c.PEG,
    "piotroski": c.PIOTROSKI,
    "operating_income": c.OPERATING_PROFIT_ANNUAL,
}
"""Fields of a source record whose figure stands in the column as it is (money in rupees)."""

FRACTION_FIELDS: Mapping[str, str] = {
    "roe": c.ROE,
    "roa": c.ROA,
    "profit_margin": c.NET_MARGIN,
    "operating_margin": c.OPERATING_MARGIN_ANNUAL,
    "quarterly_operating_margin": c.OPERATING_MARGIN_QUARTER,
    "revenue_growth": c.REVENUE_GROWTH_ANNUAL,
    "quarterly_revenue_growth": c.REVENUE_GROWTH_QUARTER,
    "profit_growth": c.PROFIT_GROWTH_ANNUAL,
    "quarterly_profit_growth": c.PROFIT_GROWTH_QUARTER,
    "eps_growth": c.EPS_GROWTH,
    "promoter_holding": c.PROMOTER_HOLDING,
    "fii_holding": c.FII_HOLDING,
    "dii_holding": c.DII_HOLDING,
    "mf_holding": c.MF_HOLDING,
    "forward_dividend_yield": c.FORWARD_DIVIDEND_YIELD,
    "dividend_yield": c.DIVIDEND_YIELD,
    "year1Change": c.YEAR_CHANGE,
}
"""Fields that are fractions (0.15 is 15 %) and columns in percent points."""


def fill_symbols(rows: Iterable[Row], symbols: Mapping[str, str]) -> tuple[Row, ...]:
    """The rows with `NSE Code` filled in where it is missing. `symbols`: stock name -> NSE code.

    Names are compared without regard to letter case and spacing.
    """
    codes = {comparison_key(name): normalise_nse_code(code) for name, code in symbols.items()}
    filled = []
    for row in rows:
        copy = dict(row)
        fill(copy, c.NSE_CODE, codes.get(comparison_key(text(row, c.STOCK_NAME))))
        filled.append(copy)
    return tuple(filled)


def enrich(row: Mapping[str, Cell], known: Merged | None, stored: Mapping[str, Cell] | None = None) -> Row:
    """The row with its missing cells filled from what the sources know, and with what follows from both.

    What is missing then comes from `stored`, the stock's row of the stock table under the same headings.

    A known cell is never overwritten; whether 0 is known depends on the column (see `fill`). Adds
    `Data Sources` (who gave a figure) and `Last Updated` (when the last of them was asked, ISO 8601 in
    UTC). A row that names sources of its own, as one of the stock table does, keeps them; its figures are
    no workbook's.
    """
    enriched = dict(row)
    enriched.setdefault(c.LAST_UPDATED, None)
    own_sources = text(row, c.DATA_SOURCES)
    sources = own_sources.split(", ") if own_sources else [WORKBOOK_SOURCE] if _has_figures(row) else []
    if known is not None:
        filling = _Filling(enriched, known)
        filling.fill_all()
        if filling.gave:
            names = [clean_text(source) for source in known.sources if source in filling.gave]
            sources += [name for name in names if name not in sources]
            asked = max(filling.gave.values()).astimezone(UTC).replace(microsecond=0, tzinfo=None)
            enriched[c.LAST_UPDATED] = f"{asked.isoformat()}Z"
    _derive(enriched)
    if stored is not None and _fill_stored(enriched, stored):
        names = (text(stored, c.DATA_SOURCES) or STOCK_TABLE_SOURCE).split(", ")
        sources += [name for name in names if name not in sources]
        enriched[c.LAST_UPDATED] = enriched[c.LAST_UPDATED] or stored.get(c.LAST_UPDATED)
        _derive(enriched)
    enriched[c.DATA_SOURCES] = ", ".join(sources) or None
    return enriched


def source_number(fields: Mapping[str, object], name: str) -> float | int | None:
    """A figure of a source record; None when absent, infinite or text that is no number."""
    value = fields.get(name)
    try:
        return parse_number(value) if isinstance(value, (str, int, float)) else None
    except NotANumberError:
        return None


def percent_points(fraction: float | None) -> float | None:
    """0.1488 -> 14.88, at any size and sign; None stays None."""
    # Six decimals lose nothing a source states and take off the noise of 14.879999999999999.
    return None if fraction is None else finite(round(fraction * 100.0, 6))


def _fill_stored(row: Row, stored: Mapping[str, Cell]) -> bool:
    """Whether a figure came from the stock table."""
    filled = [column for column in row if column not in c.WORKED_OUT_COLUMNS and fill(row, column, stored.get(column))]
    return any(finite(row[column]) is not None for column in filled)


def _has_figures(row: Mapping[str, Cell]) -> bool:
    return any(finite(cell) is not None for cell in row.values())


class _Filling:
    """Fills a row, and remembers which source gave something and when it was asked."""

    def __init__(self, row: Row, known: Merged) -> None:
        self._row = row
        self._known = known
        self._fields = known.values
        self.gave: dict[str, datetime] = {}

    def fill_all(self) -> None:
        fields = self._fields
        for field, column in AMOUNT_FIELDS.items():
            self._put(column, source_number(fields, field), field)
        for field, column in FRACTION_FIELDS.items():
            self._put(column, percent_points(source_number(fields, field)), field)
        price_to_earnings = source_number(fields, "pe_ratio")
        self._put(c.PE, None if price_to_earnings is None else round(price_to_earnings, 2), "pe_ratio")
        self._put(c.DAY_CHANGE, _day_change_percent(fields), "currentPrice", "_previous_close")
        self._put(c.OPERATING_PROFIT_ANNUAL, _operating_profit(fields), "revenue", "operating_margin")
        self._put(c.INSTITUTIONAL_HOLDING, _sum_of_institutions(self._row), "fii_holding", "dii_holding")
        institutions = percent_points(source_number(fields, "institutional_holding"))
        self._put(c.INSTITUTIONAL_HOLDING, institutions, "institutional_holding")
        self._put(c.RECOMMENDATION, _recommendation(fields), "recommendation_key")
        self._put(c.SECTOR, _source_text(fields, "_sector"), "_sector")
        self._put(c.INDUSTRY, _source_text(fields, "_industry"), "_industry")

    def _put(self, column: str, value: Cell, *names: str) -> None:
        if fill(self._row, column, value):
            for name in names:
                if field := self._known.fields.get(name):
                    youngest = self.gave.get(field.source, field.fetched_at)
                    self.gave[field.source] = max(youngest, field.fetched_at)


def _day_change_percent(fields: Mapping[str, object]) -> float | None:
    price, previous = source_number(fields, "currentPrice"), source_number(fields, "_previous_close")
    if price is None or previous is None or previous <= 0:
        return None
    return finite(round((price - previous) / previous * 100, 2))


def _operating_profit(fields: Mapping[str, object]) -> float | None:
    revenue = source_number(fields, "revenue")
    margin = source_number(fields, "operating_margin")
    return None if revenue is None or margin is None else finite(round(revenue * float(margin), 2))


def _sum_of_institutions(row: Row) -> float | None:
    foreign, domestic = number(row, c.FII_HOLDING), number(row, c.DII_HOLDING)
    return None if foreign is None or domestic is None else finite(round(float(foreign + domestic), 6))


def _recommendation(fields: Mapping[str, object]) -> str | None:
    key = _source_text(fields, "recommendation_key")
    return key.replace("_", " ").title() if key and key.casefold() != "none" else None


def _source_text(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    return cell_text(value) if isinstance(value, str) else None


def _derive(row: Row) -> None:
    debt, equity = number(row, c.TOTAL_DEBT), number(row, c.EQUITY)
    if debt is not None and equity is not None and equity > 0:
        fill(row, c.DEBT_TO_EQUITY, finite(round(debt / equity, 6)))
    assets, liabilities = number(row, c.CURRENT_ASSETS), number(row, c.CURRENT_LIABILITIES)
    if assets is not None and liabilities is not None and liabilities > 0:
        fill(row, c.CURRENT_RATIO, finite(round(assets / liabilities, 6)))
    revenue, margin = number(row, c.REVENUE_ANNUAL), number(row, c.OPERATING_MARGIN_ANNUAL)
    if revenue is not None and margin is not None:
        fill(row, c.OPERATING_PROFIT_ANNUAL, finite(round(revenue * margin / 100, 2)))
    target, price = number(row, c.TARGET_PRICE), number(row, c.PRICE)
    if target is not None and price is not None and price > 0:
        fill(row, c.UPSIDE, finite(round((target - price) / price * 100, 2)))
