"""Headlines as clients read them, with their sentiment."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import format_datetime
from typing import Any

import orjson

from klyx.services.analysis.insights import News
from klyx.services.news.sentiment import label, score
from klyx.sources.base import Headline

MOST_IN_TEXT = 3


def digest(headlines: Sequence[Headline], stock_name: str) -> News:
    """Sentiment, score, the headlines as JSON text, and a text of the first three for people.

    A headline without a time is left out of the JSON: clients would date it to 1970.
    """
    total = score([headline.title for headline in headlines], stock_name)
    verdict = label(total)
    lines = [f"News sentiment is {verdict} (score {total})." if headlines else "There are no recent headlines."]
    lines += [f"{headline.title} ({headline.publisher})" for headline in headlines[:MOST_IN_TEXT]]
    items = [item for headline in headlines if (item := _item(headline)) is not None]
    return News(sentiment=verdict, score=total, headlines_json=orjson.dumps(items).decode(), text="\n".join(lines))


def _item(headline: Headline) -> dict[str, Any] | None:
    """One headline with the keys of both generations of clients; times are seconds and an RFC 2822 date."""
    if headline.published_at is None:
        return None
    return {
        "title": headline.title,
        "link": headline.link,
        "publisher": headline.publisher,
        "source": headline.publisher,
        "providerPublishTime": int(headline.published_at.timestamp()),
        "pubDate": format_datetime(headline.published_at, usegmt=True),
    }
