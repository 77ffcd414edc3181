"""A server of streams that is told to end, over a real gunicorn: no answer is lost and no conversation stays locked."""

from __future__ import annotations

import os
import signal
import uuid

from klyx.services.chat.open_answers import RESTARTED
from klyx.stack.ports import free_port
from tests.api import Client, RegisteredUser
from tests.blueprints.test_ai import ask, conversation
from tests.fakes.model import KEY, FakeModel, hangs, says
from tests.jobs.conftest import environment, runtime, settings  # noqa: F401 (fixtures)
from tests.jobs.support import wait_for
from tests.sse import events_of, text_of
from tests.stack.conftest import Run, Start, start  # noqa: F401 (a fixture)

GUNICORN = ("-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "--graceful-timeout", "4", "wsgi:app")


def server_of(start: Start, environ: dict[str, str], model: FakeModel) -> tuple[Client, Run]:  # noqa: F811
    port = free_port()
    role = {"HTTP_ROLE": "chat", "CHAT_BINDS": f"127.0.0.1:{port}", "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": model.url}
    run = start(*GUNICORN, environ={**environ, **role})
    client = Client(f"http://127.0.0.1:{port}")

    def is_up() -> bool:
        try:
            return client.get("/health", timeout=5).ok
        except OSError:
            return False

    wait_for(is_up, client.base_url)
    return client, run


def test_an_answer_that_a_restart_ends_is_kept_and_apologised_for(
    environment: dict[str, str],  # noqa: F811
    runtime: object,  # noqa: F811
    start: Start,  # noqa: F811
) -> None:
    thread_id = str(uuid.uuid4())
    with FakeModel([hangs("Half of the answer. "), says("The whole answer.")]) as model:
        client, run = server_of(start, environment, model)
        person = {"email": f"{uuid.uuid4().hex}@example.org", "password": "correct horse", "name": "Asha"}
        data = client.post("/api/auth/register", json=person).json()["data"]
        known = (data["user"]["id"], person["email"], data["access_token"], data["refresh_token"])

        half = ask(RegisteredUser(client, *known), "Tell me all", thread_id, stream=True)
        wait_for(lambda: len(model.requests) == 1, "the question to the model")
        os.kill(run.process.pid, signal.SIGTERM)
        events = events_of(half)
        assert text_of(events) == f"Half of the answer. \n\n{RESTARTED}"
        assert {"error": RESTARTED} in events
        assert run.wait() == 0

        asha = RegisteredUser(server_of(start, environment, model)[0], *known)
        kept = [message["content"] for message in conversation(asha, thread_id)["messages"]]
        assert kept == ["Tell me all", f"Half of the answer. \n\n{RESTARTED}"]
        assert text_of(events_of(ask(asha, "Again", thread_id))) == "The whole answer."
