"""By what a sentence wants stocks ranked, and how many of them: "top 5 banks by ROE", "3 highest dividend yield"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from klyx.services.chat.conditions import CHANGES, COLUMN_OF, FIELD
from klyx.services.chat.explaining import field_name
from klyx.services.chat.vocabulary import LOW_IS_GOOD

MOST_RANKED = 100
# What a word means by itself; below 0 a price for each rupee of earnings says nothing.
_BY_ITSELF = {"cheapest": "pe_ttm", "largest": "market_cap", "biggest": "market_cap", "smallest": "market_cap"}
_ONLY_ABOVE_ZERO = frozenset({"pe_ttm", "peg_ratio", "pb_ratio", "ps_ratio"})
_HIGH = "top|best|highest|most|largest|biggest"
_LOW = "bottom|worst|lowest|cheapest|smallest|least"
_RANK = re.compile(rf"\b(?:(\d{{1,3}})\s+)?({_HIGH}|{_LOW})\b(?:\s+(\d{{1,3}})\b(?!\s*%))?(?:\s+({FIELD})(?![\w/]))?")
_BY = re.compile(
    r"\b(?:(?:sort(?:ed)?|rank(?:ed)?|ordered)\s+)?(?:by|in terms of)\s+(?:the\s+)?(?:(highest|lowest)\s+)?"
    rf"({FIELD})(?![\w/])"
)
_MOVERS = re.compile(r"\b(gainers?|losers?|movers?|performers?|performing)\b")
_FALLING = re.compile(r"\b(?:losers?|worst)\b")
_NUMBER = re.compile(
    r"\b(?:(?:top|best|biggest|worst)(?:\s+(\d{1,3})\b(?!\s*%))?|(\d{1,3})\s+(?=top|best|biggest|worst|gainers|losers))"
)
_PERIOD = re.compile(r"\b(?:(?:of|in|over)\s+)?(?:(?:this|the|last|past)\s+)*(today|day|week|month|quarter|year)\b")
_ADJECTIVE = re.compile(rf"\b(high|higher|good|strong|low|lower)\s+({FIELD})(?![\w/])")


@dataclass(frozen=True, slots=True)
class Ranking:
    """`number` is how many stocks were asked for, if any; with `moved` only those that rose, or fell."""

    column: str
    descending: bool
    number: int | None = None
    moved: bool = False

    @property
    def only_above_zero(self) -> bool:
        """Whether lower is better only as long as it is above 0."""
        return not self.descending and self.column in _ONLY_ABOVE_ZERO

    @property
    def explanation(self) -> str:
        order = "highest" if self.descending else "lowest"
        name = f"{field_name(self.column)}{' above 0' if self.only_above_zero else ''}"
        return f"{order} {name} first" if self.number is None else f"the {self.number} {order} by {name}"


def read_ranking(text: str) -> tuple[Ranking | None, str]:
    """The ranking that a text in small letters asks for, and the text with spaces in its place."""
    if _MOVERS.search(text):
        return _movers(text)
    rank, by = _RANK.search(text), _BY.search(text)
    if rank is not None and (column := _ranked_by(rank, by)) is not None:
        word = rank.group(2)
        number = next((int(digits) for digits in (rank.group(1), rank.group(3)) if digits), None)
        rest = _blank(text, rank)
        if by is not None and not rank.group(4):
            rest = _blank(rest, by)
        descending = word in _HIGH.split("|") and not (word == "best" and column in LOW_IS_GOOD)
        if word == "worst" and column in LOW_IS_GOOD:
            descending = True
        return Ranking(column, descending, min(number, MOST_RANKED) if number else None), rest
    if by is not None:
        return Ranking(COLUMN_OF[by.group(2)], by.group(1) != "lowest"), _blank(text, by)
    if adjective := _ADJECTIVE.search(text):
        descending = adjective.group(1) not in ("low", "lower")
        if adjective.group(1) in ("good", "strong"):
            descending = COLUMN_OF[adjective.group(2)] not in LOW_IS_GOOD
        return Ranking(COLUMN_OF[adjective.group(2)], descending), _blank(text, adjective)
    return None, text


def _movers(text: str) -> tuple[Ranking, str]:
    period = _PERIOD.search(text)
    numbers = [int(digits) for found in _NUMBER.finditer(text) for digits in found.groups() if digits]
    column = CHANGES[period.group(1) if period else "day"]
    number = min(numbers[0], MOST_RANKED) if numbers and numbers[0] else None
    ranking = Ranking(column, _FALLING.search(text) is None, number, moved=True)
    for pattern in (_NUMBER, _MOVERS, _PERIOD):
        text = pattern.sub(lambda found: " " * len(found.group()), text)
    return ranking, text


def _ranked_by(rank: re.Match[str], by: re.Match[str] | None) -> str | None:
    if rank.group(4):
        return COLUMN_OF[rank.group(4)]
    return COLUMN_OF[by.group(2)] if by is not None else _BY_ITSELF.get(rank.group(2))


def _blank(text: str, found: re.Match[str]) -> str:
    return text[: found.start()] + " " * len(found.group()) + text[found.end() :]
