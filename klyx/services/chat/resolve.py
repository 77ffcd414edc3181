"""Which company people mean in a conversation: symbols, names, short names, and names of the past."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy.orm import Session

from klyx.services.stocks import STOCK_COLUMNS, StockReference, StockRow, alias_code, list_stocks, resolve_names

MOST_CANDIDATES = 5

_POSITIONS = {
    name: next(place for place, column in enumerate(STOCK_COLUMNS) if column.name == name)
    for name in ("id", "stock_name", "nse_code", "sector_name", "isin")
}
_SUFFIX = re.compile(r"\.(NS|BO)$", re.IGNORECASE)


def find_company(session: Session, text: str) -> StockReference | None:
    """The one company that is meant, or None when nothing or too much fits."""
    return find_companies(session, [text]).get(text)


def find_companies(session: Session, texts: Sequence[str], *, search: bool = True) -> dict[str, StockReference]:
    """As `find_company` for several texts; what means nothing is left out. Without `search`, whole names only."""
    spelled = {text: _spelling(text) for text in dict.fromkeys(texts)}
    wanted = [name for name in spelled.values() if name]
    found = resolve_names(session, wanted) if wanted else {}
    answers = {text: found[name] for text, name in spelled.items() if name in found}
    for text, name in spelled.items() if search else ():
        if text not in answers and len(name) >= 3:
            candidates = search_companies(session, name)
            if candidates and (len(candidates) == 1 or _begins(candidates[0], name)):
                answers[text] = candidates[0]
    return answers


def search_companies(session: Session, query: str, limit: int = MOST_CANDIDATES) -> list[StockReference]:
    """What may be meant, the best first."""
    text = _spelling(query)
    return [_reference(row) for row in list_stocks(session, limit=limit, search=text)] if text else []


def _spelling(text: str) -> str:
    plain = _SUFFIX.sub("", text.strip())
    return alias_code(plain) or plain[:100]


def _begins(candidate: StockReference, name: str) -> bool:
    """Of several matches the first one counts when the name begins with whole words of what was asked."""
    return f"{candidate.stock_name.casefold()} ".startswith(f"{name.casefold()} ")


def _reference(row: StockRow) -> StockReference:
    values = {name: row[place] for name, place in _POSITIONS.items()}
    return StockReference(
        int(values["id"]), values["stock_name"], values["nse_code"], values["sector_name"], values["isin"]
    )
