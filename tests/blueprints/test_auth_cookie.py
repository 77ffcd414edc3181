"""The workspace cookie of a user: it ends with the login, and never costs one."""

from __future__ import annotations

import pytest
import requests
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from klyx.blueprints import auth as views
from klyx.database import DatabaseUnavailable
from klyx.database.models import WorkspaceSession
from tests.api import Api, Client, RegisteredUser
from tests.workspaces import GOOD_CSV, send

INVALID = "Bearer a.b.c"
COOKIE = "klyx_workspace"


def open_sessions(api: Api) -> int:
    with api.runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(WorkspaceSession)) or 0


def anonymous_client(api: Api) -> Client:
    client = api.new_client()
    assert send(client, ("a.csv", GOOD_CSV)).status_code == 200
    assert client.cookies
    return client


def revoked(user: RegisteredUser) -> str:
    """The token of a login that ended on another device, which knows nothing of this one's cookie."""
    Client(user.client.base_url).post("/api/auth/logout", headers=user.headers)
    return user.headers["Authorization"]


@pytest.mark.parametrize("header", [None, "Bearer null", INVALID])
def test_a_logout_that_is_refused_still_closes_the_workspace(api: Api, header: str | None) -> None:
    user = api.register()
    assert send(user.client, ("a.csv", GOOD_CSV)).status_code == 200
    kept = user.client.cookies[COOKIE]

    answer = user.client.post("/api/auth/logout", headers={"Authorization": header} if header else {})

    assert answer.status_code == 401
    assert answer.json()["status"] == "error"
    assert not user.client.cookies
    assert open_sessions(api) == 0
    stolen = api.get("/api/verify_symbols", headers={"Cookie": f"{COOKIE}={kept}"})
    assert "Reliance" not in stolen.text


def test_a_logout_with_a_revoked_token_closes_the_workspace(api: Api) -> None:
    user = api.register()
    token = revoked(user)
    assert user.client.post("/api/auth/logout", headers={"Authorization": token}).status_code == 401
    assert not user.client.cookies
    assert open_sessions(api) == 0


def test_a_logout_closes_an_anonymous_workspace_too(api: Api) -> None:
    client = anonymous_client(api)
    assert client.post("/api/auth/logout").status_code == 401
    assert not client.cookies
    assert open_sessions(api) == 0


def test_a_refused_token_drops_the_cookie_of_a_user(api: Api) -> None:
    user = api.register()
    token = revoked(user)
    assert user.client.get("/api/auth/me", headers={"Authorization": token}).status_code == 401
    assert not user.client.cookies
    assert open_sessions(api) == 0


def test_a_refused_token_leaves_an_anonymous_workspace_alone(api: Api) -> None:
    client = anonymous_client(api)
    assert client.get("/api/auth/me", headers={"Authorization": INVALID}).status_code == 401
    assert client.cookies
    assert open_sessions(api) == 1


def test_the_password_of_a_site_is_no_token(api: Api) -> None:
    """Browsers add it to every call where a site stands behind HTTP Basic."""
    basic = {"Authorization": "Basic a2x5eDpzZWNyZXQ="}
    client = api.new_client()
    assert send(client, ("a.csv", GOOD_CSV), headers=basic).status_code == 200
    assert client.get("/api/verify_symbols", headers=basic).status_code == 200
    assert client.post("/api/process", headers=basic).status_code == 202
    assert client.get("/api/chat/threads", headers=basic).status_code == client.get("/api/chat/threads").status_code
    assert client.get("/api/auth/me", headers=basic).status_code == 401
    assert client.cookies


@pytest.mark.parametrize("header", [None, "Bearer null", "Basic a2x5eDpzZWNyZXQ="])
def test_asking_without_a_token_who_one_is_keeps_the_cookie(api: Api, header: str | None) -> None:
    user = api.register()
    assert user.client.get("/api/auth/me", headers={"Authorization": header} if header else {}).status_code == 401
    assert user.client.cookies
    assert open_sessions(api) == 1


def assert_knows(answer: requests.Response, user: RegisteredUser) -> None:
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["user"]["id"] == user.user_id


@pytest.mark.parametrize("failure", [DatabaseUnavailable(), OperationalError("", None, Exception("disk full"))])
def test_a_cookie_that_cannot_be_kept_signs_nobody_out(
    api: Api, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    user = api.register()

    def fail(*_: object) -> None:
        raise failure

    with monkeypatch.context() as broken:
        broken.setattr(views, "bind_cookie_to_user", fail)
        broken.setattr(views, "drop_cookie_of_user", fail)
        answer = api.get("/api/auth/me", headers=user.headers)
        assert api.get("/api/auth/me", headers={"Authorization": INVALID}).status_code == 401
    assert_knows(answer, user)
    assert "Set-Cookie" not in answer.headers
    assert "Set-Cookie" in api.get("/api/auth/me", headers=user.headers).headers


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_database_busy_with_another_writer_signs_nobody_out(api: Api) -> None:
    user = api.register()
    with api.runtime.database.begin() as session:
        session.execute(select(1))  # on SQLite enough to be the one who writes
        assert_knows(api.get("/api/auth/me", headers=user.headers), user)


def test_only_the_newest_cookies_of_a_user_stay(api: Api) -> None:
    user, other = api.register(), api.register()
    for _ in range(23):
        client = api.new_client()
        assert_knows(client.get("/api/auth/me", headers=user.headers), user)
    assert open_sessions(api) == 20 + 1
    for newest in (client, other.client):
        assert send(newest, ("a.csv", GOOD_CSV)).status_code == 200
        assert "Set-Cookie" not in newest.get("/api/verify_symbols").headers
    assert open_sessions(api) == 20 + 1
