"""Which companies a question names, which names could mean several, and which none that is listed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from klyx.services.chat.builtin.words import LONELY_WORDS, QUESTION_WORDS
from klyx.services.chat.directory import Directory
from klyx.services.stocks import StockReference

MOST_WORDS_IN_A_NAME = 6
MOST_WORDS_READ = 100
MOST_UNCLEAR = 3
_TOKEN = re.compile("[\\w&][\\w&.'\u2019-]*")
_ENDING = re.compile("(?:['\u2019]s)?[.'\u2019-]*$")
_NUMBER = re.compile(r"\d[\d.,]*\w{0,3}")


@dataclass(frozen=True, slots=True)
class UnclearName:
    """What may be a name, and the companies that may be meant; `known`: it begins the names of several of them."""

    name: str
    candidates: Sequence[StockReference]
    known: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """`unclear` names stand where a company's name does; `unread` are other words that mean nothing to us."""

    companies: tuple[StockReference, ...] = ()
    unclear: tuple[UnclearName, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    is_ordinary: bool
    follows: bool
    """Nothing but spaces between it and the one before."""


@dataclass(slots=True)
class _Hit:
    start: int
    end: int
    found: Sequence[StockReference]


def read_names(directory: Directory, text: str, readable: str) -> Names:
    """The longest names first; `readable` is the text with spaces for all that was understood as something else.

    A name next to words that we cannot read may be a part of one that is not listed. Then it is unclear: figures
    of another company are worse than none.
    """
    tokens = _tokens(text, readable)
    hits = _hits(directory, tokens)
    taken = {place for hit in hits for place in range(hit.start, hit.end)}
    unread = {place for place, token in enumerate(tokens) if place not in taken and not token.is_ordinary}
    companies: dict[int, StockReference] = {}
    unclear: list[UnclearName] = []
    covered: set[int] = set()
    for hit in hits:
        start, end = _with_unread(hit, tokens, unread)
        name = " ".join(token.text for token in tokens[start:end])
        if (start, end) != (hit.start, hit.end):
            covered |= set(range(start, end))
            unclear.append(UnclearName(name, directory.similar(name)))
        elif len(hit.found) > 1:
            unclear.append(UnclearName(name, hit.found, known=True))
        else:
            companies.setdefault(hit.found[0].id, hit.found[0])
    # "Tata Consultancy, TCS": what could mean several means the one that is named besides.
    unclear = [one for one in unclear if not (one.known and {found.id for found in one.candidates} & set(companies))]
    return Names(tuple(companies.values()), tuple(unclear[:MOST_UNCLEAR]), _runs(tokens, unread - covered))


def _tokens(text: str, readable: str) -> list[_Token]:
    tokens: list[_Token] = []
    last_end = 0
    for match in list(_TOKEN.finditer(text))[:MOST_WORDS_READ]:
        word = _ENDING.sub("", match.group())
        is_ordinary = (
            word.lower() in QUESTION_WORDS
            or _NUMBER.fullmatch(word) is not None
            or not readable[match.start() : match.start() + len(word)].strip()
        )
        tokens.append(_Token(word, is_ordinary, bool(tokens) and not text[last_end : match.start()].strip()))
        # A point ends a sentence, but not "Dr.".
        last_end = match.end() - (match.group()[-1] == "." and len(word) > 2)
    return tokens


def _hits(directory: Directory, tokens: Sequence[_Token]) -> list[_Hit]:
    """What is a name by itself, the longest first and none within another, in the order of the text."""
    spans = [
        (start, end)
        for start in range(len(tokens))
        for end in range(start + 1, min(len(tokens), start + MOST_WORDS_IN_A_NAME) + 1)
        if all(token.follows for token in tokens[start + 1 : end])
    ]
    hits: list[_Hit] = []
    taken: set[int] = set()
    for start, end in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
        if taken & set(range(start, end)):
            continue
        if found := _found(directory, tokens[start:end]):
            taken |= set(range(start, end))
            hits.append(_Hit(start, end, found))
    return sorted(hits, key=lambda hit: hit.start)


def _found(directory: Directory, tokens: Sequence[_Token]) -> Sequence[StockReference]:
    text = " ".join(token.text for token in tokens)
    is_alone = len(tokens) == 1
    if all(token.is_ordinary for token in tokens) or (is_alone and text.lower() in LONELY_WORDS):
        # In capitals it may be a symbol.
        is_symbol = is_alone and len(text) > 1 and text.isupper()
        company = directory.named(text) if is_symbol else None
        return () if company is None else (company,)
    if (company := directory.named(text)) is not None:
        return (company,)
    if tokens[0].is_ordinary or len(text) < 3:
        return ()
    return directory.beginning(text, partial=not tokens[-1].is_ordinary)


def _with_unread(hit: _Hit, tokens: Sequence[_Token], unread: set[int]) -> tuple[int, int]:
    """The hit with the unread words after it, and for a single word with those before it."""
    start, end = hit.start, hit.end
    while end in unread and tokens[end].follows:
        end += 1
    if hit.end - hit.start == 1:
        while start - 1 in unread and tokens[start].follows:
            start -= 1
    return start, end


def _runs(tokens: Sequence[_Token], unread: set[int]) -> tuple[str, ...]:
    runs: list[list[str]] = []
    for place in sorted(unread):
        if place - 1 in unread and tokens[place].follows:
            runs[-1].append(tokens[place].text)
        elif place - 2 in unread and tokens[place - 1].text.lower() == "of":
            runs[-1] += ["of", tokens[place].text]
        else:
            runs.append([tokens[place].text])
    return tuple(dict.fromkeys(" ".join(run) for run in runs))
