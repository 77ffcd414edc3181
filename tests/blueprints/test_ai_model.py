"""Answers of a model, over its real protocol: the bytes on the wire, the stored thread, and every way it can fail."""

from __future__ import annotations

import dataclasses
import json
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask

from klyx.config import Settings
from klyx.database.models import ChatThread, ChatUsage
from klyx.services.chat.answering import NOT_KEPT
from klyx.services.chat.model import TOO_LONG, TOOK_TOO_MUCH
from klyx.services.chat.model_client import BUSY, CUT_OFF, REFUSED, UNREACHABLE
from klyx.services.chat.safety import neutralise
from klyx.services.chat.usage import USED_UP_BY_ALL
from tests.api import Api, RegisteredUser, serve
from tests.blueprints.test_ai import ask, blocks_in, conversation
from tests.fakes.model import (
    KEY,
    FakeModel,
    Reply,
    broken_inside,
    calls,
    cut_off,
    error_inside,
    fails,
    hangs,
    says,
    says_escaped,
    thinks,
)
from tests.sse import as_client_reads, events_of, text_of

PRICES = calls(("get_stock_price", '{"ticker": "TCS.NS"}'), ("get_stock_price", '{"ticker": "INFY"}'))
COMPARISON = (
    "Here they are.\n\n:::ui-component\n"
    '{"type": "comparison", "data": {"stocks": [{"symbol": "TCS"}, {"symbol": "INFY"}], '
    '"metrics": [{"label": "Price", "values": ["₹3,140.00", 1600]}]}}\n:::\n\nPrices can <b>fall</b>.'
)

LONG = "This goes on. " * 30

Serve = Callable[..., tuple[Api, FakeModel]]


@pytest.fixture
def serve_with(app_settings: Settings, fresh_app: Callable[[Settings], Flask]) -> Iterator[Serve]:
    """The application with a model that gives these replies."""
    with ExitStack() as stack:

        def start(*replies: Reply, **changes: Any) -> tuple[Api, FakeModel]:
            model = stack.enter_context(FakeModel(replies))
            settings = dataclasses.replace(
                app_settings, openai_api_key=KEY, openai_base_url=model.url, **{"chat_answer_seconds": 20.0, **changes}
            )
            app = fresh_app(settings)
            api = Api(stack.enter_context(serve(app)), app)
            api.starter()
            return api, model

        yield start


def answer_to(api: Api, question: str = "Compare TCS and INFY") -> tuple[list[Any], str]:
    """The events, and what the thread holds afterwards."""
    asha, thread_id = api.register(), str(uuid.uuid4())
    events = events_of(ask(asha, question, thread_id))
    messages = conversation(asha, thread_id)["messages"]
    return events, messages[1]["content"] if len(messages) > 1 else ""


def errors_in(events: Sequence[Any]) -> list[str]:
    return [event["error"] for event in events if "error" in event]


def used_in_all(api: Api) -> ChatUsage:
    """What the only user who asked has used up."""
    with api.runtime.database.read() as session:
        return session.query(ChatUsage).one()


def test_a_comparison_with_two_tools(serve_with: Serve) -> None:
    api, model = serve_with(PRICES, says(COMPARISON))
    events, kept = answer_to(api)
    tools = [(event["tool"], event["status"]) for event in events if "tool" in event]
    assert sorted(tools) == [("get_stock_price", "completed")] * 2 + [("get_stock_price", "starting")] * 2
    text = text_of(events)
    assert kept == text.strip()
    (block,) = blocks_in(text)
    assert block["data"]["metrics"] == [{"label": "Price", "values": ["₹3,140.00", 1600]}]
    assert "&lt;b&gt;fall&lt;/b&gt;" in text
    first, second = model.requests
    assert first["stream"] is True
    assert {tool["function"]["name"] for tool in first["tools"]} >= {"get_stock_price", "screen_stocks", "get_debts"}
    assert first["messages"][0]["role"] == "system"
    assert first["messages"][-1] == {"role": "user", "content": "Compare TCS and INFY"}
    called, *results = second["messages"][2:]
    written = [json.loads(call["function"]["arguments"]) for call in called["tool_calls"]]
    assert written == [{"ticker": "TCS.NS"}, {"ticker": "INFY"}]
    assert [json.loads(result["content"])["symbol"] for result in results] == ["TCS", "INFY"]
    used = used_in_all(api)
    assert (used.answers, used.prompt_tokens, used.completion_tokens) == (1, 200, 40)
    assert used.cost_usd == pytest.approx(200 * 2.5e-6 + 40 * 10e-6)


