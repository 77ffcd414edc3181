"""What an analysis reads: the workbooks of a workspace, else the user's portfolio."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from klyx.config import Settings
from klyx.database.models import Stock, Workspace
from klyx.services import portfolio, refusals, stocks, symbols
from klyx.services.analysis.columns import (
    DATA_SOURCES,
    LAST_UPDATED,
    NSE_CODE,
    OPERATING_MARGIN_ANNUAL,
    RESERVED_COLUMNS,
    SECTOR,
    STOCK_NAME,
    TECHNICAL_COLUMNS,
)
from klyx.services.analysis.headings import heading_of, tidy_headings
from klyx.services.analysis.merging import file_order
from klyx.services.analysis.naming import symbol_key, symbols_without_names
from klyx.services.analysis.strength import YearChanges
from klyx.services.analysis.table import Problem, Row, Table, text
from klyx.services.analysis.text import clean_text, comparison_key
from klyx.services.holdings import COLUMNS, Holding, codes_of_names, corrections_of, uploads_to_analyse
from klyx.services.refusals import Refusal
from klyx.services.stocks import StockObject
from klyx.services.upload import workbook_limits
from klyx.services.workspace_files import stored_path
from klyx.workbooks import WorkbookRefused, read_workbook

logger = logging.getLogger(__name__)

# Each cell costs some hundred bytes while it is analysed; this bounds one analysis, whatever the files are like.
MOST_CELLS = 1_000_000
TOO_MANY_CELLS = "Together with your other files this is more than can be analysed at once. Clear some and start again."
VANISHED = "The file is not there any more. Please upload it again."
KEPT_COLUMNS = frozenset({DATA_SOURCES, LAST_UPDATED, *TECHNICAL_COLUMNS})


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An accepted workbook: where it is, what people call it, and the names of its stocks."""

    path: Path
    name: str
    stock_names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an analysis reads. `codes` are the NSE codes of company names among the replacements.

    `rows` are the portfolio's, with the figures of the stock table; there are some only when there are no files.
    """

    files: Sequence[StoredFile]
    corrections: Mapping[str, str]
    codes: Mapping[str, str]
    refused: Sequence[Refusal]
    rows: Sequence[Row]


def load(session: Session, settings: Settings, workspace_id: str) -> Inputs:
    """What the workspace's analysis is about at this moment."""
    uploads = uploads_to_analyse(session, workspace_id)
    files = [
        StoredFile(
            stored_path(settings.instance_folder, workspace_id, str(upload.stored_name)),
            upload.original_name,
            frozenset(comparison_key(name) for holding in upload.holdings or [] if (name := holding.get("stock_name"))),
        )
        for upload in uploads
    ]
    workspace = session.get(Workspace, workspace_id)
    user_id = workspace.user_id if workspace is not None else None
    rows = portfolio_rows(session, user_id) if user_id is not None and not files else []
    corrections = corrections_of(session, workspace_id)
    codes = codes_of_names(session, corrections)
    return Inputs(files, corrections, codes, refusals.of_workspace(session, workspace_id), rows)


def read_tables(
    files: Sequence[StoredFile], settings: Settings, before_each: Callable[[], None]
) -> tuple[list[Table], list[Problem]]:
    """Reads the workbooks again, each in its own bounded child; also returns those that cannot be used now, and why."""
    tables: list[Table] = []
    skipped: list[Problem] = []
    names = {file.name: file.stock_names for file in files}
    for file in files:
        before_each()
        try:
            tables.append(read_workbook(file.path, file.name, workbook_limits(settings)))
        except WorkbookRefused as error:
            skipped.append(Problem(error.reason, source=file.name))
        except FileNotFoundError:
            logger.warning("stored workbook is gone")
            skipped.append(Problem(VANISHED, source=file.name))
    kept: list[Table] = []
    stocks_so_far: set[str] = set()
    columns_so_far: set[str] = set()
    for table in file_order(tables):
        all_stocks = stocks_so_far | names.get(table.source, frozenset())
        all_columns = columns_so_far | set(table.columns)
        if len(all_stocks) * len(all_columns) > MOST_CELLS:
            skipped.append(Problem(TOO_MANY_CELLS, source=table.source))
            continue
        kept.append(table)
        stocks_so_far, columns_so_far = all_stocks, all_columns
    return kept, skipped


