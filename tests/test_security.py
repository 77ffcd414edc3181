"""Which sites' pages may change something here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import requests
from flask import Flask

from klyx.config import Settings
from tests.api import Api, serve

HOSTILE = "https://hostile.example"
PATHS = (
    "/api/auth/login",
    "/api/v1/auth/login",
    "/api/auth/register",
    "/api/auth/logout",
    "/api/use_sample",
    "/api/upload",
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", [HOSTILE, "null", "", None])
def test_a_form_of_another_site_is_refused_and_touches_no_cookie(api: Api, path: str, origin: str | None) -> None:
    user = api.register()
    sent = {"Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}
    if origin is not None:
        sent["Origin"] = origin
    body = f'{{"email": "{user.email}", "password": "correct horse", "x": "="}}'
    answer = user.client.post(path, data=body, headers=sent)
    assert answer.status_code == 403
    assert answer.json()["status"] == "error"
    assert "Klyx" in answer.json()["message"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Origin": HOSTILE},
        {"Origin": HOSTILE, "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://PROJECTKLYX.vercel.app", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_programs_forwarded_calls_and_our_own_pages_pass(api: Api, sent: dict[str, str]) -> None:
    user = api.register()
    credentials = {"email": user.email, "password": "correct horse"}
    assert api.post("/api/auth/login", json=credentials, headers=sent).status_code == 200


def test_other_sites_may_link_here_and_ask_what_is_allowed(api: Api) -> None:
    sent = {"Origin": HOSTILE, "Sec-Fetch-Site": "cross-site"}
    assert api.get("/api/health", headers=sent).status_code == 200
    assert api.request("OPTIONS", "/api/auth/login", headers=sent).status_code == 200


def test_preview_pages_may_post_as_far_as_their_pattern_goes(
    app_settings: Settings, fresh_app: Callable[[Settings], Flask]
) -> None:
    settings = dataclasses.replace(app_settings, cors_preview_origin_pattern=r"https://klyx-[a-z0-9]+\.vercel\.app")
    with serve(fresh_app(settings)) as url:
        codes = [
            requests.post(f"{url}/api/clear", headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"}).status_code
            for origin in ("https://klyx-abc1.vercel.app", "https://klyx-abc1.vercel.app.evil.example")
        ]
    assert codes == [200, 403]
