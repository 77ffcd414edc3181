"""Applying a person's corrections of symbols and names to a table."""

from collections.abc import Mapping

from klyx.services.analysis.cleaning import cell_text
from klyx.services.analysis.columns import NSE_CODE, STOCK_NAME, SYMBOL
from klyx.services.analysis.table import Cell, Table
from klyx.services.analysis.text import clean_text, comparison_key, normalise_nse_code

CORRECTED_COLUMNS = (NSE_CODE, STOCK_NAME, SYMBOL)


def apply_corrections(
    table: Table, corrections: Mapping[str, str], codes: Mapping[str, str] | None = None
) -> Table:
    """The table with whole cells of `NSE Code`, `Stock Name` and `Symbol` replaced.

    `corrections` maps what the person was shown to what they chose: an NSE code or a company
    name. Letter case, spacing and a trailing `.NS` do not count in comparing. The headings must
    be tidy. A company name cannot stand in `NSE Code`: there its code from `codes` is taken.
    Without one the cell is emptied, so that the stock is looked up by name. The company name
    fills `Stock Name` where that is missing.
    """
    replacements = _replacements(corrections)
    positions = {column: table.columns.index(column) for column in CORRECTED_COLUMNS if column in table.columns}
    if not replacements or not positions:
        return table
    rows = tuple(_correct(row, positions, replacements, codes or {}) for row in table.rows)
    return Table(table.source, table.columns, rows)


def _replacements(corrections: Mapping[str, str]) -> dict[str, str]:
    replacements: dict[str, str] = {}
    for original, replacement in corrections.items():
        chosen = clean_text(replacement)
        if chosen:
            for key in _keys(original):
                replacements[key] = chosen
    return replacements


def _keys(written: str) -> tuple[str, ...]:
    cleaned = clean_text(written)
    spellings = (cleaned, normalise_nse_code(cleaned) or "")
    return tuple(comparison_key(spelling) for spelling in spellings if spelling)


def _correct(
    row: tuple[Cell, ...], positions: Mapping[str, int], replacements: Mapping[str, str], codes: Mapping[str, str]
) -> tuple[Cell, ...]:
    cells = list(row)
    fallback_name: str | None = None
    for column, position in positions.items():
        replacement = _replacement(cells[position], replacements)
        if replacement is None:
            continue
        if column == NSE_CODE and normalise_nse_code(replacement) is None:
            cells[position] = codes.get(replacement)
            fallback_name = replacement
        else:
            cells[position] = replacement
    if fallback_name and STOCK_NAME in positions and cell_text(cells[positions[STOCK_NAME]]) is None:
        cells[positions[STOCK_NAME]] = fallback_name
    return tuple(cells)


def _replacement(cell: Cell, replacements: Mapping[str, str]) -> str | None:
    written = cell_text(cell)
    if written is None:
        return None
    return next((replacements[key] for key in _keys(written) if key in replacements), None)
