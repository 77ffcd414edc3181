"""All companies, to be found by what people call them: whole names, beginnings of names, and near misses."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from klyx.services.chat.resolve import MOST_CANDIDATES, without_exchange
from klyx.services.stocks import OTHER_NAMES, NameIndex, StockReference

CLOSE_ENOUGH = 0.75
# Each is compared with every word of every name.
MOST_WORDS_COMPARED = 6
_POSSESSIVE = re.compile("['\u2019]s\\b")
_WORD = re.compile(r"\w+")
# They tell no company from another, so a near miss needs another word.
_COMMON_WORDS = frozenset({"and", "company", "corporation", "india", "industries", "limited", "ltd", "of", "the"})


def name_words(text: str) -> list[str]:
    """The words of a name in small letters: "Dr. Reddy's" -> dr, reddy."""
    return _WORD.findall(_POSSESSIVE.sub("", text.casefold()).replace("&", " and "))


class Directory:
    """`references`: the largest company first, which is the order of what is found."""

    def __init__(self, references: Iterable[StockReference]) -> None:
        self._references = tuple(reference for reference in references if reference.nse_code)
        self._index = NameIndex(self._references)
        self._by_first_word: dict[str, list[tuple[Sequence[str], StockReference]]] = {}
        for reference in self._references:
            words = name_words(reference.stock_name)
            self._by_first_word.setdefault(words[0] if words else "", []).append((words, reference))

    def named(self, text: str) -> StockReference | None:
        """By symbol or whole name, else by short name or former name."""
        return self._index.find_loosely(without_exchange(text))

    def beginning(self, text: str, *, partial: bool = True) -> list[StockReference]:
        """Those whose name begins with these words; with `partial` the last one may be spelt differently at its end."""
        words = name_words(text)
        if not words:
            return []
        *whole, last = words
        named = self._by_first_word.get(words[0], [])
        found = [reference for parts, reference in named if list(parts[: len(words)]) == words]
        if found or not whole or not partial or len(last) < 4:
            return found
        # "SBI Card" for SBI Cards, "Jio Finance" for Jio Financial.
        stem = last if len(last) == 4 else last[:-1]
        count = len(whole)
        return [
            reference
            for parts, reference in named
            if list(parts[:count]) == whole and parts[count : count + 1] and parts[count].startswith(stem)
        ]

    def similar(self, text: str, limit: int = MOST_CANDIDATES) -> list[StockReference]:
        """Those that share words with the text, or whose words are nearly spelt so; the most alike first."""
        hits: Counter[StockReference] = Counter()
        words = [word for word in dict.fromkeys(name_words(text)) if len(word) >= 3 and word not in _COMMON_WORDS]
        for word in words[:MOST_WORDS_COMPARED]:
            close = [word] if word in self._by_word else difflib.get_close_matches(word, self._by_word, 2, CLOSE_ENOUGH)
            hits.update({reference for spelt in close for reference in self._by_word[spelt]})
        places = {reference: place for place, reference in enumerate(self._references)}
        return sorted(hits, key=lambda reference: (-hits[reference], places[reference]))[:limit]

    @cached_property
    def _by_word(self) -> Mapping[str, list[StockReference]]:
        """By every word of the names, and by the symbols and other names that are one word."""
        by_word: dict[str, list[StockReference]] = {}
        for reference in self._references:
            for word in {*name_words(reference.stock_name), str(reference.nse_code).casefold()} - _COMMON_WORDS:
                by_word.setdefault(word, []).append(reference)
        for name, symbol in OTHER_NAMES.items():
            reference_of = self._index.find(symbol)
            if reference_of is not None and reference_of not in by_word.setdefault(name, []):
                by_word[name].append(reference_of)
        return by_word
