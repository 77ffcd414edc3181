"""Questions over HTTP: what is refused, and what an answer looks like on the wire and in the thread."""

from __future__ import annotations

import dataclasses
import json
import uuid
from typing import Any

import jwt
import pytest
import requests

from klyx.services.chat import threads
from tests.api import Api, RegisteredUser
from tests.sse import events_of, text_of

URL = "/api/ai/chat"


def ask(user: RegisteredUser, question: str, thread_id: str | None = None, **options: Any) -> requests.Response:
    body = {"prompt": {"role": "user", "content": question}, "threadId": thread_id or str(uuid.uuid4())}
    return user.client.post(URL, json=body, headers=user.headers, **options)


def conversation(user: RegisteredUser, thread_id: str) -> dict[str, Any]:
    answer = user.client.get(f"/api/chat/threads/{thread_id}", headers=user.headers)
    data: dict[str, Any] = answer.json()["data"]
    return data


def blocks_in(text: str) -> list[dict[str, Any]]:
    return [json.loads(part.partition(":::")[0]) for part in f"\n{text}".split("\n:::ui-component")[1:]]


def test_health_needs_nobody(api: Api) -> None:
    assert api.get("/api/ai/health").json() == {"status": "ok", "service": "AI Agent"}


def test_a_comparison_streams_and_is_kept_before_the_end(api: Api) -> None:
    api.starter()
    asha, thread_id = api.register(), str(uuid.uuid4())
    answer = ask(asha, "Compare TCS and Infy", thread_id)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache, no-transform"
    assert answer.headers["X-Accel-Buffering"] == "no"
    events = events_of(answer)
    tools = [(event["tool"], event["status"]) for event in events if isinstance(event, dict) and "tool" in event]
    assert ("get_stock_price", "starting") in tools
    assert ("get_fundamentals", "completed") in tools
    assert all(len(json.dumps(event)) < 1000 for event in events)
    text = text_of(events)
    (block,) = blocks_in(text)
    assert block["type"] == "comparison"
    assert [stock["symbol"] for stock in block["data"]["stocks"]] == ["TCS", "INFY"]
    data = conversation(asha, thread_id)
    assert data["thread"]["title"] == "Compare TCS and Infy"
    assert [(m["role"], m["content"]) for m in data["messages"]] == [
        ("user", "Compare TCS and Infy"),
        ("assistant", text.strip()),
    ]
    trace = asha.client.get(f"/api/chat/threads/{thread_id}/trace", headers=asha.headers).json()["data"]
    assert {call["name"] for call in trace} == {"get_stock_price", "get_fundamentals", "get_technical_analysis"}
    assert {call["messageId"] for call in trace} == {data["messages"][1]["id"]}


@pytest.mark.parametrize("token", [None, "", "null", "undefined"])
def test_somebody_who_is_not_signed_in_is_refused_and_nothing_is_kept(api: Api, token: str | None) -> None:
    thread_id = str(uuid.uuid4())
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    body = {"prompt": {"role": "user", "content": "Price of TCS?"}, "threadId": thread_id}
    answer = api.post(URL, json=body, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (401, "error")
    with api.runtime.database.read() as session:
        assert not threads.exists(session, thread_id)


def test_expired_revoked_and_refresh_tokens_are_refused(api: Api) -> None:
    asha = api.register()
    secret = api.runtime.settings.jwt_secret_key
    claims = jwt.decode(asha.access_token, secret, ["HS256"])
    expired = jwt.encode({**claims, "exp": claims["iat"] - 3600}, secret, "HS256")
    stale = dataclasses.replace(asha, access_token=expired)
    assert ask(stale, "Price of TCS?").status_code == 401
    refresh = {"Authorization": f"Bearer {asha.refresh_token}"}
    body = {"prompt": {"role": "user", "content": "Price of TCS?"}, "threadId": str(uuid.uuid4())}
    assert api.post(URL, json=body, headers=refresh).status_code == 401
    asha.client.post("/api/auth/logout", headers=asha.headers)
    assert ask(asha, "Price of TCS?").status_code == 401


def test_a_thread_of_somebody_else_is_unknown(api: Api) -> None:
    asha, ravi, thread_id = api.register(), api.register(), str(uuid.uuid4())
    events_of(ask(asha, "hello", thread_id))
    answer = ask(ravi, "What did they say?", thread_id)
    assert (answer.status_code, answer.json()["status"]) == (404, "error")
    assert len(conversation(asha, thread_id)["messages"]) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": "hello", "threadId": str(uuid.uuid4())},
        {"prompt": {"role": "user"}, "threadId": str(uuid.uuid4())},
        {"prompt": {"role": "user", "content": "  \n "}, "threadId": str(uuid.uuid4())},
        {"prompt": {"role": "user", "content": 5}, "threadId": str(uuid.uuid4())},
        {"prompt": {"role": "system", "content": "hello"}, "threadId": str(uuid.uuid4())},
        {"prompt": {"role": "user", "content": "x" * 1_000_000}, "threadId": str(uuid.uuid4())},
        {"prompt": {"role": "user", "content": "hello"}, "threadId": "../../etc/passwd"},
        {"prompt": {"role": "user", "content": "hello"}},
        {"prompt": {"role": "user", "content": "\x00"}, "threadId": str(uuid.uuid4())},
    ],
)
def test_a_question_that_is_none_is_refused(api: Api, body: dict[str, Any]) -> None:
    asha = api.register()
    answer = asha.client.post(URL, json=body, headers=asha.headers)
    assert (answer.status_code, answer.json()["status"]) == (400, "error")
    assert asha.client.get("/api/chat/threads", headers=asha.headers).json()["data"] == []


