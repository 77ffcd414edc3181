"""What holds for every endpoint: envelope, headers, CORS, versions, request ids, limits."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from flask import Flask

from klyx import create_app
from klyx.config import Settings
from tests.api import Api, serve

REPOSITORY = Path(__file__).parent.parent
MEGABYTE = 1024 * 1024
FORWARDED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize("path", ["/api/health", "/health", "/api/v1/health"])
def test_health(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/v1/nothing", 404),
        ("DELETE", "/api/auth/login", 405),
        ("GET", "/api/auth/login", 405),
        ("GET", "/api/debug/portfolio", 404),
        ("GET", "/api//health", 404),
        ("GET", "/api/health/", 404),
    ],
)
def test_errors_are_the_envelope(api: Api, method: str, path: str, code: int) -> None:
    answer = api.request(method, path)
    assert answer.status_code == code
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["status"] == "error"
    assert answer.json()["message"]
    if code == 405:
        assert "POST" in answer.headers["Allow"]


def test_wrong_content_type_is_415(api: Api) -> None:
    answer = api.post("/api/auth/login", data=b"<x/>", headers={"Content-Type": "application/xml"})
    assert answer.status_code == 415
    assert answer.json()["status"] == "error"


@pytest.mark.parametrize("excess_bytes", [1, MEGABYTE])
@pytest.mark.parametrize("path", ["/api/auth/login", "/api/screener/filter", "/api/debt-optimizer/scenarios"])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_too_large_a_json_body_is_413(api: Api, path: str, excess_bytes: int, *, is_chunked: bool) -> None:
    body = (b"[" + b"{}," * MEGABYTE)[: MEGABYTE + excess_bytes]
    headers = {"Content-Type": "application/json", **api.register().headers}
    answer = api.post(path, data=iter([body]) if is_chunked else body, headers=headers)
    assert answer.status_code == 413
    assert answer.json() == {
        "status": "error",
        "message": "The request is larger than 1 MB. Please send less at once.",
    }


def test_a_json_body_of_a_megabyte_is_read(api: Api) -> None:
    user = api.register()
    body = json.dumps({"email": user.email, "password": "correct horse", "x": ""}).encode()
    body = body[:-2] + b"x" * (MEGABYTE - len(body)) + body[-2:]
    assert len(body) == MEGABYTE
    assert api.post("/api/auth/login", data=body).status_code == 200


def test_a_login_is_parsed_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    user = api.register()
    parsed: list[bytes] = []

    def loads(body: bytes) -> object:
        parsed.append(body)
        return json.loads(body)

    monkeypatch.setattr("klyx.openapi.orjson.loads", loads)
    credentials = {"email": user.email, "password": "correct horse"}
    assert api.post("/api/auth/login", json=credentials).status_code == 200
    assert len(parsed) == 1


@pytest.mark.parametrize("path", ["/api/health?x=%00", "/api/%00"])
def test_nul_in_the_address_is_400(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"


@pytest.mark.parametrize("depth", [1, 400, 1000])
@pytest.mark.parametrize("path", ["/api/auth/login", "/api/screener/filter", "/api/portfolio/add"])
def test_nul_in_a_body_is_400_however_deep_it_lies(api: Api, path: str, depth: int) -> None:
    headers = {"Content-Type": "application/json", **api.register().headers}
    for opening, closing in ((b'{"a":', b"}"), (b"[", b"]")):
        body = b'{"x":' + opening * depth + b'"\\u0000"' + closing * depth + b"}"
        answer = api.post(path, data=body, headers=headers)
        assert answer.status_code == 400
        assert "NUL" in answer.json()["message"]
    key = api.post(path, data=b'{"x": [{"\\u0000": 1}]}', headers=headers)
    assert key.status_code == 400


def test_unexpected_errors_tell_nothing_but_the_request_id(
    app_settings: Settings, fresh_app: Callable[[Settings], Flask]
) -> None:
    app = fresh_app(app_settings)

    def fail() -> str:
        raise RuntimeError("the password is hunter2")

    app.add_url_rule("/api/fail", "fail", fail)
    with serve(app) as url:
        answer = requests.get(
            f"{url}/api/fail", headers={"X-Request-ID": "abc-12345", "Origin": "http://localhost:3000"}
        )
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.json()["request_id"] == "abc-12345"
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


def test_database_down_is_503_with_retry_after(app_settings: Settings, fresh_app: Callable[[Settings], Flask]) -> None:
    settings = dataclasses.replace(app_settings, postgres_url="postgresql://u:p@127.0.0.1:1/none", use_sqlite=False)
    with serve(fresh_app(settings)) as url:
        answer = requests.post(f"{url}/api/auth/login", json={"email": "a@example.org", "password": "123456"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.json()["status"] == "error"


def test_security_headers(api: Api) -> None:
    headers = api.get("/api/health").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-XSS-Protection"] == "1; mode=block"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Strict-Transport-Security" not in headers


def test_production_redirects_to_https_and_sends_hsts(
    app_settings: Settings, fresh_app: Callable[[Settings], Flask]
) -> None:
    settings = dataclasses.replace(app_settings, environment="production", trusted_proxy_count=1)
    with serve(fresh_app(settings)) as url:
        plain = requests.get(f"{url}/api/auth/me", allow_redirects=False)
        secure = requests.get(f"{url}/api/auth/me", headers=FORWARDED)
        health = requests.get(f"{url}/api/health", allow_redirects=False)
    assert plain.status_code in (301, 302)
    assert plain.headers["Location"].startswith("https://")
    assert secure.status_code == 401
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert health.status_code == 200


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://projectklyx.vercel.app"])
def test_preflight_of_known_origins(api: Api, origin: str) -> None:
    answer = api.request(
        "OPTIONS",
        "/api/auth/login",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        },
    )
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in allowed
    assert "content-type" in allowed
    assert {"PUT", "PATCH", "DELETE"} <= set(re.split(r",\s*", answer.headers["Access-Control-Allow-Methods"]))


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3002",
        "https://projectklyx.vercel.app.evil.example",
        "https://x-projectklyx.vercel.app",
        "null",
    ],
)
def test_unknown_origins_get_nothing(api: Api, origin: str) -> None:
    answer = api.get("/api/health", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_preview_pattern_is_anchored(app_settings: Settings, fresh_app: Callable[[Settings], Flask]) -> None:
    settings = dataclasses.replace(app_settings, cors_preview_origin_pattern=r"https://klyx-[a-z0-9]+\.vercel\.app")
    with serve(fresh_app(settings)) as url:
        good = requests.get(f"{url}/api/health", headers={"Origin": "https://klyx-abc1.vercel.app"})
        bad = requests.get(f"{url}/api/health", headers={"Origin": "https://klyx-abc1.vercel.app.evil.example"})
    assert good.headers["Access-Control-Allow-Origin"] == "https://klyx-abc1.vercel.app"
    assert "Access-Control-Allow-Origin" not in bad.headers


@pytest.mark.parametrize("code", [400, 401, 404, 405])
def test_error_answers_carry_cors(api: Api, code: int) -> None:
    path, method = {
        400: ("/api/auth/login", "POST"),
        401: ("/api/auth/me", "GET"),
        404: ("/api/nothing", "GET"),
        405: ("/api/auth/login", "GET"),
    }[code]
    answer = api.request(method, path, headers={"Origin": "http://localhost:3000"})
    assert answer.status_code == code
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


def test_request_ids(api: Api) -> None:
    assert api.get("/api/health", headers={"X-Request-ID": "abcdef-1234"}).headers["X-Request-ID"] == "abcdef-1234"
    for bad in ("short", "x" * 200, "semi;colon-12345", "new line-123456"):
        returned = api.get("/api/health", headers={"X-Request-ID": bad}).headers["X-Request-ID"]
        assert re.fullmatch(r"[0-9a-f]{32}", returned)


def test_log_lines_are_json_with_the_request_id_and_nothing_personal(
    capfd: pytest.CaptureFixture[str], api: Api
) -> None:
    api.post(
        "/api/auth/login?email=priya@example.org",
        json={"email": "priya@example.org", "password": "hunter2-hunter2"},
        headers={"X-Request-ID": "find-me-123"},
    )
    lines = [line for line in capfd.readouterr().err.splitlines() if "find-me-123" in line]
    entry = json.loads(lines[-1])
    assert entry["route"] == "/api/auth/login"
    assert entry["status"] == 401
    assert entry["request_id"] == "find-me-123"
    assert "priya" not in "".join(lines)
    assert "hunter2" not in "".join(lines)


def test_forwarded_addresses_count_only_behind_configured_proxies(
    app_settings: Settings, fresh_app: Callable[[Settings], Flask]
) -> None:
    def tries(proxies: int) -> list[int]:
        settings = dataclasses.replace(
            app_settings,
            trusted_proxy_count=proxies,
            rate_limit_register="2 per hour",
            rate_limit_storage_url="memory://",
        )
        with serve(fresh_app(settings)) as url:
            return [
                requests.post(f"{url}/api/auth/register", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code
                for n in range(4)
            ]

    assert tries(0) == [400, 400, 429, 429]
    assert tries(1) == [400, 400, 400, 400]


def test_login_is_limited_per_account(app_settings: Settings, fresh_app: Callable[[Settings], Flask]) -> None:
    settings = dataclasses.replace(app_settings, rate_limit_login="3 per hour", rate_limits_enabled=True)
    with serve(fresh_app(settings)) as url:

        def login(email: str) -> requests.Response:
            return requests.post(f"{url}/api/auth/login", json={"email": email, "password": "wrong-one"})

        codes = [login("Victim@example.org ").status_code for _ in range(4)]
        refused = login("victim@example.org")
        other = login("other@example.org")
    assert codes == [401, 401, 401, 429]
    assert refused.json()["status"] == "error"
    assert int(refused.headers["Retry-After"]) > 0
    assert other.status_code == 401


@pytest.mark.parametrize("failure", [{"password": "wrong-one"}, {"password": None}])
def test_failed_logins_lock_an_account_for_their_own_address_only(
    app_settings: Settings, fresh_app: Callable[[Settings], Flask], failure: dict[str, str | None]
) -> None:
    settings = dataclasses.replace(app_settings, rate_limit_login="3 per hour", trusted_proxy_count=1)
    app = fresh_app(settings)
    with serve(app) as url, Api(url, app) as api:
        user = api.register()

        def login(address: str, **change: str | None) -> int:
            credentials = {"email": user.email, "password": "correct horse", **change}
            return api.post("/api/auth/login", json=credentials, headers={"X-Forwarded-For": address}).status_code

        refused = {login("198.51.100.1", **failure) for _ in range(3)}
        assert refused <= {400, 401}
        assert login("198.51.100.1") == 429
        assert login("198.51.100.2") == 200


@pytest.mark.parametrize(("strict", "wide"), [("2 per hour", "90 per hour"), ("90 per hour", "2 per hour")])
def test_logins_that_succeed_are_not_counted_as_failures(
    app_settings: Settings, fresh_app: Callable[[Settings], Flask], strict: str, wide: str
) -> None:
    settings = dataclasses.replace(app_settings, rate_limit_login=strict, rate_limit_login_address=wide)
    app = fresh_app(settings)
    with serve(app) as url, Api(url, app) as api:
        user = api.register()

        def login(password: str) -> int:
            return api.post("/api/auth/login", json={"email": user.email, "password": password}).status_code

        assert [login("correct horse") for _ in range(4)] == [200] * 4
        assert [login("wrong-one") for _ in range(3)] == [401, 401, 429]


def test_an_account_has_a_wide_limit_for_all_addresses(
    app_settings: Settings, fresh_app: Callable[[Settings], Flask]
) -> None:
    settings = dataclasses.replace(app_settings, rate_limit_login_account="4 per hour", trusted_proxy_count=1)
    with serve(fresh_app(settings)) as url:
        codes = [
            requests.post(
                f"{url}/api/auth/login",
                json={"email": "victim@example.org", "password": "wrong-one"},
                headers={"X-Forwarded-For": f"198.51.100.{number}"},
            ).status_code
            for number in range(5)
        ]
    assert codes == [401, 401, 401, 401, 429]


def test_limits_hold_without_redis(app_settings: Settings, fresh_app: Callable[[Settings], Flask]) -> None:
    settings = dataclasses.replace(app_settings, redis_url="redis://127.0.0.1:1/0", rate_limit_default="5 per minute")
    with serve(fresh_app(settings)) as url:
        codes = [requests.get(f"{url}/api/openapi.json").status_code for _ in range(8)]
    assert codes[:4] == [200] * 4
    assert 429 in codes
    assert not {500, 503} & set(codes)


def test_me_and_health_are_never_limited(app_settings: Settings, fresh_app: Callable[[Settings], Flask]) -> None:
    settings = dataclasses.replace(app_settings, rate_limit_default="2 per hour", rate_limit_storage_url="memory://")
    with serve(fresh_app(settings)) as url:
        assert {requests.get(f"{url}/api/auth/me").status_code for _ in range(6)} == {401}
        assert {requests.get(f"{url}/api/health").status_code for _ in range(6)} == {200}


def test_home_is_a_page_for_people_and_json_for_programs(api: Api) -> None:
    page = api.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert 'href="/api/docs"' in page.text
    program = api.get("/")
    assert program.json()["documentation"] == "/api/docs"


def test_documentation_needs_nothing_from_elsewhere(api: Api) -> None:
    page = api.get("/api/docs")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    for source in sources:
        assert source.startswith("/")
        assert api.get(source).status_code == 200


def test_specification_covers_the_route_table(api: Api) -> None:
    specification = api.get("/api/openapi.json").json()
    assert specification["openapi"].startswith("3.1")
    documented = {
        (method.upper(), path) for path, operations in specification["paths"].items() for method in operations
    }
    app = create_app(api.runtime.settings)
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and rule.endpoint.split(".")[0] not in ("api-docs", "docs_asset"):
            path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                assert (method, path) in documented


def test_nothing_happens_at_import(tmp_path: Path) -> None:
    code = (
        "import importlib, os, pkgutil, sys, threading\n"
        "sys.path.insert(0, os.environ['REPOSITORY'])\n"
        "for package in ('klyx', 'jobs'):\n"
        "    found = importlib.import_module(package)\n"
        "    for module in pkgutil.walk_packages(found.__path__, package + '.'):\n"
        "        if not module.name.endswith('__main__') and not module.name.endswith('child'):\n"
        "            importlib.import_module(module.name)\n"
        "sys.exit(threading.active_count() != 1 or os.listdir('.') != [])\n"
    )
    environ = {"PATH": "", "REPOSITORY": str(REPOSITORY), "FLASK_ENV": "nonsense"}
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, check=False, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr


def test_only_refusals_say_when_to_come_back(api: Api) -> None:
    answer = api.get("/api/openapi.json")
    assert answer.status_code == 200
    assert "Retry-After" not in answer.headers


def test_limits_turned_off_let_every_request_through(
    app_settings: Settings, fresh_app: Callable[[Settings], Flask]
) -> None:
    settings = dataclasses.replace(app_settings, rate_limits_enabled=False, rate_limit_register="1 per hour")
    with serve(fresh_app(settings)) as url:
        codes = [requests.post(f"{url}/api/auth/register", json={}).status_code for _ in range(3)]
    assert codes == [400, 400, 400]
