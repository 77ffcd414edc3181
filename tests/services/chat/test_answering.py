"""An answer whose reader has left, or whose time is up."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, cast

import pytest

from klyx.database.models import ChatUsage
from klyx.services.chat import threads, trace
from klyx.services.chat.answering import TOO_SLOW, Answering
from klyx.services.chat.steps import (
    AnswerFailed,
    Assistant,
    Cancellation,
    Content,
    Conversation,
    Said,
    Step,
    ToolEnded,
    ToolRunner,
    Usage,
)
from klyx.sources.base import Deadline
from tests.api import Api


class LeftAlone:
    """An assistant whose reader leaves while it runs two tools, and which talks on."""

    def answer(
        self, _conversation: Conversation, _tools: ToolRunner, cancelled: Cancellation, _deadline: Deadline
    ) -> Iterator[Step]:
        yield Content("Let me see. ")
        cancelled.cancel()
        for number in ("1", "2"):
            yield ToolEnded(number, "get_stock_price", {"ticker": number}, {"error": "x"}, 1.0, "cancelled")
        yield Content("Nobody wants to hear this.")
        yield Usage(300, 20, 0.5)
        raise AnswerFailed("Nor this.")


class TooSlow:
    """An assistant that talks past its deadline until it is told to stop."""

    def answer(
        self, _conversation: Conversation, _tools: ToolRunner, cancelled: Cancellation, deadline: Deadline
    ) -> Iterator[Step]:
        yield Content("Let me see. ")
        cancelled.wait(deadline.remaining() + 0.01)
        while not cancelled.is_set():
            yield Content("And so on. ")
        yield Usage(300, 20, 0.5)


def answer_of(api: Api, assistant: Assistant, seconds: float = 20) -> tuple[str, ChatUsage]:
    """The thread's id, and what the answer took."""
    user_id, thread_id, database = api.register().user_id, str(uuid.uuid4()), api.runtime.database
    with database.begin() as session:
        turn = threads.take_turn(session, user_id, thread_id, "Price of 1 and 2?", 60)
    conversation = Conversation(user_id, thread_id, [Said("user", "Price of 1 and 2?")])
    answering = Answering(database, assistant, cast("Any", None), conversation, turn, Deadline(seconds))
    answering.start()
    assert answering.kept.wait(10)
    with database.read() as session:
        return thread_id, session.query(ChatUsage).one()


def test_all_tools_that_were_running_are_told_of_and_nothing_more_is_said(api: Api) -> None:
    thread_id, _ = answer_of(api, LeftAlone())
    with api.runtime.database.read() as session:
        assert [message.content for message in threads.messages_of(session, thread_id)][1:] == ["Let me see."]
        calls = trace.calls_of(session, thread_id)
        assert [(call.arguments["ticker"], call.outcome) for call in calls] == [("1", "cancelled"), ("2", "cancelled")]


@pytest.mark.parametrize("assistant", [LeftAlone(), TooSlow()], ids=["left alone", "too slow"])
def test_what_an_answer_took_is_counted_although_it_was_ended_early(api: Api, assistant: Assistant) -> None:
    _, used = answer_of(api, assistant, seconds=1)
    assert (used.answers, used.prompt_tokens, used.completion_tokens, used.cost_usd) == (1, 300, 20, 0.5)


def test_an_answer_that_is_late_says_so(api: Api) -> None:
    thread_id, _ = answer_of(api, TooSlow(), seconds=1)
    with api.runtime.database.read() as session:
        (answer,) = [message.content for message in threads.messages_of(session, thread_id)][1:]
    assert answer.endswith(TOO_SLOW)
