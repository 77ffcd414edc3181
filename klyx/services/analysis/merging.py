"""Joining cleaned tables into one row per stock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from klyx.services.analysis.columns import NSE_CODE, STOCK_NAME, SYMBOL
from klyx.services.analysis.table import Cell, Problem, Row, Table, fill, text
from klyx.services.analysis.text import comparison_key, normalise_nse_code


@dataclass(frozen=True, slots=True)
class Merged:
    """Rows in first-seen order, all with the same keys in first-seen order."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


def file_order(tables: Iterable[Table]) -> list[Table]:
    """The order in which files are merged: by name, whatever order they were uploaded in."""
    return sorted(tables, key=lambda table: (table.source.casefold(), table.source))


def merge_tables(tables: Sequence[Table]) -> Merged:
    """An outer join on `Stock Name`: the first known value of each column wins.

    Names that differ only in letter case or spacing are one stock, within a file and across
    files. Every table must have a `Stock Name` column.
    """
    stocks: dict[str, Row] = {}
    columns: dict[str, None] = {}
    problems: list[Problem] = []
    for table in tables:
        columns.update(dict.fromkeys(table.columns))
        problems.extend(_merge_into(stocks, table))
    if SYMBOL in columns:
        columns.setdefault(NSE_CODE)
    rows = tuple({column: row.get(column) for column in columns} for row in stocks.values())
    for row in rows:
        fill(row, NSE_CODE, normalise_nse_code(text(row, SYMBOL)))
    problems.extend(_shared_codes(rows))
    return Merged(rows, tuple(problems))


def _merge_into(stocks: dict[str, Row], table: Table) -> list[Problem]:
    position = table.columns.index(STOCK_NAME)
    seen: set[str] = set()
    repeated: dict[str, str] = {}
    nameless = 0
    for cells in table.rows:
        name = cells[position]
        if not isinstance(name, str):
            nameless += 1
            continue
        key = comparison_key(name)
        if key in seen:
            repeated.setdefault(key, text(stocks[key], STOCK_NAME))
        seen.add(key)
        _fill_all(stocks.setdefault(key, {}), table.columns, cells)
    problems = []
    if repeated:
        problems.append(
            f'Stocks on more than one row: {len(repeated)} (the first is "{next(iter(repeated.values()))}"). '
            "Their rows were combined; where they differ, the upper row counts."
        )
    if nameless:
        problems.append(f'Rows without a "{STOCK_NAME}", left out: {nameless}. Fill in the names and upload again.')
    return [Problem(message, source=table.source) for message in problems]


def _fill_all(row: Row, columns: tuple[str, ...], cells: tuple[Cell, ...]) -> None:
    for column, cell in zip(columns, cells, strict=True):
        fill(row, column, cell)


def _shared_codes(rows: Iterable[Row]) -> list[Problem]:
    names: dict[str, list[str]] = {}
    for row in rows:
        names.setdefault(text(row, NSE_CODE), []).append(text(row, STOCK_NAME))
    return [
        Problem(
            f'Stocks with the NSE code {code}: {len(owners)} ("{owners[0]}", "{owners[1]}"). '
            "If they are one company, write its name the same way in every file.",
            stock_name=owners[1],
        )
        for code, owners in names.items()
        if code and len(owners) > 1
    ]
