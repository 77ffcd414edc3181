from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import orjson

from klyx.services.news import digest
from klyx.sources.base import Headline

HEADLINE = Headline("Infosys surges & gains", "https://news.example/a", "Ledger", datetime(2025, 1, 1, tzinfo=UTC))


def test_headlines_have_the_keys_of_both_generations_of_clients() -> None:
    news = digest([HEADLINE], "Infosys")

    assert orjson.loads(news["headlines_json"]) == [
        {
            "title": "Infosys surges & gains",
            "link": "https://news.example/a",
            "publisher": "Ledger",
            "source": "Ledger",
            "providerPublishTime": 1735689600,
            "pubDate": "Wed, 01 Jan 2025 00:00:00 GMT",
        }
    ]
    assert (news["sentiment"], news["score"]) == ("Bullish", 1)


def test_the_text_has_the_verdict_and_three_headlines() -> None:
    news = digest([replace(HEADLINE, title=f"Infosys rises {number}") for number in range(5)], "Infosys")

    assert news["text"].splitlines() == [
        "News sentiment is Strong Bullish (score 5).",
        "Infosys rises 0 (Ledger)",
        "Infosys rises 1 (Ledger)",
        "Infosys rises 2 (Ledger)",
    ]


def test_without_headlines_all_is_neutral() -> None:
    assert digest([], "Infosys") == {
        "sentiment": "Neutral",
        "score": 0,
        "headlines_json": "[]",
        "text": "There are no recent headlines.",
    }


def test_a_headline_without_a_time_counts_but_is_not_dated_to_1970() -> None:
    news = digest([replace(HEADLINE, published_at=None)], "Infosys")

    assert (news["score"], news["headlines_json"]) == (1, "[]")
