from __future__ import annotations

import pytest

from klyx.services.news.sentiment import headline_score, label, score, word_score
from klyx.services.news.words import NEGATIVE_WORDS, POSITIVE_WORDS

RULE = """
bull buy gain growth high jump outperform profit record rise soar strong surge up
ban bear crash down drop fall fine loss low miss plunge regulatory sell slide weak
"""
POSITIVE, NEGATIVE = (line.split() for line in RULE.strip().splitlines())


def test_every_word_of_the_rule_counts() -> None:
    assert all(word_score(f"Reliance {word.upper()}!") == 1 for word in POSITIVE)
    assert all(word_score(f"Reliance: {word}") == -1 for word in NEGATIVE)
    assert not POSITIVE_WORDS & NEGATIVE_WORDS


@pytest.mark.parametrize(
    "title",
    [
        "Group of banks below refinery",
        "Urban highway missile update",
        "Bearings maker supplies lowland bullion",
        "Fallow fields, finest uplift, downtown",
        "",
        "शेयर बाजार",
    ],
)
def test_words_within_words_do_not_count(title: str) -> None:
    assert word_score(title) == 0


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Shares jumped, hit a higher high", 1),
        ("Stock plunged to its lowest", -1),
        ("Profit up but shares fall, drop and slide", -1),
        ("Buy or sell?", 0),
        ("Rising profits", 1),
        ("Losses fell", -1),
        ("SEBI's regulatory order", -1),
    ],
)
def test_more_of_one_kind_decides_and_a_tie_is_nothing(title: str, expected: int) -> None:
    assert word_score(title) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("ITC gets a downgrade", -1),
        ("SBI board approves dividend of Rs 10", 1),
        ("Paytm faces fraud probe", -1),
        ("HDFC Bank shares in focus", 0),
        ("Stocks to watch today", 0),
    ],
)
def test_where_the_rule_knows_no_word_a_clear_verdict_counts(title: str, expected: int) -> None:
    assert word_score(title) == 0
    assert headline_score(title) == expected


@pytest.mark.parametrize(
    "title",
    [
        "Reliance Q2 net profit down 5%",
        "TCS profit drops 8% in September quarter",
        "Profit booking drags Nifty down",
        "Buy or sell? Fraud and bankruptcy",
        "Gains and losses: dividend, bonus and buyback",
    ],
)
def test_as_many_words_of_both_kinds_are_nothing_whatever_else_is_said(title: str) -> None:
    assert word_score(title) == 0
    assert headline_score(title) == 0


@pytest.mark.parametrize("word", ["down", "drop", "drops", "dropped", "dropping"])
def test_a_verdict_is_taken_back_by_a_word_that_weighs_more(word: str) -> None:
    assert word_score(f"Higher profit, shares {word} after probe") == 1
    assert headline_score(f"Higher profit, shares {word} after probe") == 0


@pytest.mark.parametrize("title", ["Profit warning from Wipro", "TCS fails to gain", "Losses narrow", "Record penalty"])
def test_a_verdict_of_the_rule_that_is_contradicted_is_taken_back(title: str) -> None:
    assert word_score(title) != 0
    assert headline_score(title) == 0


def test_a_verdict_of_the_rule_is_never_turned_round() -> None:
    others = ("fraud", "bankruptcy", "multibagger", "dividend", "upgrade", "not", "fails", "default", "")
    for word in (*POSITIVE, *NEGATIVE):
        for other in others:
            title = f"Infosys {word} {other} {other}"
            assert headline_score(title) * word_score(title) >= 0, title


def test_a_companys_name_is_no_opinion() -> None:
    assert headline_score("Fortune Good Luck Industries in focus", "Fortune Good Luck Industries Ltd.") == 0


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (-5, "Strong Bearish"),
        (-3, "Strong Bearish"),
        (-2, "Bearish"),
        (-1, "Bearish"),
        (0, "Neutral"),
        (1, "Bullish"),
        (2, "Bullish"),
        (3, "Strong Bullish"),
        (5, "Strong Bullish"),
    ],
)
def test_labels(total: int, expected: str) -> None:
    assert label(total) == expected


def test_the_score_is_the_sum_over_the_headlines() -> None:
    assert score(["Stock surges", "Stock jumps", "Stock falls", "Stock unchanged"]) == 1
    assert score(["Stock surges"] * 5) == 5
    assert score([]) == 0
