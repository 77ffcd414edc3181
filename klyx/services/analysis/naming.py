"""Names for the stocks of tables that have symbols only: rows are joined on `Stock Name`, so each needs one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from klyx.services.analysis.cleaning import cell_text
from klyx.services.analysis.columns import COMPANY, NSE_CODE, STOCK_NAME, SYMBOL, TICKER
from klyx.services.analysis.table import Cell, Table
from klyx.services.analysis.text import comparison_key, normalise_nse_code


def symbol_key(written: str) -> str:
    """What spellings of one symbol share: letter case, spacing and a trailing `.NS` do not count."""
    return comparison_key(normalise_nse_code(written) or written)


def add_name_column(table: Table) -> Table:
    """A tidy table without `Stock Name` with one: its `Company`, else an empty one beside its symbols.

    A `Ticker` becomes the `Symbol` where there is none. A table that names no stock at all stays without.
    """
    if STOCK_NAME in table.columns:
        return table
    columns = _renamed(_renamed(table.columns, COMPANY, STOCK_NAME), TICKER, SYMBOL)
    if STOCK_NAME in columns or not {NSE_CODE, SYMBOL} & set(columns):
        return Table(table.source, columns, table.rows)
    return Table(table.source, (*columns, STOCK_NAME), tuple((*row, None) for row in table.rows))


def symbols_without_names(table: Table) -> list[str]:
    """What stands for the stocks of a tidy table that has no column of names; nothing when it has one."""
    if STOCK_NAME in table.columns or COMPANY in table.columns:
        return []
    written = (_symbols(row, _positions(table.columns)) for row in table.rows)
    return list(dict.fromkeys(text for texts in written for text in texts))


def fill_names(table: Table, names: Mapping[str, str]) -> Table:
    """The table with its empty names filled in: from `names` by `symbol_key`, else the symbol itself."""
    name_position, positions = table.columns.index(STOCK_NAME), _positions(table.columns)
    rows = []
    for row in table.rows:
        cells = list(row)
        texts = _symbols(row, positions)
        if cell_text(cells[name_position]) is None and texts:
            known = (names[key] for text in texts if (key := symbol_key(text)) in names)
            cells[name_position] = next(known, normalise_nse_code(texts[0]) or texts[0])
        rows.append(tuple(cells))
    return Table(table.source, table.columns, tuple(rows))


def names_of_codes(tables: Iterable[Table]) -> dict[str, str]:
    """What the tables themselves call the stocks with a symbol, the first table's name first."""
    names: dict[str, str] = {}
    for table in tables:
        name_position, positions = table.columns.index(STOCK_NAME), _positions(table.columns)
        for row in table.rows:
            name = cell_text(row[name_position])
            for symbol in _symbols(row, positions) if name is not None else ():
                names.setdefault(symbol_key(symbol), str(name))
    return names


def _renamed(columns: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return columns if new in columns else tuple(new if column == old else column for column in columns)


def _positions(columns: Sequence[str]) -> list[int]:
    return [columns.index(column) for column in (NSE_CODE, SYMBOL, TICKER) if column in columns]


def _symbols(row: Sequence[Cell], positions: Iterable[int]) -> list[str]:
    return [written for position in positions if (written := cell_text(row[position])) is not None]