def test_a_block_with_an_invented_number_is_left_out(serve_with: Serve) -> None:
    api, _ = serve_with(PRICES, says(COMPARISON.replace("1600", "1700")))
    events, kept = answer_to(api)
    assert blocks_in(text_of(events)) == []
    assert kept.startswith("Here they are.")


def test_a_number_that_only_an_error_repeats_is_not_known(serve_with: Serve) -> None:
    card = '\n:::ui-component\n{"type": "stock-card", "data": {"symbol": "TCS", "price": "₹9999"}}\n:::\n'
    api, model = serve_with(calls(("get_stock_price", '{"ticker": "Nothing 9999"}')), says(f"So.{card}"))
    events, kept = answer_to(api)
    assert "9999" in json.loads(model.requests[1]["messages"][-1]["content"])["error"]
    assert (blocks_in(text_of(events)), kept) == ([], "So.")


def test_the_clients_own_parser_loses_nothing(serve_with: Serve) -> None:
    api, _ = serve_with(says("Zwölf ₹ and हिन्दी, " * 40, fragment=3))
    asha = api.register()
    answer = ask(asha, "hello", stream=True)
    chunks = list(answer.iter_content(chunk_size=None))
    whole = b"".join(chunks)
    assert "".join(as_client_reads([whole])) == "".join(as_client_reads(chunks)) == "Zwölf ₹ and हिन्दी, " * 40


@pytest.mark.parametrize("character", ["\U0001f600", "ह", "<", "\\"])
def test_no_event_reaches_a_kilobyte(serve_with: Serve, character: str) -> None:
    name, arguments = character * 100, json.dumps({"ticker": character * 90})
    wanted = calls((name, "{}"), ("get_stock_price", arguments))
    api, _ = serve_with(wanted, says(character * 900, fragment=100), says(character * 900, fragment=3))
    asha, thread_id = api.register(), str(uuid.uuid4())
    for _ in range(2):
        body = ask(asha, "hello", thread_id).content
        assert max(map(len, body.split(b"\n\n"))) < 600
    messages = conversation(asha, thread_id)["messages"]
    assert [len(message["content"]) for message in messages if message["role"] == "assistant"] == [
        900 * len(neutralise(character))
    ] * 2


def test_earlier_turns_are_told_again_from_the_database(serve_with: Serve) -> None:
    api, model = serve_with(says("First answer"), says("Second answer"))
    asha, thread_id = api.register(), str(uuid.uuid4())
    for question in ("One", "Two"):
        events_of(ask(asha, question, thread_id))
    assert [message["content"] for message in model.requests[1]["messages"][1:]] == ["One", "First answer", "Two"]


@pytest.mark.parametrize(
    ("replies", "message"),
    [
        ([fails(401)], REFUSED),
        ([fails(400)], REFUSED),
        ([fails(503)], UNREACHABLE),
        ([fails(429, [("Retry-After", "100")])], BUSY),
        ([error_inside()], UNREACHABLE),
        ([cut_off("Half an ")], CUT_OFF),
        ([error_inside("Half an ")], CUT_OFF),
        ([calls(("get_stock_price", '{"ticker": "TCS"}'))], TOOK_TOO_MUCH),
    ],
)
def test_a_failure_is_told_as_content_and_kept(serve_with: Serve, replies: list[Reply], message: str) -> None:
    api, _ = serve_with(*replies, chat_answer_steps=4)
    events, kept = answer_to(api)
    assert errors_in(events) == [message]
    assert text_of(events).endswith(message)
    assert kept.endswith(message)


