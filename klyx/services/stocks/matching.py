"""Which stock a person means by a name, a symbol or an ISIN."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from klyx.database.models import Stock
from klyx.services.analysis.text import normalise_nse_code
from klyx.services.stocks.aliases import OTHER_NAMES
from klyx.services.stocks.expressions import by_market_cap, is_any_of, lower_case, texts

_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
_COMPANY_ENDINGS = frozenset({"ltd", "limited"})
# Beyond this many names one scan of the whole (short) list is cheaper than looking each of them up.
_MOST_LOOKED_UP = 500


@dataclass(frozen=True, slots=True)
class StockReference:
    """What identifies a stock."""

    id: int
    stock_name: str
    nse_code: str | None
    sector_name: str | None
    isin: str | None


def normalise_isin(value: str) -> str | None:
    """An ISIN in its stored form (upper case), or None when the text cannot be one."""
    isin = value.strip().upper()
    return isin if _ISIN.fullmatch(isin) else None


def loose_key(name: str) -> str:
    """What spellings of a company's name share that differ in letter case, punctuation, spaces, "&" or "Ltd.".

    Empty when nothing distinctive is left.
    """
    folded = unicodedata.normalize("NFKC", name).casefold().replace("&", " and ")
    # Vowel signs of Indian scripts are marks, and tell names apart as letters do.
    kept = "".join(c if c.isalnum() or unicodedata.category(c).startswith("M") else " " for c in folded)
    words = kept.split()
    while words and words[-1] in _COMPANY_ENDINGS:
        words.pop()
    return "".join(words)


_ALIASES = {loose_key(alias): code for alias, code in OTHER_NAMES.items()}


def alias_code(name: str) -> str | None:
    """The NSE code of the company that goes by this short or former name; spellings differ as `loose_key` allows."""
    return _ALIASES.get(loose_key(name))


class NameIndex:
    """Stocks by everything they are called; of several with one name the first given wins."""

    def __init__(self, references: Iterable[StockReference]) -> None:
        self._by_name: dict[str, StockReference] = {}
        self._by_code: dict[str, StockReference] = {}
        self._by_isin: dict[str, StockReference] = {}
        self._by_lower_name: dict[str, StockReference] = {}
        self._references = tuple(references)
        for reference in self._references:
            self._by_name.setdefault(reference.stock_name, reference)
            self._by_lower_name.setdefault(reference.stock_name.lower(), reference)
            if reference.nse_code:
                self._by_code.setdefault(reference.nse_code, reference)
            if reference.isin:
                self._by_isin.setdefault(reference.isin, reference)

    def find(self, name: str) -> StockReference | None:
        """By exact name, else symbol, else ISIN, else the name in another letter case."""
        return (
            self._by_name.get(name)
            or self._by_code.get(normalise_nse_code(name) or "")
            or self._by_isin.get(normalise_isin(name) or "")
            or self._by_lower_name.get(name.lower())
        )

    def find_loosely(self, name: str) -> StockReference | None:
        """As `find`, else by a name that differs only as `loose_key` allows and means one stock, else by an alias."""
        if found := self.find(name):
            return found
        key = loose_key(name)
        similar = self._by_loose_name.get(key, []) if key else []
        return similar[0] if len(similar) == 1 else self._by_code.get(alias_code(name) or "")

    @cached_property
    def _by_loose_name(self) -> dict[str, list[StockReference]]:
        by_loose_name: dict[str, list[StockReference]] = {}
        for reference in self._references:
            by_loose_name.setdefault(loose_key(reference.stock_name), []).append(reference)
        return by_loose_name


def known_names(session: Session) -> list[StockReference]:
    """Every stock, the largest company first."""
    return _references(session, {})


def look_up_names(session: Session, names: Sequence[str]) -> dict[str, StockReference]:
    """The stocks with these names, symbols or ISINs (see NameIndex.find); unknown names are left out."""
    distinct = list(dict.fromkeys(names))
    if not distinct:
        return {}
    if len(distinct) > _MOST_LOOKED_UP:
        index = NameIndex(known_names(session))
    else:
        dialect_name = session.get_bind().dialect.name
        condition = possible_matches(dialect_name, are_ascii=are_ascii(distinct))
        index = NameIndex(_references(session, name_parameters(dialect_name, distinct), condition))
    return {name: found for name in distinct if (found := index.find(name))}


def resolve_names(session: Session, names: Sequence[str]) -> dict[str, StockReference]:
    """The stocks people mean by these names, symbols or ISINs; unknown and ambiguous ones are left out.

    Exact name, symbol, ISIN, name in another letter case, a name that differs only in punctuation,
    spaces or "Ltd." (see `loose_key`), and last a short or former name of a large company.
    """
    found = look_up_names(session, names)
    missing = [name for name in dict.fromkeys(names) if name not in found]
    if missing:
        index = NameIndex(known_names(session))
        found |= {name: reference for name in missing if (reference := index.find_loosely(name))}
    return found


@cache
def possible_matches(dialect_name: str, *, are_ascii: bool) -> ColumnElement[bool]:
    """The condition for every stock that NameIndex may find by the names in its parameters (see `name_parameters`)."""
    stocks = Stock.__table__.c
    columns: dict[str, ColumnElement[Any]] = {
        "names": stocks.stock_name,
        "codes": stocks.nse_code,
        "isins": stocks.isin,
        "lower_names": lower_case(dialect_name, is_ascii=are_ascii)(stocks.stock_name),
    }
    return or_(*(is_any_of(dialect_name, column, parameter) for parameter, column in columns.items()))


def name_parameters(dialect_name: str, names: Collection[str]) -> dict[str, Any]:
    """The parameters of `possible_matches`."""
    parameters = {
        "names": set(names),
        "codes": {code for name in names if (code := normalise_nse_code(name))},
        "isins": {isin for name in names if (isin := normalise_isin(name))},
        # A database with the locale "C" folds ASCII only: ask for both, NameIndex decides.
        "lower_names": {name.lower() for name in names} | {_lower_ascii(name) for name in names},
    }
    return {parameter: texts(dialect_name, values) for parameter, values in parameters.items()}


def are_ascii(names: Iterable[str]) -> bool:
    return all(name.isascii() for name in names)


def _lower_ascii(text: str) -> str:
    return text.lower() if text.isascii() else "".join(c.lower() if c.isascii() else c for c in text)


def _references(
    session: Session, parameters: Mapping[str, Any], *conditions: ColumnElement[bool]
) -> list[StockReference]:
    columns = (Stock.id, Stock.stock_name, Stock.nse_code, Stock.sector_name, Stock.isin)
    rows = session.execute(select(*columns).where(*conditions).order_by(*by_market_cap(Stock)), parameters)
    return [StockReference(*row) for row in rows]
