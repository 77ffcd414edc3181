"""What a model is told of the tools' results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from klyx.services.chat.model import LONGEST_RESULT, _PartialCall, _Reply, _run, _told
from klyx.services.chat.steps import Call, Cancellation, Step, ToolEnded
from klyx.sources.base import Deadline


def test_a_long_result_is_whole_json_with_its_source_and_what_was_left_out() -> None:
    holdings = [{"stock_name": f"Company {number} Ltd.", "market_cap": number * 1e7} for number in range(500)]
    told = _told({"count": 500, "holdings": holdings, "not_listed": ["A"], "source": "Klyx", "as_of": "2026-11-29"})
    assert len(told) <= LONGEST_RESULT
    read = json.loads(told)
    assert (read["source"], read["as_of"], read["not_listed"]) == ("Klyx", "2026-11-29", ["A"])
    assert read["holdings"] == holdings[: len(read["holdings"])]
    assert len(read["holdings"]) > 50
    assert read["holdings_left_out"] == 500 - len(read["holdings"])


def test_a_short_result_is_told_as_it_is_and_one_without_lists_that_is_too_long_is_an_error() -> None:
    assert json.loads(_told({"price": 1.5, "points": [1, 2]})) == {"price": 1.5, "points": [1, 2]}
    assert "error" in json.loads(_told({"text": "x" * LONGEST_RESULT}))
    assert len(_told({"points": ["x" * LONGEST_RESULT], "more": ["y" * LONGEST_RESULT]})) < LONGEST_RESULT


class _Echo:
    definitions = ()

    def run(self, calls: Sequence[Call], cancelled: Cancellation, deadline: Deadline) -> Iterator[Step]:
        for call in calls:
            yield ToolEnded(call.call_id, call.name, call.arguments or {}, dict(call.arguments or {}), 0.0, "ok")


def test_calls_of_one_id_get_their_own_results() -> None:
    reply = _Reply()
    for place, ticker in enumerate(("TCS", "INFY")):
        call = _PartialCall()
        arguments = json.dumps({"ticker": ticker})
        call.add({"id": "call_x", "function": {"name": "get_stock_price", "arguments": arguments}})
        reply.calls[place] = call
    messages: list[dict[str, Any]] = []
    list(_run(reply, messages, _Echo(), Cancellation(), Deadline(5)))
    asked, *told = messages
    assert [call["id"] for call in asked["tool_calls"]] == [message["tool_call_id"] for message in told]
    assert len({message["tool_call_id"] for message in told}) == 2
    assert [json.loads(message["content"])["ticker"] for message in told] == ["TCS", "INFY"]