@pytest.mark.parametrize(
    "reply",
    [
        cut_off(LONG),
        error_inside(LONG),
        hangs(LONG),
        says(LONG + "and so on, " * 2000, pause_seconds=0.02, fragment=100),
        broken_inside(LONG),
    ],
    ids=["cut off", "error", "silence", "goes on and on", "nonsense"],
)
def test_a_failed_answer_counts_what_was_sent_and_written(serve_with: Serve, reply: Reply) -> None:
    api, model = serve_with(reply, chat_answer_seconds=1.5)
    events, _ = answer_to(api)
    assert len(errors_in(events)) == 1
    used = used_in_all(api)
    sent = json.dumps(model.requests[0]["messages"]) + json.dumps(model.requests[0]["tools"])
    assert used.answers == 1
    assert used.prompt_tokens >= len(sent) / 4
    assert used.completion_tokens >= len(LONG) / 4
    assert used.cost_usd == pytest.approx(used.prompt_tokens * 2.5e-6 + used.completion_tokens * 10e-6, abs=1e-6)


@pytest.mark.parametrize(("replies", "taken"), [([fails(401)], False), ([fails(503)], False), ([thinks()], True)])
def test_only_a_question_that_the_model_took_up_costs_something(
    serve_with: Serve, replies: list[Reply], taken: bool
) -> None:
    api, _ = serve_with(*replies, chat_answer_seconds=3.0)
    events, _ = answer_to(api)
    assert len(errors_in(events)) == 1
    used = used_in_all(api)
    assert (used.answers, used.prompt_tokens > 0, used.cost_usd > 0) == (1, taken, taken)


@pytest.mark.parametrize("failure", [fails(500), fails(529), fails(429, [("Retry-After", "1")]), error_inside()])
def test_a_passing_failure_is_tried_again(serve_with: Serve, failure: Reply) -> None:
    api, model = serve_with(failure, says("All is well."))
    events, kept = answer_to(api)
    assert (text_of(events), kept, errors_in(events)) == ("All is well.", "All is well.", [])
    assert len(model.requests) == 2


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("get_stock_price", '{"ticker": ', "JSON object"),
        ("get_stock_price", "[1]", "JSON object"),
        ("get_stock_price", '{"ticker": ' + "[" * 2000, "JSON object"),
        ("get_stock_price", "{}", "ticker"),
        ("get_stock_price", '{"ticker": "NOSUCH"}', "No listed company"),
        ("drop_tables", "{}", "no tool"),
        ("screen_stocks", '{"filters": [{"field": "id; DROP TABLE", "operator": "gt", "value": 1}]}', "no field"),
    ],
)
def test_a_senseless_call_is_told_to_the_model(serve_with: Serve, name: str, arguments: str, told: str) -> None:
    api, model = serve_with(calls((name, arguments)), says("I see."))
    events, kept = answer_to(api)
    assert told in json.loads(model.requests[1]["messages"][-1]["content"])["error"]
    assert kept == "I see."
    assert errors_in(events) == []


