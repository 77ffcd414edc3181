"""By what a sentence wants stocks ranked, and how many of them: "top 5 banks by ROE", "3 highest dividend yield"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from klyx.services.chat.conditions import COLUMN_OF, FIELD
from klyx.services.chat.explaining import field_name
from klyx.services.chat.negation import is_negated
from klyx.services.chat.periods import CHANGES, PERIOD, change_over
from klyx.services.chat.vocabulary import LOW_IS_GOOD

MOST_RANKED = 100
# What a word means by itself; below 0 a price for each rupee of earnings says nothing.
_BY_ITSELF = {"cheapest": "pe_ttm", "largest": "market_cap", "biggest": "market_cap", "smallest": "market_cap"}
# These say how many, and no more, beside a word that says by what.
_NUMBERING = frozenset({"top", "best", "bottom", "worst"})
_ONLY_ABOVE_ZERO = frozenset({"pe_ttm", "peg_ratio", "pb_ratio", "ps_ratio"})
_HIGH = "top|best|highest|most|largest|biggest"
_LOW = "bottom|worst|lowest|cheapest|smallest|least"
# "At most" and "at least" compare.
_RANK = re.compile(
    rf"\b(?:(\d{{1,3}})\s+)?(?<!at )({_HIGH}|{_LOW})\b(?:\s+(\d{{1,3}})\b(?!\s*%|[\s-]+(?:day|week|month|year)))?"
    rf"(?:\s+({FIELD}|(?<=most )profitable|(?<=least )profitable)(?![\w/]))?"
)
_BY = re.compile(
    r"\b(?:(?:sort(?:ed)?|rank(?:ed)?|ordered)\s+)?(?:by|in terms of)\s+(?:the\s+)?(?:(highest|lowest)\s+)?"
    rf"({FIELD})(?![\w/])"
)
_MOVERS = re.compile(r"\b(gainers?|losers?|movers?|performers?|performing)\b")
_FALLING = re.compile(r"\b(?:losers?|worst)\b")
_NUMBER = re.compile(
    r"\b(?:(?:top|best|biggest|worst)(?:\s+(\d{1,3})\b(?!\s*%))?|(\d{1,3})\s+(?=top|best|biggest|worst|gainers|losers))"
)
# "52 week low" and "1 year return" are figures and no period of gainers.
_PERIOD = re.compile(
    rf"{PERIOD}(?!\s+(?:lows?|highs?|averages?|moving|returns?|change|growth|profits?|results?|revenue|sales|earnings|old)\b)"
)
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
    if (mover := _MOVERS.search(text)) is not None:
        return _movers(text, mover)
    ranks = [rank for rank in _RANK.finditer(text) if not is_negated(text[: rank.start()])]
    by = _BY.search(text)
    if by is not None and is_negated(text[: by.start()]):
        by = None
    chosen = _chosen(ranks, by)
    if chosen is not None:
        return _ranked(text, chosen, ranks, None if chosen.group(4) else by)
    if by is not None:
        return Ranking(COLUMN_OF[by.group(2)], by.group(1) != "lowest"), _blank(text, by)
    adjective = _ADJECTIVE.search(text)
    if adjective is None or is_negated(text[: adjective.start()]):
        return None, text
    descending = adjective.group(1) not in ("low", "lower")
    if adjective.group(1) in ("good", "strong"):
        descending = COLUMN_OF[adjective.group(2)] not in LOW_IS_GOOD
    return Ranking(COLUMN_OF[adjective.group(2)], descending), _blank(text, adjective)


def moved_over_an_unknown_period(text: str) -> bool:
    """Whether a text asks who moved most over a time whose changes we do not have, such as 5 years."""
    period = _PERIOD.search(text)
    return period is not None and _MOVERS.search(text) is not None and change_over(period.group()) is None


def _chosen(ranks: Sequence[re.Match[str]], by: re.Match[str] | None) -> re.Match[str] | None:
    """The word of rank that counts: the first that names a figure, or else the first that has one."""
    named = next((rank for rank in ranks if rank.group(4)), None)
    if named is not None and (by is None or named.start() < by.end()):
        return named
    if by is not None:
        return ranks[0] if ranks else None
    return next((rank for rank in ranks if rank.group(2) in _BY_ITSELF), None)


def _ranked(
    text: str, chosen: re.Match[str], ranks: Sequence[re.Match[str]], by: re.Match[str] | None
) -> tuple[Ranking, str]:
    word = chosen.group(2)
    column = _column(chosen, by)
    numbering = [chosen, *(rank for rank in ranks if rank.group(2) in _NUMBERING and not rank.group(4))]
    number = next((int(digits) for rank in numbering for digits in rank.group(1, 3) if digits), None)
    descending = word in _HIGH.split("|") and not (word == "best" and column in LOW_IS_GOOD)
    if word == "worst" and column in LOW_IS_GOOD:
        descending = True
    for taken in (*numbering, by):
        text = text if taken is None else _blank(text, taken)
    return Ranking(column, descending, min(number, MOST_RANKED) if number else None), text


def _column(chosen: re.Match[str], by: re.Match[str] | None) -> str:
    if chosen.group(4):
        return COLUMN_OF.get(chosen.group(4), "net_profit_annual")
    return COLUMN_OF[by.group(2)] if by is not None else _BY_ITSELF[chosen.group(2)]


def _movers(text: str, mover: re.Match[str]) -> tuple[Ranking | None, str]:
    period = _PERIOD.search(text)
    column = CHANGES["day"] if period is None else change_over(period.group())
    rest = text if period is None else _blank(text, period)
    number_named = _NUMBER.search(rest)
    start = mover.start() if number_named is None else min(mover.start(), number_named.start())
    if column is None or is_negated(text[:start]):
        return None, text
    numbers = [int(digits) for found in _NUMBER.finditer(rest) for digits in found.groups() if digits]
    number = min(numbers[0], MOST_RANKED) if numbers and numbers[0] else None
    is_falling = _FALLING.search(text) is not None
    # What asks for those that rose is left where those that fell are listed.
    rising = ("best", "gainer") if is_falling else ()
    for pattern in (_NUMBER, _MOVERS):
        rest = pattern.sub(lambda found: found.group() if found[0].startswith(rising) else " " * len(found[0]), rest)
    return Ranking(column, not is_falling, number, moved=True), rest


def _blank(text: str, found: re.Match[str]) -> str:
    return text[: found.start()] + " " * len(found.group()) + text[found.end() :]
