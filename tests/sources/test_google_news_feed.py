from __future__ import annotations

from datetime import UTC, datetime

import pytest

from klyx.sources.google_news_feed import MAX_BYTES, UnreadableFeed, read_feed, web_link


def feed(*items: str) -> bytes:
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{"".join(items)}</channel></rss>'.encode()
    )


def item(title: str = "Title", link: str = "https://news.example/a", date: str = "", source: str = "Ledger") -> str:
    return (
        f"<item><title>{title}</title><link>{link}</link><pubDate>{date}</pubDate>"
        f'<source url="https://ledger.example">{source}</source><description>&lt;a href="x"&gt;</description></item>'
    )


def test_fields_of_an_item() -> None:
    (found,) = read_feed(feed(item("M&amp;amp;M rises - Ledger", date="Wed, 01 Jan 2025 05:30:00 +0530")), 5)

    assert (found.title, found.publisher, found.link) == ("M&M rises", "Ledger", "https://news.example/a")
    assert found.published_at == datetime(2025, 1, 1, tzinfo=UTC)


def test_only_the_first_usable_items_count() -> None:
    items = [item(""), *(item(f"Number {number}") for number in range(9))]

    assert [one.title for one in read_feed(feed(*items), 3)] == ["Number 0", "Number 1", "Number 2"]


def test_nothing_in_a_title_is_markup() -> None:
    titles = [
        "<![CDATA[<script>alert(1)</script> up]]>",
        "&amp;lt;img src=x onerror=alert(1)&amp;gt; up",
        "a\nb\u202e&#x9;c",
    ]

    found = read_feed(feed(*(item(title, source="&lt;b&gt;L") for title in titles)), 5)

    assert [one.title for one in found] == ["scriptalert(1)/script up", "img src=x onerror=alert(1) up", "a b c"]
    assert {one.publisher for one in found} == {"bL"}


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "//news.example/a",
        "https://",
        "https:///a",
        "ftp://news.example/a",
        "https://news.example/\"onclick='x'",
        "https://news.example/a b",
        "https://[::1/a",
        "https://news.example/" + "a" * 3000,
        "",
    ],
)
def test_a_link_that_a_page_cannot_safely_have_drops_its_item(link: str) -> None:
    assert web_link(link) is None
    assert web_link(f" {link}\n") is None


def test_a_link_is_one_of_the_web() -> None:
    assert web_link(" https://news.google.com/rss/articles/CBMi_-?oc=5&hl=en ") is not None
    assert read_feed(feed(item(link="javascript:alert(1)")), 5) == []


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 99 Jan 2025 00:00:00 GMT", "Fri, 01 Jan 99999 00:00:00 GMT"])
def test_an_unreadable_date_is_unknown(date: str) -> None:
    assert read_feed(feed(item(date=date)), 5)[0].published_at is None


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"<html><body>Access denied</body></html>",
        b"<rss><channel><item><title>cut off",
        b'<!DOCTYPE rss [<!ENTITY a "up">]><rss><channel/></rss>',
        b'<!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss><channel/></rss>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE rss><rss><channel/></rss>'.encode("utf-16"),
        b"<rss><channel><item><title>&xxe;</title></item></channel></rss>",
        b'<?xml version="1.0" encoding="no-such"?><rss><channel/></rss>',
        b"<rss><channel>" + b"<item>" * 100_000,
        b"<rss><channel>" + b" " * MAX_BYTES + b"</channel></rss>",
    ],
)
def test_what_is_no_feed_or_may_harm_is_refused(document: bytes) -> None:
    with pytest.raises(UnreadableFeed):
        read_feed(document, 5)


def test_a_long_field_is_cut() -> None:
    (found,) = read_feed(feed(item("up " * 100_000)), 5)

    assert len(found.title) <= 300
