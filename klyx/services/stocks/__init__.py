"""Stocks: the field table, lists and search, single stocks, names, and figures over all of them."""

from klyx.services.stocks.aliases import OTHER_NAMES
from klyx.services.stocks.fields import FIELDS, Kind, StockField, Unit
from klyx.services.stocks.matching import (
    NameIndex,
    StockReference,
    alias_code,
    known_names,
    loose_key,
    resolve_names,
)
from klyx.services.stocks.provenance import Provenance, provenance_of, record_provenance
from klyx.services.stocks.queries import (
    MAX_BATCH_NAMES,
    MAX_NAME_CHARACTERS,
    StockBatch,
    batch,
    count_stocks,
    find_stock,
    known_total,
    list_stocks,
    select_stocks,
)
from klyx.services.stocks.summary import SectorCount, Statistics, sectors, statistics
from klyx.services.stocks.union import STOCK_COLUMNS, StockObject, StockRow, encode_stocks, union_object

__all__ = [
    "FIELDS",
    "MAX_BATCH_NAMES",
    "MAX_NAME_CHARACTERS",
    "OTHER_NAMES",
    "STOCK_COLUMNS",
    "Kind",
    "NameIndex",
    "Provenance",
    "SectorCount",
    "Statistics",
    "StockBatch",
    "StockField",
    "StockObject",
    "StockReference",
    "StockRow",
    "Unit",
    "alias_code",
    "batch",
    "count_stocks",
    "encode_stocks",
    "find_stock",
    "known_names",
    "known_total",
    "list_stocks",
    "loose_key",
    "provenance_of",
    "record_provenance",
    "resolve_names",
    "sectors",
    "select_stocks",
    "statistics",
    "union_object",
]
