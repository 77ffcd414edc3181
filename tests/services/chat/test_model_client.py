"""How soon a model is let go of."""

from __future__ import annotations

import threading
import time

import pytest

from klyx.services.chat.model_client import ModelClient
from klyx.services.chat.steps import Cancellation
from klyx.sources.base import Deadline
from tests.fakes.model import KEY, FakeModel, Reply, hangs, thinks


@pytest.mark.parametrize("reply", [thinks(), hangs(), hangs("Let me see")], ids=["no headers", "headers", "text"])
def test_cancelling_closes_the_connection_within_a_second_whatever_the_model_does(reply: Reply) -> None:
    cancellation = Cancellation()
    with FakeModel([reply]) as model:
        client = ModelClient(model.url, KEY)
        asking = threading.Thread(target=lambda: list(client.stream({}, cancellation, Deadline(30))))
        asking.start()
        while not model.requests:
            time.sleep(0.01)
        time.sleep(0.1)
        cancelled_at = time.monotonic()
        cancellation.cancel()
        asking.join(5)
        assert not asking.is_alive()
        assert time.monotonic() - cancelled_at < 1
        while not model.left_at and time.monotonic() < cancelled_at + 5:
            time.sleep(0.01)
        assert model.left_at[0] - cancelled_at < 1
    assert len(model.requests) == 1


def test_a_question_that_is_cancelled_already_is_not_asked() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with FakeModel([hangs("Let me see")]) as model:
        assert list(ModelClient(model.url, KEY).stream({}, cancellation, Deadline(5))) == []
        assert model.requests == []