def test_the_last_step_may_not_call_tools(serve_with: Serve) -> None:
    api, model = serve_with(calls(("get_stock_price", '{"ticker": "TCS"}')), chat_answer_steps=3)
    answer_to(api)
    assert [request["tool_choice"] for request in model.requests] == ["auto", "auto", "none"]


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_model_is_told_how_much_it_may_write(serve_with: Serve, field: str) -> None:
    price = ("get_stock_price", '{"ticker": "TCS"}')
    greedy = [calls(price, usage=(30_000, 1_000)), calls(price, usage=(8_000, 900)), says("Done.")]
    api, model = serve_with(*greedy, openai_token_limit_field=field, chat_reply_tokens=3000)
    answer_to(api)
    limits = [request[field] for request in model.requests]
    sent = len(json.dumps(model.requests[1]["messages"]) + json.dumps(model.requests[1]["tools"]))
    assert limits[0] == 3000
    assert 256 <= limits[1] <= min(3000, max(256, 9_000 - sent // 4))
    assert limits[2] == 256
    other = {"max_tokens", "max_completion_tokens"} - {field}
    assert not any(other & request.keys() for request in model.requests)


def test_an_answer_that_the_limit_cuts_says_so(serve_with: Serve) -> None:
    api, _ = serve_with(says("The first half of", reason="length"))
    events, kept = answer_to(api)
    assert errors_in(events) == [TOO_LONG]
    assert kept == f"The first half of\n\n{TOO_LONG}"
    assert used_in_all(api).completion_tokens == 20


def test_caps_on_tokens_end_an_answer_and_a_day(serve_with: Serve) -> None:
    greedy = calls(("get_stock_price", '{"ticker": "TCS"}'), usage=(30_000, 20_000))
    api, model = serve_with(greedy, chat_tokens_per_day=50_000)
    asha = api.register()
    events = events_of(ask(asha, "Compare TCS and INFY"))
    assert errors_in(events) == [TOOK_TOO_MUCH]
    assert len(model.requests) == 1
    refused = ask(asha, "And now?")
    assert (refused.status_code, refused.json()["status"]) == (429, "error")
    assert int(refused.headers["Retry-After"]) <= 86_400


@pytest.mark.parametrize(("cap_usd", "status"), [(0.5, 429), (0.6, 200), (0.0, 200)])
def test_a_cap_on_the_money_of_all_users_ends_the_day_for_everybody(
    serve_with: Serve, cap_usd: float, status: int
) -> None:
    # Each of the two answers costs 0.25.
    api, model = serve_with(says("Hello.", usage=(100_000, 0)), chat_usd_per_day_in_all=cap_usd)
    for _ in range(2):
        assert events_of(ask(api.register(), "Hello?"))
    third = ask(api.register(), "Hello?")
    assert third.status_code == status
    assert len(model.requests) == (2 if status == 429 else 3)
    if status == 429:
        assert third.json()["message"] == USED_UP_BY_ALL
        assert 0 < int(third.headers["Retry-After"]) <= 86_400


def test_an_answer_without_a_word_is_none(serve_with: Serve) -> None:
    api, _ = serve_with(says(""))
    events, kept = answer_to(api)
    assert text_of(events) == kept != ""


def test_a_model_that_falls_silent_is_given_up(serve_with: Serve) -> None:
    api, _ = serve_with(hangs("Let me see"), chat_answer_seconds=1.5)
    events, kept = answer_to(api)
    assert kept.startswith("Let me see")
    assert len(errors_in(events)) == 1


def test_a_reader_that_leaves_ends_the_models_work_and_keeps_what_was_written(serve_with: Serve) -> None:
    api, model = serve_with(hangs("The first words. "))
    asha, thread_id = api.register(), str(uuid.uuid4())
    answer = ask(asha, "Tell me all", thread_id, stream=True)
    next(answer.iter_content(chunk_size=None))
    answer.close()
    ended = threading.Event()
    for _ in range(400):
        messages = conversation(asha, thread_id)["messages"]
        if model.left_at and len(messages) == 2:
            break
        ended.wait(0.05)
    assert len(model.left_at) == 1
    assert [message["content"] for message in messages] == ["Tell me all", "The first words."]
    assert time.monotonic() >= model.left_at[0]
    assert wait_until(lambda: is_counted(api))
    used = used_in_all(api)
    assert used.prompt_tokens > 0 < used.completion_tokens


def test_a_reader_that_leaves_before_the_model_says_anything_ends_its_work_within_two_seconds(
    serve_with: Serve,
) -> None:
    api, model = serve_with(thinks())
    asha, thread_id = api.register(), str(uuid.uuid4())
    host, port = api.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as reader:
        reader.sendall(question_bytes(api, asha, "Tell me all", thread_id))
        assert wait_until(lambda: bool(model.requests))
    left_at = time.monotonic()
    assert wait_until(lambda: bool(model.left_at))
    assert model.left_at[0] - left_at < 2
    assert wait_until(lambda: not is_busy(api, thread_id))


def is_counted(api: Api) -> bool:
    with api.runtime.database.read() as session:
        return session.query(ChatUsage).count() == 1


def is_busy(api: Api, thread_id: str) -> bool:
    with api.runtime.database.read() as session:
        return session.query(ChatThread).filter_by(id=thread_id).one().busy_token is not None


def wait_until(is_so: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while not (found := is_so()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def question_bytes(api: Api, user: RegisteredUser, question: str, thread_id: str) -> bytes:
    body = json.dumps({"prompt": {"role": "user", "content": question}, "threadId": thread_id}).encode()
    head = (
        f"POST /api/ai/chat HTTP/1.0\r\nHost: {api.base_url.removeprefix('http://')}\r\n"
        f"Authorization: Bearer {user.access_token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


UNSTORABLE = r'{"ticker": "T\u0000CS\ud800", "m\u0000re": [{"\udc00": NaN}, 1e999, [[[[["deep"]]]]], "\ud83d\ude00"]}'


def test_text_that_no_database_takes_is_left_out_and_the_rest_is_kept(serve_with: Serve) -> None:
    answer = says_escaped("A\x00 \ud800good\udc00 answer \ud83d\ude00")
    api, _ = serve_with(calls(("get_stock_price\x00", UNSTORABLE)), answer)
    asha, thread_id = api.register(), str(uuid.uuid4())
    events = events_of(ask(asha, "Price of TCS?", thread_id))
    assert errors_in(events) == []
    assert text_of(events) == conversation(asha, thread_id)["messages"][1]["content"] == "A good answer \U0001f600"
    (call,) = asha.client.get(f"/api/chat/threads/{thread_id}/trace", headers=asha.headers).json()["data"]
    assert call["name"] == "get_stock_price"
    assert call["arguments"] == {"ticker": "TCS", "mre": [{"": "nan"}, "inf", [[["..."]]], "\U0001f600"]}


@pytest.mark.parametrize("table", ["chat_messages", "chat_tool_calls", "chat_usage"])
def test_a_write_that_fails_takes_no_other_with_it_and_never_the_turn(serve_with: Serve, table: str) -> None:
    api, _ = serve_with(calls(("get_stock_price", '{"ticker": "TCS"}')), says("All is well."))
    asha, thread_id = api.register(), str(uuid.uuid4())
    allow = refuse_inserts(api, table, except_role="user")
    events = events_of(ask(asha, "Price of TCS?", thread_id))
    assert errors_in(events) == ([NOT_KEPT] if table == "chat_messages" else [])
    allow()
    said = [message["content"] for message in conversation(asha, thread_id)["messages"]]
    assert said == ["Price of TCS?", "All is well."][: 1 if table == "chat_messages" else 2]
    trace = asha.client.get(f"/api/chat/threads/{thread_id}/trace", headers=asha.headers).json()["data"]
    assert len(trace) == (0 if table == "chat_tool_calls" else 1)
    with api.runtime.database.read() as session:
        assert session.query(ChatUsage).count() == (0 if table == "chat_usage" else 1)
    assert "All is well." in text_of(events_of(ask(asha, "And now?", thread_id)))


def refuse_inserts(api: Api, table: str, except_role: str) -> Callable[[], None]:
    """Has the database refuse new rows of a table, messages of `except_role` excepted; returns what ends that."""
    database = api.runtime.database
    when = f"WHEN (NEW.role <> '{except_role}')" if table == "chat_messages" else ""
    if database.dialect_name == "sqlite":
        begin = [f"CREATE TRIGGER refused BEFORE INSERT ON {table} {when} BEGIN SELECT RAISE(ABORT, 'no'); END"]
        end = "DROP TRIGGER refused"
    else:
        begin = [
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$",
            f"CREATE TRIGGER refused BEFORE INSERT ON {table} FOR EACH ROW {when} EXECUTE FUNCTION refuse()",
        ]
        end = f"DROP TRIGGER refused ON {table}"

    def run(*statements: str) -> None:
        with database.begin() as session:
            for statement in statements:
                session.connection().exec_driver_sql(statement)

    run(*begin)
    return lambda: run(end)


class CollectingProxy:
    """Passes bytes on as a proxy does: whatever has arrived by now, after a random pause, in one piece."""

    def __init__(self, port: int, seed: int) -> None:
        self._chance = random.Random(seed)
        self._target = port
        self.pieces: list[bytes] = []

    def exchange(self, request: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self._target), timeout=30) as upstream:
            upstream.sendall(request)
            pause = threading.Event()
            while True:
                pause.wait(self._chance.choice((0.0, 0.0, 0.01, 0.05)))
                piece = upstream.recv(65_536)
                if not piece:
                    return
                self.pieces.append(piece)


@pytest.mark.parametrize("seed", range(3))
def test_no_event_is_lost_behind_a_proxy_that_collects(serve_with: Serve, seed: int) -> None:
    text = "Zwölf ₹ and हिन्दी, " * 60
    api, _ = serve_with(says(text, fragment=5, pause_seconds=0.002))
    asha = api.register()
    proxy = CollectingProxy(int(api.base_url.rpartition(":")[2]), seed)
    proxy.exchange(question_bytes(api, asha, "hello", str(uuid.uuid4())))
    assert "".join(as_client_reads(proxy.pieces)) == text
    assert len(proxy.pieces) > 3
