"""Reading an RSS feed that anybody may have written into.

No tree is built, no entity but XML's own five is known, and a document type, where all attacks on XML parsers
are declared, ends the reading before its content is looked at.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from xml.etree.ElementTree import ParseError, XMLParser

from klyx.services.analysis.text import clean_text
from klyx.sources.base import Headline

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20
MAX_FIELD_CHARACTERS = 4096
MAX_TITLE_CHARACTERS = 300
MAX_LINK_CHARACTERS = 2048
MAX_PUBLISHER_CHARACTERS = 100
DEFAULT_PUBLISHER = "Google News"
_ITEM = ["rss", "channel", "item"]
_FIELDS = frozenset({"title", "link", "pubDate", "source"})


class UnreadableFeed(Exception):
    """It is no RSS feed, or one that must not be read."""


def read_feed(document: bytes, most: int) -> Sequence[Headline]:
    """The first `most` usable items of an RSS 2.0 document; one without a title or a web link is left out.

    Raises UnreadableFeed.
    """
    if len(document) > MAX_BYTES:
        raise UnreadableFeed("the feed is too large")
    items = _Items()
    # The target decides what is kept, and refuses document types: the parser sees none of the documents it fears.
    parser = XMLParser(target=items)  # noqa: S314
    try:
        parser.feed(document)
        parser.close()
    except ParseError as error:
        raise UnreadableFeed("the feed is not XML") from error
    except (ValueError, LookupError) as error:
        raise UnreadableFeed("the feed's encoding cannot be read") from error
    if not items.is_feed:
        raise UnreadableFeed("the document is not a feed")
    found = (_headline(item) for item in items.found)
    return [headline for headline in found if headline is not None][:most]


class _Items:
    """What the parser reports: keeps the fields of items, nothing else."""

    def __init__(self) -> None:
        self.found: list[dict[str, str]] = []
        self.is_feed = False
        self._path: list[str] = []

    def doctype(self, *_: object) -> None:
        raise UnreadableFeed("the feed declares a document type")

    def start(self, tag: str, _attributes: object) -> None:
        self._path.append(tag)
        if len(self._path) > MAX_DEPTH:
            raise UnreadableFeed("the feed is nested too deeply")
        if self._path == _ITEM[:2]:
            self.is_feed = True
        elif self._path == _ITEM:
            self.found.append({})

    def end(self, _tag: str) -> None:
        self._path.pop()

    def data(self, text: str) -> None:
        if len(self._path) == len(_ITEM) + 1 and self._path[:-1] == _ITEM and self._path[-1] in _FIELDS:
            item, field = self.found[-1], self._path[-1]
            known = item.get(field, "")
            item[field] = known + text[: MAX_FIELD_CHARACTERS - len(known)]

    def close(self) -> None:
        """Nothing to hand over: `found` has it."""


def _headline(item: dict[str, str]) -> Headline | None:
    publisher = _text(item.get("source", ""), MAX_PUBLISHER_CHARACTERS) or DEFAULT_PUBLISHER
    # The search puts " - publisher" after every title, and people see the publisher beside it.
    title = _text(item.get("title", ""), MAX_TITLE_CHARACTERS).removesuffix(f" - {publisher}").strip()
    link = web_link(item.get("link", ""))
    if not title or link is None:
        return None
    return Headline(title, link, publisher, _moment(item.get("pubDate", "")))


def _text(value: str, longest: int) -> str:
    """Publishers escape their titles once for HTML, and the feed once more for XML."""
    return clean_text(html.unescape(value))[:longest].strip()


def web_link(value: str) -> str | None:
    """The address when it is one of http or https that a page can safely link to, else None."""
    link = value.strip()
    if not link.isprintable() or any(character in link for character in " <>\"'`\\") or len(link) > MAX_LINK_CHARACTERS:
        return None
    try:
        address = urlsplit(link)
    except ValueError:
        return None
    return link if address.scheme in ("http", "https") and address.hostname else None


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
