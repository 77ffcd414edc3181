"""The analysis from uploaded tables to result rows. Pure: no database, no network, no clock."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from klyx.services.analysis import columns as c
from klyx.services.analysis.cleaning import clean_cells
from klyx.services.analysis.corrections import apply_corrections
from klyx.services.analysis.enrichment import enrich, percent_points
from klyx.services.analysis.headings import is_own_output, tidy_headings
from klyx.services.analysis.insights import FAILED_INSIGHTS, News, initial_insights, insights_of
from klyx.services.analysis.merging import file_order, merge_tables
from klyx.services.analysis.naming import add_name_column, fill_names, names_of_codes
from klyx.services.analysis.quality import Quality, quality_of
from klyx.services.analysis.ratios import price_earnings_to_growth, ratios_of_row, return_on_capital_employed
from klyx.services.analysis.scores import durability_of, momentum_of, valuation_of
from klyx.services.analysis.strength import YearChanges
from klyx.services.analysis.table import Cell, Problem, Row, Table, fill, finite, number, text
from klyx.services.analysis.technicals import TechnicalSnapshot
from klyx.services.analysis.units import crores_to_rupees

if TYPE_CHECKING:
    from klyx.services.market_data.merge import Merged

logger = logging.getLogger(__name__)

ResultRow = dict[str, Cell | Quality]
"""An analysed stock; only `_quality` is not a plain value."""

_PIOTROSKI_HIGHEST = 9
_UNREADABLE = "The file could not be read. Save it again in the spreadsheet program and upload it."


@dataclass(frozen=True, slots=True)
class Unified:
    """The stocks of all tables, money in rupees; every row has the same columns in one order.

    `skipped` has one entry per table that could not be used, `problems` what was left out of the
    others.
    """

    rows: tuple[Row, ...]
    skipped: tuple[Problem, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """One result row per stock, in the order given, and the stocks whose analysis failed."""

    rows: tuple[ResultRow, ...]
    problems: tuple[Problem, ...]


def unify(
    tables: Iterable[Table],
    corrections: Mapping[str, str] | None = None,
    codes: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
) -> Unified:
    """Clean the tables, put money into rupees and join them on `Stock Name`.

    `codes` are the NSE codes of company names among the replacements of `corrections`.
    Files are taken in the order of their names. A table that cannot be used is skipped and says
    why; the others go on. The stocks of a table that has only symbols are called as another table calls
    them, else as `names` (by `symbol_key`) does, else by their symbol.
    """
    usable: list[tuple[Table, bool]] = []
    skipped: list[Problem] = []
    problems: list[Problem] = []
    for table in file_order(tables):
        try:
            cleaned, found, has_names = _prepare(table, corrections or {}, codes or {})
        except _SkipError as skip:
            skipped.append(Problem(str(skip), source=table.source))
        except Exception:
            logger.exception("Table could not be prepared", extra={"table_rows": len(table.rows)})
            skipped.append(Problem(_UNREADABLE, source=table.source))
        else:
            usable.append((cleaned, has_names))
            problems.extend(found)
    known = {**(names or {}), **names_of_codes(table for table, has_names in usable if has_names)}
    merged = merge_tables([table if has_names else fill_names(table, known) for table, has_names in usable])
    return Unified(merged.rows, tuple(skipped), (*problems, *merged.problems))


class _SkipError(Exception):
    """The table cannot be used; the message tells a person why and what to do."""


def _prepare(
    table: Table, corrections: Mapping[str, str], codes: Mapping[str, str]
) -> tuple[Table, list[Problem], bool]:
    """The table ready to be joined, what was left out of it, and whether it has names of its own."""
    if table.source.startswith((".", "~$")):
        raise _SkipError("This is a hidden or temporary file. Upload the workbook itself.")
    if is_own_output(table):
        raise _SkipError("This is a download of earlier results. Upload the workbooks it was made from.")
    tidy, heading_problems = tidy_headings(table)
    has_names = bool({c.STOCK_NAME, c.COMPANY} & set(tidy.columns))
    tidy = add_name_column(tidy)
    if c.STOCK_NAME not in tidy.columns:
        raise _SkipError(f'There is no "{c.STOCK_NAME}" column. Add that heading above the company names.')
    cleaned, cell_problems = clean_cells(apply_corrections(tidy, corrections, codes))
    if not cleaned.rows:
        raise _SkipError("There are no stocks in it. Add one row per company below the headings.")
    return crores_to_rupees(cleaned), [*heading_problems, *cell_problems], has_names


def analyse(
    rows: Sequence[Row],
    records: Mapping[str, Merged],
    news: Mapping[str, News] | None = None,
    snapshots: Mapping[str, TechnicalSnapshot] | None = None,
    market: YearChanges | None = None,
    stored: Mapping[str, Row] | None = None,
) -> Analysis:
    """Enrich, score and describe unified rows.

    `records`, what the sources know, `stored`, what the stock table has, and `snapshots` of price
    histories by NSE code, `news` by stock name; stocks without an entry keep the workbooks' own figures.
    Relative strength is a place in the `market`. A stock whose analysis fails stays in the result with
    what the workbooks say.
    """
    market = market or YearChanges()
    spreadsheet_columns = dict.fromkeys(column for row in rows for column in row)
    columns = tuple(dict.fromkeys((*spreadsheet_columns, *c.PIPELINE_COLUMNS)))
    problems: list[Problem] = []
    prepared: list[Row] = []
    for row in rows:
        complete: Row = {column: row.get(column) for column in columns}
        try:
            code = text(row, c.NSE_CODE)
            complete = enrich(complete, records.get(code), (stored or {}).get(code))
            _add_ratios(complete)
        except Exception:
            logger.exception("Stock could not be enriched", extra={"nse_code": text(row, c.NSE_CODE)})
            problems.append(_failure(row, "Its missing figures could not be filled in"))
        prepared.append(complete)

    results: list[ResultRow] = []
    for row in prepared:
        try:
            fill(row, c.RELATIVE_STRENGTH, market.strength(number(row, c.YEAR_CHANGE), text(row, c.NSE_CODE)))
            _add_scores(row)
            from_history = (snapshots or {}).get(text(row, c.NSE_CODE))
            insights = insights_of(row, (news or {}).get(text(row, c.STOCK_NAME)), from_history)
        except Exception:
            insights = initial_insights() | {c.INSIGHTS: FAILED_INSIGHTS}
            logger.exception("Stock could not be described", extra={"nse_code": text(row, c.NSE_CODE)})
            problems.append(_failure(row, "Its scores and insights could not be worked out"))
        results.append(_result(row, insights, columns))
    return Analysis(tuple(results), tuple(problems))


def _failure(row: Row, what: str) -> Problem:
    return Problem(
        f"{what}; the workbooks' own figures were kept. Run the analysis again.",
        stock_name=text(row, c.STOCK_NAME),
    )


def _add_ratios(row: Row) -> None:
    ratios = ratios_of_row(row)
    fill(row, c.NET_MARGIN, percent_points(ratios["net_margin"]))
    growth = number(row, c.EPS_GROWTH, c.PROFIT_GROWTH_ANNUAL)
    peg = price_earnings_to_growth(ratios["pe_ratio"], None if growth is None else growth / 100)
    fill(row, c.PEG, None if peg is None else round(peg, 2))
    capital_return = return_on_capital_employed(
        number(row, c.OPERATING_PROFIT_ANNUAL),
        number(row, c.TOTAL_ASSETS),
        number(row, c.CURRENT_LIABILITIES),
    )
    fill(row, c.ROCE, percent_points(capital_return if capital_return is not None else ratios["roe"]))
    price_to_earnings = ratios["pe_ratio"]
    if price_to_earnings is not None and price_to_earnings > 0:
        fill(row, c.EARNINGS_YIELD, finite(round(100 / price_to_earnings, 2)))


def _add_scores(row: Row) -> None:
    fill(row, c.DURABILITY, durability_of(row))
    fill(row, c.VALUATION, valuation_of(row))
    fill(row, c.MOMENTUM, momentum_of(row))
    piotroski = number(row, c.PIOTROSKI)
    plausible = piotroski is not None and 0 <= piotroski <= _PIOTROSKI_HIGHEST
    row[c.PIOTROSKI] = int(piotroski) if piotroski is not None and plausible else None


def _result(row: Row, insights: Row, columns: Sequence[str]) -> ResultRow:
    quality = quality_of(row)
    complete = {**row, **insights, c.DATA_QUALITY: quality["score"]}
    result: ResultRow = {
        column: complete.get(column) for column in columns if column not in c.OMITTED_WHEN_UNKNOWN or column in insights
    }
    result[c.QUALITY] = quality
    return result
