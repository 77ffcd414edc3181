"""An answer whose reader has left."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, cast

from klyx.services.chat import threads, trace
from klyx.services.chat.answering import Answering
from klyx.services.chat.steps import Cancellation, Content, Conversation, Said, Step, ToolEnded, ToolRunner
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


def test_all_tools_that_were_running_are_told_of_and_nothing_more_is_said(api: Api) -> None:
    user_id, thread_id, database = api.register().user_id, str(uuid.uuid4()), api.runtime.database
    with database.begin() as session:
        turn = threads.take_turn(session, user_id, thread_id, "Price of 1 and 2?", 60)
    conversation = Conversation(user_id, thread_id, [Said("user", "Price of 1 and 2?")])
    answering = Answering(database, LeftAlone(), cast("Any", None), conversation, turn, Deadline(20))
    answering.start()
    assert answering.kept.wait(10)
    with database.read() as session:
        assert [message.content for message in threads.messages_of(session, thread_id)][1:] == ["Let me see."]
        calls = trace.calls_of(session, thread_id)
        assert [(call.arguments["ticker"], call.outcome) for call in calls] == [("1", "cancelled"), ("2", "cancelled")]
