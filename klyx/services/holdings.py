"""Which stocks uploaded workbooks are about, before and after a person's corrections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from klyx.database.models import SymbolCorrection, Upload, UploadState
from klyx.services.analysis.cleaning import cell_text
from klyx.services.analysis.columns import COMPANY, INSIGHTS, NSE_CODE, STOCK_NAME, SYMBOL, TECH_TREND, TICKER
from klyx.services.analysis.corrections import apply_corrections
from klyx.services.analysis.headings import heading_of, tidy_headings
from klyx.services.analysis.naming import add_name_column, fill_names, symbols_without_names
from klyx.services.analysis.pipeline import unify
from klyx.services.analysis.table import Table
from klyx.services.analysis.text import comparison_key, normalise_nse_code
from klyx.services.stocks import resolve_names
from klyx.workbooks import WorkbookRefused

Holding = dict[str, str | None]
"""One row of a workbook as it names its stock: the keys stock_name, nse_code and symbol, as written or None.

In a workbook that has only symbols they are the names, too.
"""

COLUMNS: Mapping[str, str] = {"nse_code": NSE_CODE, "stock_name": STOCK_NAME, "symbol": SYMBOL}
"""Keys of a holding and their columns, in the order in which they are asked for a symbol."""

LONGEST_TEXT = 255
NO_NAMES = f'No row has a "{STOCK_NAME}". Fill in the company names below that heading and upload the file again.'


def holdings_of(table: Table) -> list[Holding]:
    """The distinct holdings of a workbook, in its order. Raises WorkbookRefused when nothing in it can be analysed."""
    naming = _naming_columns(table)
    # The analysis decides what it can use; only the columns that name stocks are worth its work here.
    unified = unify((naming,))
    if unified.skipped:
        raise WorkbookRefused(unified.skipped[0].message, code="no_stocks")
    if not unified.rows:
        raise WorkbookRefused(NO_NAMES, code="no_stocks")
    tidy = tidy_headings(naming)[0]
    named = add_name_column(tidy)
    return _distinct(_from_table(fill_names(named, {}) if symbols_without_names(tidy) else named))


def _naming_columns(table: Table) -> Table:
    """Without the figures, but with the columns by which a download of results is recognised."""
    if STOCK_NAME not in map(heading_of, table.columns):
        table = tidy_headings(table)[0]
    kept = {*COLUMNS.values(), COMPANY, TICKER, INSIGHTS, TECH_TREND}
    positions = [index for index, cell in enumerate(table.columns) if heading_of(cell) in kept]
    rows = tuple(tuple(row[index] for index in positions) for row in table.rows)
    return Table(table.source, tuple(table.columns[index] for index in positions), rows)


def _from_table(table: Table) -> Iterable[Holding]:
    places = {key: table.columns.index(column) for key, column in COLUMNS.items() if column in table.columns}
    for row in table.rows:
        written = {key: (cell_text(row[index]) or "")[:LONGEST_TEXT].rstrip() for key, index in places.items()}
        if any(written.values()):
            yield {key: written.get(key) or None for key in COLUMNS}


def _distinct(holdings: Iterable[Holding]) -> list[Holding]:
    # By key: a database gives back the keys of an object in an order of its own.
    return list({tuple(holding.get(key) for key in COLUMNS): holding for holding in holdings}.values())


def corrected(
    holdings: Sequence[Holding], corrections: Mapping[str, str], codes: Mapping[str, str] | None = None
) -> list[Holding]:
    """The holdings as the analysis will read them, by the very rule it uses for the workbooks."""
    if not corrections:
        return list(holdings)
    rows = tuple(tuple(holding.get(key) for key in COLUMNS) for holding in holdings)
    return _distinct(_from_table(apply_corrections(Table("", tuple(COLUMNS.values()), rows), corrections, codes)))


def uploads_to_analyse(session: Session, workspace_id: str) -> list[Upload]:
    """The accepted workbooks that count: a person's own, or the samples while there are none. Oldest first."""
    accepted = list(
        session.scalars(
            select(Upload)
            .where(Upload.workspace_id == workspace_id, Upload.state == UploadState.ACCEPTED)
            .order_by(Upload.created_at, Upload.id)
        )
    )
    return [upload for upload in accepted if not upload.is_sample] or accepted


def corrections_of(session: Session, workspace_id: str) -> dict[str, str]:
    """What this workspace reads instead of what is written, original -> replacement."""
    rows = session.execute(
        select(SymbolCorrection.original, SymbolCorrection.replacement)
        .where(SymbolCorrection.workspace_id == workspace_id)
        .order_by(SymbolCorrection.id)
    )
    return {row.original: row.replacement for row in rows}


def codes_of_names(session: Session, corrections: Mapping[str, str]) -> dict[str, str]:
    """The NSE codes of the company names among the replacements, as far as we know the companies."""
    names = [replacement for replacement in corrections.values() if normalise_nse_code(replacement) is None]
    found = resolve_names(session, names) if names else {}
    return {name: stock.nse_code for name, stock in found.items() if stock.nse_code}


def holdings_to_analyse(session: Session, workspace_id: str) -> list[Holding]:
    """The corrected, distinct holdings of all workbooks that count."""
    uploads = uploads_to_analyse(session, workspace_id)
    written = _distinct(holding for upload in uploads for holding in upload.holdings or [])
    corrections = corrections_of(session, workspace_id)
    return corrected(written, corrections, codes_of_names(session, corrections))


def count_stocks(holdings: Iterable[Holding]) -> int:
    """Different companies among the holdings, by name, as the analysis joins them."""
    return len({comparison_key(name) for holding in holdings if (name := holding.get("stock_name"))})
