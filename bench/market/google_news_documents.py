"""The RSS search of Google News, as it answers for a company's name."""

from __future__ import annotations

import re
from email.utils import format_datetime
from html import escape
from weakref import WeakKeyDictionary
from xml.sax.saxutils import escape as escape_xml

from bench.market import Answer, Company, Market, Query, State
from bench.market.companies import Headline

slug = "google_news"
HOSTS = ("news.google.com",)
_SEARCH = "rss/search"
_XML = {"Content-Type": "application/xml; charset=utf-8"}
_QUESTION = re.compile(r"(?P<name>.+) share news")
_by_name: WeakKeyDictionary[Market, dict[str, Company]] = WeakKeyDictionary()


def symbol_of(host: str, path: str, query: Query) -> str | None:
    """None: a search is for words."""
    del host, path, query
    return None


def answer(company: Company | None, host: str, path: str, query: Query, state: State) -> Answer:
    """The feed of the company whose name the search begins with; without news for any other words."""
    del company, host
    words = query.get("q", [""])[0]
    if path != _SEARCH or not words:
        return 404, {"Content-Type": "text/html; charset=UTF-8"}, b"<!DOCTYPE html><html><body>404</body></html>"
    asked = _QUESTION.fullmatch(words)
    found = _companies(state.market).get(asked["name"].casefold()) if asked else None
    return 200, _XML, feed(words, found.headlines() if found is not None else ())


def feed(words: str, headlines: tuple[Headline, ...]) -> bytes:
    """RSS 2.0 with the extras that Google adds: publishers in titles, and a description in escaped HTML."""
    text = escape_xml(words)
    items = "".join(_item(number, headline) for number, headline in enumerate(headlines))
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>'
        "<generator>NFE/5.0</generator>"
        f'<title>"{text}" - Google News</title>'
        f"<link>https://news.google.com/search?q={text}&amp;hl=en-IN&amp;gl=IN&amp;ceid=IN:en</link>"
        "<language>en-IN</language><webMaster>news-webmaster@google.com</webMaster>"
        "<image><title>Google News</title><url>https://lh3.googleusercontent.com/logo</url></image>"
        f"<description>Google News</description>{items}</channel></rss>"
    ).encode()


def _item(number: int, headline: Headline) -> str:
    # Publishers escape their titles for HTML; the feed escapes everything once more.
    title, publisher = escape(headline.title, quote=False), escape(headline.publisher, quote=False)
    link = f"https://news.google.com/rss/articles/CBMi{number:03d}?oc=5&url={headline.link}"
    description = f'<a href="{link}" target="_blank">{title}</a>&nbsp;&nbsp;<font color="#6f6f6f">{publisher}</font>'
    return (
        f"<item><title>{escape_xml(title)} - {escape_xml(publisher)}</title><link>{escape_xml(link)}</link>"
        f'<guid isPermaLink="false">CBMi{number:03d}</guid>'
        f"<pubDate>{format_datetime(headline.published_at, usegmt=True)}</pubDate>"
        f"<description>{escape_xml(description)}</description>"
        f'<source url="https://publisher{number}.example">{escape_xml(publisher)}</source></item>'
    )


def _companies(market: Market) -> dict[str, Company]:
    if market not in _by_name:
        _by_name[market] = {company.name.casefold(): company for company in market}
    return _by_name[market]
