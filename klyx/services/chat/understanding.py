"""From a sentence such as "IT stocks with P/E under 15 and ROE over 20" to the screen that it describes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from klyx.services.chat.conditions import Stated, read_conditions
from klyx.services.chat.explaining import explain
from klyx.services.chat.ranking import Ranking, read_ranking
from klyx.services.chat.vocabulary import SECTOR_WORDS

RANKED = 10
# These mean a group of companies only in a place where such a name stands.
_ORDINARY_WORDS = frozenset({"it", "gas", "power", "consumer", "retail", "media", "energy", "tech", "oil"})
_OR = re.compile(r"\bor\b")
_GROUP = r"(?:stocks?|compan(?:y|ies)|sector|shares?|firms?)"
_SECTOR = "|".join(re.escape(word) for word in sorted(SECTOR_WORDS, key=len, reverse=True))
# The screener has no condition for these: they are told as unread.
_NOT_IN_SECTOR = re.compile(
    rf"\b(?:{_SECTOR})\b(?:\s+{_GROUP})?\s+or\b|\b(?:(?:but\s+)?not|excluding|except(?:\s+for)?|other\s+than|without|non|or)[\s-]+(?:(?:in|from|of|the|an?)\s+)*"
    rf"(?:{_SECTOR})\b(?:\s+{_GROUP}\b)?"
)


@dataclass(frozen=True, slots=True)
class Understood:
    """`definition` is what klyx.services.screener.parse_screen reads; `unread` is what had no meaning for us.

    `ranking` is by what they are ranked if the sentence says that.
    """

    definition: dict[str, Any]
    explanation: str
    unread: str
    ranking: Ranking | None = None

    @property
    def number(self) -> int | None:
        """How many stocks are asked for, if that is said."""
        return None if self.ranking is None else self.ranking.number

    @property
    def states_conditions(self) -> bool:
        """Whether it says more than an order."""
        ranked = self.ranking.column if self.ranking is not None else None
        return any(way.get("field") != ranked or way.get("value") != 0 for way in self._beside_the_ranking)

    @property
    def _beside_the_ranking(self) -> list[dict[str, Any]]:
        return [way for way in self.definition["filters"] if way.get("operator") not in ("top", "bottom")]

    @property
    def is_a_group_only(self) -> bool:
        """Whether nothing but a group of companies is named, which may be a part of a name ("Bank of India")."""
        filters = self.definition["filters"]
        return self.ranking is None and len(filters) == 1 and "any" in filters[0]


def understand(sentence: str) -> Understood | None:
    """The screen that a sentence describes, or None when it names no condition that we know.

    Amounts of money are rupees, or crores where a bare number is a market cap, a revenue or a profit.
    """
    rest = f" {' '.join(sentence.lower().split())} "
    # First, since "low debt to equity" is not "low debt" and then "to equity".
    ranking, rest = read_ranking(rest)
    stated, rest = read_conditions(rest)
    ways, logic = _joined(stated, rest)
    left_out, rest = _not_in_sector(rest, ways)
    sector, rest = sector_condition(rest)
    if sector is not None:
        ways = [sector, *([{"any": ways}] if logic == "OR" else ways)]
        logic = "AND"
    if not ways and ranking is None:
        return None
    explained = [explain(ways, logic)] if ways else []
    if ranking is not None:
        ranking = replace(ranking, number=ranking.number or (None if ways or ranking.moved else RANKED))
        explained.append(ranking.explanation)
        ways, logic = _ranked(ranking, ways, logic)
    unread = " ".join((*left_out, _unread(rest))).strip()
    return Understood({"filters": ways, "logic": logic, **_order(ranking)}, ", ".join(explained), unread, ranking)


def sector_condition(text: str) -> tuple[dict[str, Any] | None, str]:
    """The condition for a group of companies that a text names, and the text without it."""
    for word, parts in sorted(SECTOR_WORDS.items(), key=lambda item: -len(item[0])):
        named = rf"\b{re.escape(word)}\b(?=\s+{_GROUP}\b)"
        found = re.search(rf"{named}|\b(?:in|from|among)\s+(?:the\s+)?{re.escape(word)}\b", text)
        if found is None and word not in _ORDINARY_WORDS:
            found = re.search(rf"\b{re.escape(word)}\b", text)
        if found:
            ways = [
                {"field": field, "operator": "contains", "value": part}
                for part in parts
                for field in ("sector_name", "industry_name")
            ]
            return {"any": ways}, text[: found.start()] + " " + text[found.end() :]
    return None, text


def _joined(stated: Sequence[Stated], rest: str) -> tuple[list[dict[str, Any]], str]:
    """The conditions with their logic; "and" binds more closely than "or"."""
    alternatives: list[list[dict[str, Any]]] = []
    last_end = 0
    for one in stated:
        if not alternatives or _OR.search(rest[last_end : one.start]):
            alternatives.append([])
        alternatives[-1].append(one.condition)
        last_end = one.end
    if len(alternatives) < 2:
        return (alternatives[0] if alternatives else []), "AND"
    return [members[0] if len(members) == 1 else {"all": members} for members in alternatives], "OR"


def _not_in_sector(text: str, ways: Sequence[Any]) -> tuple[list[str], str]:
    """What the sentence says of groups of companies that no condition can say, and the text without it."""
    left_out = [found for found in _NOT_IN_SECTOR.finditer(text) if ways or not _OR.search(found.group())]
    for found in left_out:
        text = text[: found.start()] + " " * len(found.group()) + text[found.end() :]
    return [" ".join(found.group().split()) for found in left_out], text


def _ranked(ranking: Ranking, ways: list[dict[str, Any]], logic: str) -> tuple[list[dict[str, Any]], str]:
    """The conditions with what the ranking adds: all that match are ranked, or else all stocks."""
    column = ranking.column
    needed = []
    if ranking.moved:
        needed = [{"field": column, "operator": "gt" if ranking.descending else "lt", "value": 0}]
    elif ranking.only_above_zero and not any(way.get("field") == column for way in ways):
        needed = [{"field": column, "operator": "gt", "value": 0}]
    if needed:
        return [*([{"any": ways}] if logic == "OR" else ways), *needed], "AND"
    if ways:
        return ways, logic
    operator = "top" if ranking.descending else "bottom"
    return [{"field": column, "operator": operator, "value": ranking.number or RANKED}], "AND"


def _order(ranking: Ranking | None) -> dict[str, str]:
    if ranking is None:
        return {"sort_by": "market_cap", "sort_order": "desc"}
    return {"sort_by": ranking.column, "sort_order": "desc" if ranking.descending else "asc"}


_FILLERS = re.compile(
    r"\b(?:stocks?|shares?|companies|company|firms?|with|and|or|but|the|a|an|in|of|that|have|has|having|are|is|whose|"
    r"which|show|me|find|list|give|all|any|please|get|i|want|to|see|sector|for|their|by|screen|who|where|ratio|from|"
    r"among|top|best|some|good)\b"
)


def _unread(text: str) -> str:
    return " ".join(re.sub(r"[^\w%./]+", " ", _FILLERS.sub(" ", text)).split())
