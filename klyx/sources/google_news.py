"""Google News: headlines about a company, from its RSS search."""

from __future__ import annotations

from collections.abc import Sequence

import requests

from klyx.sources.base import Deadline, Headline, SourceRateLimited, SourceUnavailable
from klyx.sources.context import SourceContext
from klyx.sources.google_news_feed import UnreadableFeed, read_feed
from klyx.sources.http import bounded_by, retry_after_seconds

NAME = "Google News"
SLUG = "google_news"
HOST = "news.google.com"
SEARCH_URL = f"https://{HOST}/rss/search"
# Headlines in English, for readers in India.
EDITION = {"hl": "en-IN", "gl": "IN", "ceid": "IN:en"}
MOST_HEADLINES = 5
LONGEST_NAME = 100


class GoogleNewsSource:
    """Asks for a company's headlines: one request each. Safe to use from several threads."""

    name = NAME
    slug = SLUG

    def __init__(self, context: SourceContext) -> None:
        self._circuit = context.circuit(SLUG, NAME)
        self._pause_seconds = context.settings.rate_limit_pause_seconds
        self._session = context.session(NAME, SLUG, frozenset({HOST}))

    def headlines(self, stock_name: str, deadline: Deadline) -> Sequence[Headline]:
        """The first five headlines, the most relevant first; empty when nothing was written.

        Titles are text on one line without `<` and `>`. Raises SourceUnavailable or SourceRateLimited.
        """
        name = " ".join(stock_name.split())[:LONGEST_NAME]
        try:
            with bounded_by(deadline):
                response = self._session.get(SEARCH_URL, params={"q": f"{name} share news", **EDITION})
        except requests.Timeout as error:
            raise SourceUnavailable(f"{NAME} did not answer in time") from error
        except (requests.RequestException, OSError) as error:
            raise SourceUnavailable(f"{NAME} could not be reached") from error
        if response.status_code == 429:
            seconds = retry_after_seconds(response, self._pause_seconds)
            self._circuit.rest(seconds)
            raise SourceRateLimited(f"{NAME} limits how often it may be asked", seconds)
        if response.status_code != 200:
            self._circuit.misunderstood()
            raise SourceUnavailable(f"{NAME} answered with an error")
        try:
            found = read_feed(response.content, MOST_HEADLINES)
        except UnreadableFeed as error:
            self._circuit.misunderstood()
            raise SourceUnavailable(f"{NAME} sent an answer that cannot be read") from error
        self._circuit.understood()
        return found
