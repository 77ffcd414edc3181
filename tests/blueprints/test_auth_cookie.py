"""How long the workspace cookie outlives a login: not at all."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

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
