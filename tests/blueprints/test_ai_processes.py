"""One conversation over two processes: nothing of it may live in either."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from klyx.stack.ports import free_port
from tests.api import Client, RegisteredUser
from tests.blueprints.test_ai import ask, conversation
from tests.fakes.model import KEY, FakeModel, hangs, says
from tests.jobs.conftest import environment, runtime, settings  # noqa: F401 (fixtures)
from tests.jobs.support import wait_for
from tests.sse import events_of, text_of
from tests.stack.conftest import Start, start  # noqa: F401 (a fixture)

GUNICORN = ("-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "wsgi:app")
At = Callable[[int], RegisteredUser]


@pytest.fixture
def model() -> Iterator[FakeModel]:
    with FakeModel([says("First answer"), hangs("Half of the second "), says("Third answer")]) as fake:
        yield fake


@pytest.fixture
def asha_at(environment: dict[str, str], runtime: object, model: FakeModel, start: Start) -> At:  # noqa: F811
    """The same person, at each of two servers of streams."""
    ports = [free_port() for _ in range(2)]
    role = {"HTTP_ROLE": "chat", "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": model.url}
    for port in ports:
        start(*GUNICORN, environ={**environment, **role, "CHAT_BINDS": f"127.0.0.1:{port}"})
    clients = [Client(f"http://127.0.0.1:{port}") for port in ports]
    for client in clients:
        wait_for(lambda client=client: _is_up(client), client.base_url)  # type: ignore[misc]
    person = {"email": f"{uuid.uuid4().hex}@example.org", "password": "correct horse", "name": "Asha"}
    data = clients[0].post("/api/auth/register", json=person).json()["data"]
    tokens = (data["access_token"], data["refresh_token"])
    return lambda place: RegisteredUser(clients[place], data["user"]["id"], person["email"], *tokens)


def _is_up(client: Client) -> bool:
    try:
        return client.get("/health", timeout=5).ok
    except OSError:
        return False


def test_two_processes_serve_one_conversation(asha_at: At, model: FakeModel) -> None:
    thread_id = str(uuid.uuid4())
    assert text_of(events_of(ask(asha_at(0), "One", thread_id))) == "First answer"

    # While one process writes, the other one lets nobody interleave.
    half = ask(asha_at(1), "Two", thread_id, stream=True)
    # Kept, because a forgotten iterator closes the connection.
    pieces = half.iter_content(chunk_size=None)
    next(pieces)
    assert ask(asha_at(0), "Three", thread_id).status_code == 409
    half.close()
    wait_for(lambda: len(conversation(asha_at(0), thread_id)["messages"]) == 4, "what was written to be kept")

    assert text_of(events_of(ask(asha_at(0), "Four", thread_id))) == "Third answer"
    told = [message["content"] for message in model.requests[-1]["messages"][1:]]
    assert told == ["One", "First answer", "Two", "Half of the second", "Four"]
    said = [message["content"] for message in conversation(asha_at(1), thread_id)["messages"]]
    assert said == [*told, "Third answer"]
