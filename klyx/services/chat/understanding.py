"""From a sentence such as "IT stocks with P/E under 15 and ROE over 20" to the screen that it describes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from klyx.services.chat.conditions import TAKEN, fields_in, read_conditions
from klyx.services.chat.explaining import explain
from klyx.services.chat.negation import negation_before
from klyx.services.chat.ranking import Ranking, moved_over_an_unknown_period, read_ranking
from klyx.services.chat.vocabulary import SECTOR_WORDS

RANKED = 10
# These mean a group of companies only in a place where such a name stands.
_ORDINARY_WORDS = frozenset({"it", "gas", "power", "consumer", "retail", "media", "energy", "tech", "oil"})
_OR = re.compile(r"\bor\b")
# "5 or more years" joins nothing.
_CONNECTIVE = re.compile(r"\b(?:and|or(?!\s+(?:more|less|so|above|below|higher|lower|over|under)\b))\b")
_GROUP = r"(?:stocks?|compan(?:y|ies)|sector|shares?|firms?)"
_SECTOR = "|".join(re.escape(word) for word in sorted(SECTOR_WORDS, key=len, reverse=True))
_SECTORS = (
    rf"(?:{_SECTOR})\b(?:\s+{_GROUP}\b)?"
    rf"(?:\s*(?:,|/|&|\band\b|\bor\b)\s*(?:in\s+|the\s+)*(?:{_SECTOR})\b(?:\s+{_GROUP}\b)?)*"
)
_PLAIN = str.maketrans({"\u2019": "'", TAKEN: " "})
# The screener has no condition for these: they are told as unread.
_WITHOUT_SECTOR = re.compile(
    r"\b(?:(?:but\s+)?not|excluding|except(?:\s+for)?|other\s+than|without|non|(?:are|is)n'?t)[\s-]+(?:(?:in|from|of|the|an?)\s+)*"
    rf"{_SECTORS}"
)
_OR_SECTOR = re.compile(rf"\bor\s+(?:(?:in|from|of|the|an?)\s+)*{_SECTORS}|\b(?>{_SECTORS})\s+or\b")
_SECTOR_LIST = re.compile(rf"(?P<place>\b(?:in|from|among)\s+(?:the\s+)?)?\b(?P<sectors>{_SECTORS})")


@dataclass(frozen=True, slots=True)
class Understood:
    """`definition` is what klyx.services.screener.parse_screen reads; `unread` is what had no meaning for us.

    `ranking` is by what they are ranked if the sentence says that; `states_conditions`, whether it says more than that.
    """

    definition: dict[str, Any]
    explanation: str
    unread: str
    ranking: Ranking | None = None
    states_conditions: bool = True

    @property
    def number(self) -> int | None:
        """How many stocks are asked for, if that is said."""
        return None if self.ranking is None else self.ranking.number

    @property
    def is_a_group_only(self) -> bool:
        """Whether nothing but a group of companies is named, which may be a part of a name ("Bank of India")."""
        filters = self.definition["filters"]
        return self.ranking is None and len(filters) == 1 and "any" in filters[0]


def understand(sentence: str) -> Understood | None:
    """The screen that a sentence describes, or None when it names no condition that we know.

    Amounts of money are rupees, or crores where a bare number is a market cap, a revenue or a profit.
    """
    text = f" {' '.join(sentence.lower().translate(_PLAIN).split())} "
    if moved_over_an_unknown_period(text):
        return None
    # First, since "low debt to equity" is not "low debt" and then "to equity".
    ranking, text = read_ranking(text)
    left_out, text = _left_out(text, _WITHOUT_SECTOR)
    conditions = read_conditions(text)
    sector, rest = _either_sector(conditions.rest)
    ways, logic, rest = _joined(conditions.stated, rest)
    if ways:
        beside, rest = _left_out(rest, _OR_SECTOR)
        left_out += beside
    if sector is None:
        sector, rest = sector_condition(rest)
    if sector is not None:
        ways = [sector, *([{"any": ways}] if logic == "OR" else ways)]
        logic = "AND"
    if ranking is not None and _OR.search(rest) and (ways or fields_in(rest)):
        # One of them is meant, and no screen is ranked for the one and not for the other.
        return None
    for start, words in conditions.unsure:
        rest = rest[:start] + words + rest[start + len(words) :]
    if not ways and ranking is None:
        return None
    states_conditions = bool(ways)
    explained = [explain(ways, logic)] if ways else []
    if ranking is not None:
        ranking = replace(ranking, number=ranking.number or (None if ways or ranking.moved else RANKED))
        explained.append(ranking.explanation)
        ways, logic = _ranked(ranking, ways, logic)
    unread = " ".join(
        (*left_out, _unread(rest, is_falling=ranking is not None and ranking.moved and not ranking.descending))
    ).strip()
    definition = {"filters": ways, "logic": logic, **_order(ranking)}
    return Understood(definition, ", ".join(explained), unread, ranking, states_conditions)


def sector_condition(text: str) -> tuple[dict[str, Any] | None, str]:
    """The condition for a group of companies that a text names, and the text without it."""
    for word, parts in sorted(SECTOR_WORDS.items(), key=lambda item: -len(item[0])):
        named = rf"\b{re.escape(word)}\b(?=\s+{_GROUP}\b)"
        found = re.search(rf"{named}|\b(?:in|from|among)\s+(?:the\s+)?{re.escape(word)}\b", text)
        if found is None and word not in _ORDINARY_WORDS:
            found = re.search(rf"\b{re.escape(word)}\b", text)
        if found and negation_before(text[: found.start()]) is None:
            return _in_sector(parts), _blank(text, found.start(), found.end())
    return None, text


def _in_sector(parts: Sequence[str]) -> dict[str, Any]:
    """The condition that a sector's or industry's name contains one of these."""
    fields = ("sector_name", "industry_name")
    return {"any": [{"field": field, "operator": "contains", "value": part} for part in parts for field in fields]}


def _either_sector(text: str) -> tuple[dict[str, Any] | None, str]:
    """The condition for several groups of companies named together ("pharma or it stocks"), and the text without it."""
    for found in _SECTOR_LIST.finditer(text):
        words = re.findall(rf"\b(?:{_SECTOR})\b", found["sectors"])
        is_sure = found["place"] or re.search(rf"{_GROUP}$", found["sectors"]) or not set(words) <= _ORDINARY_WORDS
        before, after = text[: found.start()], text[found.end() :]
        stands_alone = not re.search(r"\bor\s+$", before) and not re.match(r"\s+or\b", after)
        if len(words) > 1 and is_sure and stands_alone and negation_before(before) is None:
            parts = dict.fromkeys(part for word in words for part in SECTOR_WORDS[word])
            return _in_sector(list(parts)), _blank(text, found.start(), found.end())
    return None, text


def _joined(stated: Sequence[tuple[int, int, dict[str, Any]]], rest: str) -> tuple[list[dict[str, Any]], str, str]:
    """The conditions with their logic, and the text without what joins them; "and" binds more closely than "or"."""
    alternatives: list[list[dict[str, Any]]] = []
    last_end = 0
    for start, end, condition in stated:
        last = next(reversed(list(_CONNECTIVE.finditer(rest, last_end, start))), None)
        if not alternatives:
            alternatives.append([])
        elif last is not None and last.group() == "or":
            alternatives.append([])
            rest = _blank(rest, last.start(), last.end())
        alternatives[-1].append(condition)
        last_end = end
    if len(alternatives) < 2:
        return (_flat(alternatives[0]) if alternatives else []), "AND", rest
    either = [members[0] if len(members) == 1 else {"all": _flat(members)} for members in alternatives]
    return either, "OR", rest


def _flat(members: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without groups of conditions that must all be met within such a group."""
    return [condition for member in members for condition in member.get("all", [member])]


def _left_out(text: str, pattern: re.Pattern[str]) -> tuple[list[str], str]:
    """What the sentence says of groups of companies that no condition can say, and the text without it."""
    left_out = list(pattern.finditer(text))
    for found in left_out:
        text = _blank(text, found.start(), found.end())
    return [" ".join(found.group().split()) for found in left_out], text


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]


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
    r"\b(?:stocks?|(?<!per )shares?|companies|company|firms?|with|and|but|the|a|an|in|of|that|have|has|having|are|is|"
    r"whose|which|show|me|find|list|give|all|any|please|get|i|want|to|see|sector|for|their|by|screen|who|where|ratio|from|"
    r"among|some|good)\b"
)


_PRAISE = re.compile(r"\b(?:top|best)\b")


def _unread(text: str, *, is_falling: bool) -> str:
    """What is left of a text; also "best", where only the worst are listed."""
    text = _FILLERS.sub(" ", text.replace(TAKEN, " "))
    words = re.sub(r"[^\w%./₹<>=]+", " ", text if is_falling else _PRAISE.sub(" ", text)).split()
    return " ".join(word for word in words if word.strip("./"))
