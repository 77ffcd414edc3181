"""The sentiment of headlines: the plain word rule, refined where it is blind.

A headline counts +1, 0 or -1. The word rule decides: more positive than negative words is +1, more negative ones
-1, as many of both 0. VADER, with weights for the language of markets, may do two things only. Where the rule knows
no word at all, a clear VADER verdict counts. Where the rule has a verdict and VADER says the opposite ("profit
warning", "fails to gain", "losses narrow"), the headline counts 0: a verdict of the rule is taken back, never turned
round. So the score stays within the number of headlines, and its labels mean what they meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from klyx.services.news.words import MARKET_LEXICON, NEGATIVE_WORDS, POSITIVE_WORDS

# VADER's compound value goes from -1 to 1; its authors call 0.05 a tendency. To doubt needs less than to judge.
CLEAR = 0.4
DOUBT = 0.1
LONGEST_READ = 500
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
Label = Literal["Strong Bullish", "Bullish", "Neutral", "Bearish", "Strong Bearish"]


def word_score(title: str) -> int:
    """+1, 0 or -1 by whole words, simple inflections included."""
    positive, negative = _counts(title)
    return (positive > negative) - (positive < negative)


def headline_score(title: str, stock_name: str = "") -> int:
    """+1, 0 or -1: the word rule's verdict, refined. `stock_name` is not read as an opinion."""
    by_words = word_score(title)
    compound = _compound(title, stock_name)
    if not any(_counts(title)):
        return (compound >= CLEAR) - (compound <= -CLEAR)
    return 0 if by_words * compound <= -DOUBT else by_words


def score(titles: Sequence[str], stock_name: str = "") -> int:
    """The sum over the headlines; with five of them from -5 to 5."""
    return sum(headline_score(title, stock_name) for title in titles)


def label(total: int) -> Label:
    """The word for a score: beyond 2 strong, 0 neutral."""
    if total > 0:
        return "Strong Bullish" if total > 2 else "Bullish"
    if total < 0:
        return "Strong Bearish" if total < -2 else "Bearish"
    return "Neutral"


def _counts(title: str) -> tuple[int, int]:
    """How many positive and how many negative words of the rule a title has."""
    words = _WORD.findall(title[:LONGEST_READ].lower())
    return sum(word in POSITIVE_WORDS for word in words), sum(word in NEGATIVE_WORDS for word in words)


def _compound(title: str, stock_name: str) -> float:
    names = {word.lower() for word in _WORD.findall(stock_name)}
    words = [word for word in title[:LONGEST_READ].split() if not names.intersection(_WORD.findall(word.lower()))]
    # Capital letters and exclamation marks are how publishers write, and no opinion.
    return float(_analyser().polarity_scores(" ".join(words).lower().replace("!", "."))["compound"])


@cache
def _analyser() -> Any:
    # Half a megabyte of lexicon, read by the processes that need it only.
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyser = SentimentIntensityAnalyzer()
    analyser.lexicon.update(MARKET_LEXICON)
    return analyser
