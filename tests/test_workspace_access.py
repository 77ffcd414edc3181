"""How long an anonymous workspace can be reached: as long as somebody uses it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from klyx.database.models import Workspace, WorkspaceSession
from klyx.database.types import utc_now
from klyx.errors import Unavailable
from klyx.services import workspaces
from tests.api import Api, Client
from tests.workspaces import GOOD_CSV, analyse, send, start

USES: dict[str, Callable[[Client], object]] = {
    "uploading": lambda client: send(client, ("b.csv", GOOD_CSV)),
    "starting an analysis": start,
    "reading results": lambda client: client.get("/api/results"),
    "asking how an analysis goes": lambda client: client.get("/api/process/status/unknown"),
}


def let_time_pass(api: Api) -> None:
    """A week after the upload, in which the workspace was last used yesterday."""
    with api.runtime.database.begin() as session:
        for workspace in session.scalars(select(Workspace)):
            workspace.last_used_at = utc_now() - timedelta(days=1)
            workspace.expires_at = utc_now() + timedelta(days=6)
        for opened in session.scalars(select(WorkspaceSession)):
            opened.expires_at = utc_now() + timedelta(minutes=1)


def ends(api: Api) -> list[datetime]:
    with api.runtime.database.read() as session:
        return sorted(session.scalars(select(WorkspaceSession.expires_at)))


@pytest.mark.parametrize("use", USES)
def test_using_an_anonymous_workspace_keeps_its_cookie_good(api: Api, use: str) -> None:
    client, other = api.new_client(), api.new_client()
    for one in (client, other):
        send(one, ("a.csv", GOOD_CSV))
    analyse(api, client)
    let_time_pass(api)
    cookie = client.cookies["klyx_workspace"]
    client.cookies.clear()
    client.headers["Cookie"] = f"klyx_workspace={cookie}"
    USES[use](client)
    unused, used = ends(api)
    assert unused < utc_now() + timedelta(minutes=2)
    assert used > utc_now() + timedelta(days=6, hours=23)
    # The browser is told too, with the same session.
    assert client.cookies["klyx_workspace"] == cookie


def test_use_is_written_down_every_few_minutes_only(api: Api) -> None:
    send(api, ("a.csv", GOOD_CSV))
    analyse(api, api)
    let_time_pass(api)
    assert "Set-Cookie" in api.get("/api/results").headers
    written = ends(api)
    assert "Set-Cookie" not in api.get("/api/results").headers
    assert ends(api) == written


def test_results_are_read_where_use_cannot_be_written_down(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    send(api, ("a.csv", GOOD_CSV))
    analyse(api, api)
    let_time_pass(api)

    def fail(*_: object) -> None:
        raise Unavailable("No more writing today.")

    monkeypatch.setattr(workspaces, "touch", fail)
    assert api.get("/api/results").status_code == 200


def test_the_cookie_of_a_user_ends_with_the_login_however_much_it_is_used(api: Api) -> None:
    user = api.register()
    let_time_pass(api)
    user.client.get("/api/results", headers=user.headers)
    with api.runtime.database.read() as session:
        workspace = session.scalars(select(Workspace)).one()
    assert workspace.last_used_at > utc_now() - timedelta(minutes=1)
    assert ends(api)[0] < utc_now() + timedelta(minutes=2)
