"""Threads and their messages over HTTP."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args

import pytest
import requests

from klyx.database.models import ChatMessage, ChatToolCall
from klyx.errors import Conflict, NotFound
from klyx.services.chat import threads, trace
from klyx.services.chat.threads import Turn
from tests.api import Api, RegisteredUser

URL = "/api/chat/threads"
BEARER_NULL = {"Authorization": "Bearer null"}
THREAD_KEYS = ["id", "userId", "title", "isArchived", "createdAt", "updatedAt"]


def call(user: RegisteredUser, method: str, path: str = "", json: Any = None) -> requests.Response:
    return user.client.request(method, URL + path, json=json, headers=user.headers)


def made(user: RegisteredUser, **values: Any) -> dict[str, Any]:
    answer = call(user, "POST", json=values)
    assert answer.status_code == 201
    thread: dict[str, Any] = answer.json()["data"]
    return thread


def ask(api: Api, user_id: str, thread_id: str, question: str, seconds: float = 60) -> Turn:
    with api.runtime.database.begin() as session:
        return threads.take_turn(session, user_id, thread_id, question, seconds)


def answered(api: Api, turn: Turn, text: str) -> str | None:
    with api.runtime.database.begin() as session:
        return threads.end_turn(session, turn, text)


def test_a_thread_lives_from_creation_to_deletion(api: Api) -> None:
    asha = api.register()
    thread = made(asha)
    assert list(thread) == THREAD_KEYS
    assert (thread["title"], thread["isArchived"], thread["userId"]) == ("New Analysis", False, asha.user_id)
    assert thread["createdAt"].endswith("Z")
    renamed = call(asha, "PATCH", f"/{thread['id']}", {"title": "  Banks\n and  IT "}).json()["data"]
    assert renamed["title"] == "Banks and IT"
    assert call(asha, "GET").json()["data"] == [renamed]
    assert call(asha, "GET", f"/{thread['id']}").json()["data"] == {"thread": renamed, "messages": []}
    call(asha, "PATCH", f"/{thread['id']}", {"isArchived": True})
    assert call(asha, "GET").json()["data"] == []
    gone = call(asha, "DELETE", f"/{thread['id']}")
    assert (gone.status_code, gone.json()["status"]) == (200, "success")
    assert call(asha, "GET", f"/{thread['id']}").status_code == 404


def test_a_body_may_be_missing(api: Api) -> None:
    asha = api.register()
    answer = asha.client.post(URL, headers=asha.headers)
    assert (answer.status_code, answer.json()["data"]["title"]) == (201, "New Analysis")


@pytest.mark.parametrize("headers", [{}, BEARER_NULL, {"Authorization": "Bearer "}])
def test_somebody_who_is_not_signed_in_owns_nothing(api: Api, headers: dict[str, str]) -> None:
    thread = made(api.register())
    path = f"{URL}/{thread['id']}"
    assert api.get(URL, headers=headers).json() == {"status": "success", "data": []}
    assert api.get(path, headers=headers).status_code == 404
    writes = (("POST", URL), ("PATCH", path), ("DELETE", path))
    statuses = [api.request(method, address, headers=headers).status_code for method, address in writes]
    assert statuses == [401, 401, 401]
    assert api.get(f"{path}/trace", headers=headers).status_code == 401


def test_a_thread_of_somebody_else_does_not_exist(api: Api) -> None:
    asha, ravi = api.register(), api.register()
    thread = made(asha)
    absent = call(ravi, "GET", f"/{uuid.uuid4()}").json()
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/trace")):
        answer = call(ravi, method, f"/{thread['id']}{path}", {"title": "Mine"} if method == "PATCH" else None)
        assert (answer.status_code, answer.json()) == (404, absent)
    assert call(ravi, "GET").json()["data"] == []
    with pytest.raises(NotFound):
        ask(api, ravi.user_id, thread["id"], "May I?")
    assert call(asha, "GET", f"/{thread['id']}").json()["data"]["messages"] == []


@pytest.mark.parametrize("thread_id", ["x", "..%2F..%2Fetc", "0", "0d9f2f3a-6c1f-4a54-9a0f-0c0d6f3e8a1g"])
def test_an_id_that_is_none_is_unknown(api: Api, thread_id: str) -> None:
    assert call(api.register(), "GET", f"/{thread_id}").status_code == 404


@pytest.mark.parametrize("values", [{"title": "x" * 256}, {"title": 5}, {"title": ["a"]}, {"title": " <> "}])
def test_an_unusable_title_is_refused(api: Api, values: dict[str, Any]) -> None:
    asha = api.register()
    thread = made(asha)
    answer = call(asha, "PATCH", f"/{thread['id']}", values)
    assert (answer.status_code, answer.json()["status"]) == (400, "error")
    assert call(asha, "GET").json()["data"] == [thread]


@pytest.mark.parametrize("value", ["yes", "true", "", 1, 0, 1.0, [], {}])
def test_whether_a_thread_is_archived_is_true_or_false(api: Api, value: Any) -> None:
    asha = api.register()
    thread = made(asha)
    answer = call(asha, "PATCH", f"/{thread['id']}", {"isArchived": value})
    assert (answer.status_code, answer.json()["status"]) == (400, "error")
    assert call(asha, "GET").json()["data"] == [thread]


def test_null_changes_nothing_of_a_thread(api: Api) -> None:
    asha = api.register()
    thread = made(asha)
    answer = call(asha, "PATCH", f"/{thread['id']}", {"isArchived": None, "title": None})
    assert (answer.status_code, answer.json()["data"]["isArchived"]) == (200, False)


def test_a_conversation_keeps_its_order_and_its_first_question_as_title(api: Api) -> None:
    asha, thread_id = api.register(), str(uuid.uuid4())
    turn = ask(api, asha.user_id, thread_id, "Compare TCS and Infy over five years, please")
    message_id = answered(api, turn, "Here it is.")
    answered(api, ask(api, asha.user_id, thread_id, "And HDFC Bank?"), "There.")
    data = call(asha, "GET", f"/{thread_id}").json()["data"]
    assert data["thread"]["title"] == "Compare TCS and Infy over five..."
    said = [(message["role"], message["content"]) for message in data["messages"]]
    assert said == [
        ("user", "Compare TCS and Infy over five years, please"),
        ("assistant", "Here it is."),
        ("user", "And HDFC Bank?"),
        ("assistant", "There."),
    ]
    assert list(data["messages"][0]) == ["id", "threadId", "role", "content", "createdAt"]
    assert data["messages"][1]["id"] == message_id
    assert len({message["id"] for message in data["messages"]}) == 4


def test_of_two_questions_at_once_one_is_answered(api: Api) -> None:
    asha, thread_id = api.register(), str(uuid.uuid4())

    def try_to_ask(number: int) -> Turn | Conflict:
        try:
            return ask(api, asha.user_id, thread_id, f"Question {number}")
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(4) as executor:
        outcomes = list(executor.map(try_to_ask, range(4)))
    turns = [outcome for outcome in outcomes if isinstance(outcome, Turn)]
    assert len(turns) == 1
    assert len(call(asha, "GET", f"/{thread_id}").json()["data"]["messages"]) == 1
    answered(api, turns[0], "Yes.")
    assert isinstance(try_to_ask(5), Turn)


def test_a_turn_that_was_never_given_back_ends_by_itself_and_can_write_nothing_more(api: Api) -> None:
    asha, thread_id = api.register(), str(uuid.uuid4())
    lost = ask(api, asha.user_id, thread_id, "First", seconds=-1)
    turn = ask(api, asha.user_id, thread_id, "Second")
    assert answered(api, lost, "Too late") is None
    assert answered(api, turn, "In time") is not None
    said = [message["content"] for message in call(asha, "GET", f"/{thread_id}").json()["data"]["messages"]]
    assert said == ["First", "Second", "In time"]


@pytest.mark.parametrize("outcome", get_args(trace.Outcome))
def test_every_way_a_tool_can_end_is_kept_and_shown(api: Api, outcome: trace.Outcome) -> None:
    asha, thread_id = api.register(), str(uuid.uuid4())
    ask(api, asha.user_id, thread_id, "Price of Reliance?")
    with api.runtime.database.begin() as session:
        trace.record(session, thread_id, None, [trace.ToolCall("get_stock_price", {}, 0.25, outcome)])
    (shown,) = call(asha, "GET", f"/{thread_id}/trace").json()["data"]
    assert (shown["outcome"], shown["messageId"]) == (outcome, None)


def test_deleting_a_thread_deletes_what_was_said_and_looked_up(api: Api) -> None:
    asha, thread_id = api.register(), str(uuid.uuid4())
    turn = ask(api, asha.user_id, thread_id, "Price of Reliance?")
    message_id = answered(api, turn, "Here.")
    with api.runtime.database.begin() as session:
        looked_up = trace.ToolCall("get_stock_price", {"ticker": "A" * 900}, 0.25, "ok")
        trace.record(session, thread_id, message_id, [looked_up])
    (shown,) = call(asha, "GET", f"/{thread_id}/trace").json()["data"]
    assert (shown["name"], shown["duration_ms"], shown["outcome"], shown["messageId"]) == (
        "get_stock_price",
        250,
        "ok",
        message_id,
    )
    assert len(shown["arguments"]["ticker"]) == 500
    call(asha, "DELETE", f"/{thread_id}")
    with api.runtime.database.read() as session:
        assert session.query(ChatMessage).count() == session.query(ChatToolCall).count() == 0