def test_unknown_fields_are_ignored_at_every_level(api: Api) -> None:
    asha = api.register()
    prompt = {"role": "user", "content": "hello", "id": "abc", "createdAt": 1}
    body = {"prompt": prompt, "threadId": str(uuid.uuid4()), "responseId": "r", "model": "gpt"}
    assert asha.client.post("/api/ai/chat", json=body, headers=asha.headers).status_code == 200


def test_control_characters_and_fences_in_a_question_do_no_harm(api: Api) -> None:
    asha, thread_id = api.register(), str(uuid.uuid4())
    text = text_of(events_of(ask(asha, "hello \x07\x1b <b>\n:::ui-component\n{}\n:::", thread_id)))
    assert "<" not in text
    assert blocks_in(text) == []
    assert conversation(asha, thread_id)["messages"][0]["content"] == "hello  <b>\n:::ui-component\n{}\n:::"


def test_while_one_answer_is_written_another_question_has_to_wait(api: Api) -> None:
    asha, thread_id = api.register(), str(uuid.uuid4())
    with api.runtime.database.begin() as session:
        turn = threads.take_turn(session, asha.user_id, thread_id, "First", 60)
    answer = ask(asha, "Second", thread_id)
    assert (answer.status_code, answer.json()["status"]) == (409, "error")
    with api.runtime.database.begin() as session:
        threads.end_turn(session, turn, "Answer")
    events_of(ask(asha, "hello", thread_id))
    roles = [message["role"] for message in conversation(asha, thread_id)["messages"]]
    assert roles == ["user", "assistant", "user", "assistant"]


def test_a_follow_up_is_about_the_company_before(api: Api) -> None:
    api.starter()
    asha, thread_id = api.register(), str(uuid.uuid4())
    events_of(ask(asha, "Price of Reliance?", thread_id))
    text = text_of(events_of(ask(asha, "and its P/E?", thread_id)))
    assert "Reliance Industries" in text


def test_the_portfolio_is_the_callers_own(api: Api) -> None:
    api.starter()
    asha, ravi = api.register(), api.register()
    for user, stock in ((asha, "Wipro Ltd."), (ravi, "Trent Ltd.")):
        user.client.post("/api/portfolio/add", json={"stock_name": stock}, headers=user.headers)
    text = text_of(events_of(ask(asha, "How is my portfolio doing?")))
    assert "Wipro Ltd." in text
    assert "Trent" not in text


def test_a_sentence_becomes_a_screen(api: Api) -> None:
    api.starter()
    answer = api.post("/api/ai/screen", json={"sentence": "Stocks with P/E under 15 and ROE over 20"})
    data = answer.json()["data"]
    understood = data["understood"]
    assert understood["definition"]["filters"] == [
        {"field": "pe_ttm", "operator": "lt", "value": 15},
        {"field": "roe_annual_pct", "operator": "gt", "value": 20},
    ]
    same = api.post("/api/screener/filter", json=understood["definition"]).json()["data"]
    assert data["metadata"]["total_matches"] == same["metadata"]["total_matches"] > 0
    assert data["results"] == same["results"][:20]
    ranked = api.post("/api/ai/screen", json={"sentence": "top 5 it stocks by roe"}).json()["data"]
    assert [row["Sector"] for row in ranked["results"]] == ["Software & Services"] * 5
    assert ranked["results"][0]["ROE Annual %"] >= ranked["results"][4]["ROE Annual %"]
    refused = api.post("/api/ai/screen", json={"sentence": "good morning"})
    assert (refused.status_code, refused.json()["status"]) == (400, "error")
