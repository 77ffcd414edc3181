"""Which company people mean in a conversation: symbols, names, short names, and names of the past."""

from __future__ import annotations

import re

from sqlalchemy.orm import Session

from klyx.services.stocks import STOCK_COLUMNS, StockReference, StockRow, alias_code, list_stocks, resolve_names

MOST_CANDIDATES = 5
# So many matches are looked at before a beginning counts as the only one.
MOST_LOOKED_AT = 20

_POSITIONS = {
    name: next(place for place, column in enumerate(STOCK_COLUMNS) if column.name == name)
    for name in ("id", "stock_name", "nse_code", "sector_name", "isin")
}
_SUFFIX = re.compile(r"\.(NS|BO)$", re.IGNORECASE)


def find_company(session: Session, text: str) -> StockReference | None:
    """The one company that is meant, or None when nothing or too much fits."""
    name = spelling(text)
    if not name:
        return None
    # Who is called so today goes before who was called so once.
    for called in dict.fromkeys((without_exchange(text), name)):
        if found := resolve_names(session, [called]).get(called):
            return found
    candidates = search_companies(session, name, MOST_LOOKED_AT) if len(name) >= 3 else []
    if len(candidates) > 1:
        candidates = [candidate for candidate in candidates if _begins(candidate, name)]
    return candidates[0] if len(candidates) == 1 else None


def search_companies(session: Session, query: str, limit: int = MOST_CANDIDATES) -> list[StockReference]:
    """What may be meant, the best first."""
    text = spelling(query)
    return [_reference(row) for row in list_stocks(session, limit=limit, search=text)] if text else []


def spelling(text: str) -> str:
    """A company's symbol where the text is a short or former name, else the text without a suffix of an exchange."""
    plain = without_exchange(text)
    return alias_code(plain) or plain


def without_exchange(text: str) -> str:
    """The text without a suffix of an exchange, no longer than a name can be."""
    return _SUFFIX.sub("", text.strip())[:100]


def _begins(candidate: StockReference, name: str) -> bool:
    """Whether the name begins with whole words of what was asked."""
    return f"{candidate.stock_name.casefold()} ".startswith(f"{name.casefold()} ")


def _reference(row: StockRow) -> StockReference:
    values = {name: row[place] for name, place in _POSITIONS.items()}
    return StockReference(
        int(values["id"]), values["stock_name"], values["nse_code"], values["sector_name"], values["isin"]
    )
