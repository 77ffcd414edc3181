"""What of an assistant's text reaches a browser."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

import pytest

from klyx.event_streams import data_bytes
from klyx.services.chat.blocks import allowed_block, chart, comparison, news, stock_card
from klyx.services.chat.builtin.lists import debts
from klyx.services.chat.known_numbers import KnownNumbers
from klyx.services.chat.safety import SafeText, as_block, neutralise, pieces

BLOCK = '\n:::ui-component\n{"type": "stock-card", "data": {"symbol": "TCS", "name": "T", "price": "₹3,500.20"}}\n:::\n'

TWO = [{"symbol": "A"}, {"symbol": "B"}]
ONE_METRIC = {"label": "P/E", "values": [1]}


def known(*values: Any) -> KnownNumbers:
    numbers = KnownNumbers()
    numbers.learn(list(values))
    return numbers


def shown(parts: Iterable[str], numbers: KnownNumbers) -> str:
    text = SafeText(lambda block: allowed_block(block, numbers))
    return "".join([piece for part in parts for piece in text.feed(part)] + list(text.end()))


def blocks_in(text: str) -> list[dict[str, Any]]:
    """As the clients look for them: the fence at the beginning of a line, JSON, the fence."""
    found, rest = [], f"\n{text}"
    while "\n:::ui-component" in rest:
        body, _, rest = rest.split("\n:::ui-component", 1)[1].partition(":::")
        found.append(json.loads(body))
    return found


def test_tags_never_pass_however_the_text_is_cut() -> None:
    hostile = "Buy <script>alert(1)</script> & a:::b\n:::x <img src=x onerror=alert(1)>\r\nend"
    for seed in range(200):
        chance = random.Random(seed)
        parts, rest = [], hostile + BLOCK + hostile
        while rest:
            size = chance.randint(1, 9)
            parts.append(rest[:size])
            rest = rest[size:]
        text = shown(parts, known(3500.2))
        assert "<" not in text
        assert ">" not in text
        assert [block["data"]["symbol"] for block in blocks_in(text)] == ["TCS"]
        assert text.count(":::") == 2
        assert text.startswith("Buy &lt;script&gt;alert(1)&lt;/script&gt; & a::b\n::x &lt;img")


def test_the_name_of_a_debt_cannot_begin_a_line() -> None:
    name = "Home\n::::ui-component\n{}\n::::"
    plan = {"name": "Mine", "monthly_budget": 100, "debts": [{"name": name, "balance": 5}], "source": "Klyx"}
    lines = shown([debts(plan)], known()).split("\n")
    assert "* Home ::ui-component {} :: (balance: 5)" in lines


LINES = ("\n", "\n:::ui-component\n", "ui-component\n", "{}", BLOCK, "a", "<b>")
HOSTILE_PARTS = (":", "::", ":::", "::::", "\x00", "\ud800", "\udc00", *LINES)


@pytest.mark.parametrize("colons", range(3, 9))
def test_no_number_of_colons_forges_a_block(colons: int) -> None:
    fence = ":" * colons
    forged = f'a\n{fence}ui-component\n{{"type": "stock-card", "data": {{"symbol": "X", "price": "₹9"}}}}\n{fence}\nb'
    assert shown([forged], known()) == shown(forged, known())
    assert blocks_in(shown([forged], known())) == []
    assert ":::" not in neutralise(fence)


def test_every_fence_belongs_to_a_checked_block_however_the_text_is_made_and_cut() -> None:
    numbers = known(3500.2)
    for seed in range(2000):
        chance = random.Random(seed)
        parts = chance.choices(HOSTILE_PARTS, k=chance.randint(1, 12))
        text = shown(parts, numbers)
        assert text == shown("".join(parts), numbers) == shown(["".join(parts)], numbers), parts
        checked = blocks_in(text)
        assert all(block["data"]["price"] == "₹3,500.20" for block in checked), parts
        assert text.count(":::") == 2 * len(checked), parts
        assert "\x00" not in text
        assert text.encode("utf-8", "ignore").decode() == text


def test_a_block_with_a_number_nobody_looked_up_is_left_out() -> None:
    assert blocks_in(shown([BLOCK], known(3500.2))) != []
    assert blocks_in(shown([BLOCK], known(3500.31))) == []
    assert shown(["before", BLOCK, "after"], known()).split() == ["before", "after"]


@pytest.mark.parametrize(
    "body",
    ["{", "[]", '"a"', "{}", '{"type": "alert", "data": {}}', '{"type": "news"}', '{"type": ["x"], "data": {}}'],
)
def test_a_malformed_or_unknown_block_is_left_out(body: str) -> None:
    assert shown([f"a\n:::ui-component\n{body}\n:::\nb"], known(1)).split() == ["a", "b"]


CARD = '{"type": "stock-card", "data": {"symbol": "TCS", "name": "T", "price": %s}}'
ROWS = '{"type": "comparison", "data": {"stocks": [{"symbol": "A"}, {"symbol": "B"}], "metrics": ['
ROW = ROWS + '{"label": "P", "values": [%s]}]}}'
NINES = "9" * 400
NO_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", NINES, f"-{NINES}", f'"{NINES}"', "9" * 5000, "true", "[" * 9000)


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize("body", [CARD, ROW])
def test_a_block_with_what_is_no_number_is_left_out_and_the_answer_goes_on(body: str, number: str) -> None:
    numbers = known(1, float("inf"), int(NINES), NINES)
    assert shown([f"a\n:::ui-component\n{body % number}\n:::\nb"], numbers).split() == ["a", "b"]


def test_an_unfinished_or_endless_block_is_left_out() -> None:
    assert shown(["a\n", ':::ui-component\n{"type": '], known()) == "a\n"
    assert shown(["a\n:::ui-component\n" + "x" * 30_000, "\nb\n"], known()).split()[0] == "a"


def test_text_before_the_fence_on_its_line_makes_no_block() -> None:
    text = shown([BLOCK.strip().replace(":::ui", " :::ui")], known(3500.2))
    assert blocks_in(text) == []
    assert ":::" not in text


def test_hostile_text_within_a_block_is_made_safe() -> None:
    block = news([("<b>Up</b> :::ui-component", "A&B", None)])
    allowed = allowed_block(block, known())
    assert allowed is not None
    text = as_block(allowed)
    assert "<" not in text
    assert text.count(":::") == 2
    assert blocks_in(text)[0]["data"]["items"] == [{"title": "&lt;b&gt;Up&lt;/b&gt; ::ui-component", "source": "A&B"}]


def test_every_kind_of_block_passes_with_known_numbers() -> None:
    numbers = known({"price": 3500.2, "change": -1.25, "score": 71, "pe": [28.123456, "31.4"], "points": [10, 11.5]})
    numbers.learn(["2026-01-05", "2026-01-06"])
    built = (
        stock_card("TCS", "TCS Ltd.", 3500.2, -1.25, 71),
        comparison(["TCS", "INFY"], [("P/E", ["28.12", 31.4]), ("Price", ["₹3,500.20", "N/A"])]),
        chart([("2026-01-05", 10), ("2026-01-06", 11.5)], "1Y"),
    )
    for block in built:
        assert allowed_block(block, numbers) == block


@pytest.mark.parametrize(
    "block",
    [
        {"type": "stock-card", "data": {"symbol": "TCS", "price": "₹1", "change": "up"}},
        {"type": "stock-card", "data": {"symbol": "TCS", "price": "₹1", "change": 5}},
        {"type": "comparison", "data": {"stocks": TWO, "metrics": [{"label": "P/E", "values": [7]}]}},
        {"type": "comparison", "data": {"stocks": TWO, "metrics": []}},
        {"type": "chart", "data": {"points": [{"time": "2026-01-05", "value": 7}]}},
        {"type": "chart", "data": {"points": [{"time": "soon", "value": 1}]}},
        {"type": "chart", "data": {"points": []}},
        {"type": "stock-card", "data": {"symbol": "TCS", "price": "Rs7"}},
        {"type": "stock-card", "data": {"symbol": "TCS", "price": "Rs.7"}},
        {"type": "stock-card", "data": {"symbol": "TCS", "price": "INR7"}},
        {"type": "stock-card", "data": {"symbol": "TCS", "price": "₹⑦"}},
        {"type": "stock-card", "data": {"symbol": "TCS", "price": 0}},
        {"type": "stock-card", "data": {"symbol": "TCS", "price": "9999-01-05"}},
        {"type": "stock-card", "data": {"symbol": "TCS", "price": "₹1", "change": 0}},
        {"type": "stock-card", "data": {"symbol": "TCS", "name": "TCS at ₹7", "price": "₹1"}},
        {"type": "stock-card", "data": {"symbol": "TCS7", "price": "₹1"}},
        {"type": "comparison", "data": {"stocks": TWO, "metrics": [{"label": "P/E of 7", "values": [1]}]}},
        {"type": "comparison", "data": {"stocks": [{"symbol": "A7"}, TWO[1]], "metrics": [ONE_METRIC]}},
        {"type": "chart", "data": {"points": [{"time": "2026-01-05 and 9999", "value": 1}]}},
        {"type": "chart", "data": {"points": [{"time": "2026-01-06", "value": 1}]}},
        {"type": "news", "data": {"items": [{"title": "TCS rises", "time": "2026-01-06T10:00:00"}]}},
    ],
)
def test_numbers_and_days_of_every_kind_of_block_are_checked(block: dict[str, Any]) -> None:
    assert allowed_block(block, known(1, "2026-01-05")) is None


def test_a_stock_whose_name_has_a_number_may_be_shown_when_a_tool_named_it() -> None:
    block = stock_card("3MINDIA", "3M India Ltd.", 31_250.5, None)
    assert allowed_block(block, known({"name": "3M India Ltd.", "current_price": 31_250.5})) == block
    assert allowed_block(block, known(31_250.5)) is None


@pytest.mark.parametrize("word", ["word ", "हिन्दी ", "\U0001f600", '"\\', "\x01", "a\U0001f600"])
def test_pieces_are_small_as_they_are_sent_and_lose_nothing(word: str) -> None:
    text = word * 500 + "\n" + as_block(stock_card("TCS", "x" * 900, None, None))
    sent = [data_bytes({"content": piece}) for piece in pieces(text)]
    assert "".join(pieces(text)) == text
    assert max(map(len, sent)) <= 520
    # As each would be read by itself.
    assert "".join(json.loads(event[6:])["content"] for event in sent) == text


def test_neutral_text_stays_readable() -> None:
    assert neutralise("a<b>:::") == "a&lt;b&gt;::"
