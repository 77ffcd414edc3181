"""The application behind a real HTTP server, and a client for it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from klyx.runtime import Runtime
from klyx.web import EXTENSION_KEY

TIMEOUT_SECONDS = 60


class QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """The application logs its requests itself."""


class Client(requests.Session):
    """A browser: one cookie jar, addresses relative to the server."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.base_url = base_url
        self.trust_env = False

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", TIMEOUT_SECONDS)
        address = str(url) if str(url).startswith("http") else f"{self.base_url}{url!s}"
        return super().request(method, address, *args, **kwargs)


@dataclass(frozen=True)
class RegisteredUser:
    client: Client
    user_id: str
    email: str
    access_token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


class Api(Client):
    """A client of a running application, with a way to its runtime and to more clients."""

    def __init__(self, base_url: str, app: Flask) -> None:
        super().__init__(base_url)
        self.app = app

    @property
    def runtime(self) -> Runtime:
        runtime: Runtime = self.app.extensions[EXTENSION_KEY]
        return runtime

    def new_client(self) -> Client:
        return Client(self.base_url)

    def register(self, password: str = "correct horse", name: str = "Asha") -> RegisteredUser:
        client = self.new_client()
        email = f"user-{uuid.uuid4().hex[:12]}@example.org"
        answer = client.post("/api/auth/register", json={"email": email, "password": password, "name": name})
        assert answer.status_code == 201, answer.text
        data = answer.json()["data"]
        return RegisteredUser(client, data["user"]["id"], email, data["access_token"], data["refresh_token"])

    def starter(self) -> None:
        """Load the bundled NIFTY 50."""
        from klyx.bundled import read_starter_list
        from klyx.database.starter import load_starter_list

        with self.runtime.database.begin() as session:
            load_starter_list(session, read_starter_list())


@contextmanager
def serve(app: Flask) -> Iterator[str]:
    """Run `app` on a free port in threads; yields its URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