def names_of_symbols(session: Session, tables: Sequence[Table], corrections: Mapping[str, str]) -> dict[str, str]:
    """What the stocks are called whose workbooks have only symbols, by `symbol_key`; the known ones."""
    # Tidying copies every row: not worth it for the many tables that have names.
    unnamed = [table for table in tables if STOCK_NAME not in map(heading_of, table.columns)]
    written = [symbol for table in unnamed for symbol in symbols_without_names(tidy_headings(table)[0])]
    if not written:
        return {}
    terms = list(dict.fromkeys([*written, *corrections.values()]))
    holdings: list[Holding] = [{"nse_code": None, "stock_name": None, "symbol": term} for term in terms]
    found = zip(terms, symbols.match(session, holdings), strict=True)
    return {symbol_key(term): reference.stock_name for term, reference in found if reference is not None}


def portfolio_rows(session: Session, user_id: str) -> list[Row]:
    """One row per holding, named as in the portfolio; figures and symbol of the stocks that are known."""
    held = portfolio.stock_names(session, user_id)
    known = stored_rows(session, held)
    return [{STOCK_NAME: clean_text(name), NSE_CODE: None, **known.get(name, {})} for name in held]


def stored_rows(session: Session, names: Sequence[str]) -> dict[str, Row]:
    """What the stock table has of the stocks with these names or symbols; those that it does not know are left out."""
    references = stocks.resolve_names(session, names)
    full_names = list(dict.fromkeys(reference.stock_name for reference in references.values()))
    found: dict[object, Row] = {}
    for start in range(0, len(full_names), stocks.MAX_BATCH_NAMES):
        batch = stocks.batch(session, full_names[start : start + stocks.MAX_BATCH_NAMES]).rows
        found.update({stock["id"]: _figures(stock) for stock in map(stocks.union_object, batch)})
    return {name: found[reference.id] for name, reference in references.items() if reference.id in found}


def _figures(stock: StockObject) -> Row:
    """The stock's values under the names that spreadsheets have for them."""
    # The display name of this column says "Qtr", but sources and scores mean the year's margin.
    margin = stock["operating_margin_pct"]
    row: Row = {NSE_CODE: stock["nse_code"], SECTOR: stock["sector_name"], OPERATING_MARGIN_ANNUAL: margin}
    for field in stocks.FIELDS:
        for name in (*field.display_names, *field.omitted_names):
            if name != STOCK_NAME and (name in KEPT_COLUMNS or name not in RESERVED_COLUMNS):
                row[name] = stock.get(name)
    return row


def resolve(session: Session, rows: Sequence[Row]) -> tuple[list[Row], list[Problem]]:
    """The rows with the NSE code of the stock that each is about; a code that is not known gives way to the name's.

    Rows whose stock we do not know stay as they are.
    """
    holdings: list[Holding] = [
        {key: text(row, column) or None for key, column in COLUMNS.items()} for row in rows
    ]
    resolved: list[Row] = []
    problems: list[Problem] = []
    for row, reference in zip(rows, symbols.match(session, holdings), strict=True):
        written = text(row, NSE_CODE)
        code = reference.nse_code if reference is not None else None
        if code and written and code != written:
            message = f'"{written}" is no NSE symbol we know; {code} was taken instead.'
            problems.append(Problem(message, stock_name=text(row, STOCK_NAME)))
        resolved.append({**row, NSE_CODE: code or written or None})
    return resolved, problems


def year_changes(session: Session) -> YearChanges:
    """The changes over a year that the stock table knows."""
    known = select(Stock.nse_code, Stock.year_1_change_pct).where(Stock.year_1_change_pct.is_not(None))
    return YearChanges.of((code, float(change)) for code, change in session.execute(known) if change is not None)
