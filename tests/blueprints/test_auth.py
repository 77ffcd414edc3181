from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jwt
import pytest
from sqlalchemy import delete

from klyx.blueprints import auth as views
from klyx.database import DatabaseUnavailable
from klyx.database.models import User
from tests.api import Api, RegisteredUser

PASSWORD = "secret-enough"


def test_register_answers_tokens_and_the_user(api: Api) -> None:
    answer = api.post(
        "/api/auth/register", json={"email": "  Asha@Example.org ", "password": PASSWORD, "name": " Asha "}
    )
    assert answer.status_code == 201
    body = answer.json()
    assert body["status"] == "success"
    assert body["data"]["user"]["email"] == "asha@example.org"
    assert body["data"]["user"]["name"] == "Asha"
    assert body["data"]["user"]["created_at"].endswith("Z")
    assert set(body["data"]) == {"user", "access_token", "refresh_token"}
    claims = jwt.decode(body["data"]["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["type"], claims["email"], claims["name"]) == (
        body["data"]["user"]["id"],
        "access",
        "asha@example.org",
        "Asha",
    )
    assert claims["exp"] - claims["iat"] == 12 * 3600


def test_registering_twice_is_a_conflict(api: Api) -> None:
    user = api.register()
    answer = api.post("/api/auth/register", json={"email": user.email.upper(), "password": PASSWORD, "name": "Other"})
    assert answer.status_code == 409
    assert "sign in" in answer.json()["message"]


def test_simultaneous_registrations_make_one_account(api: Api) -> None:
    body = {"email": "race@example.org", "password": PASSWORD, "name": "Race"}
    with ThreadPoolExecutor(6) as pool:
        codes = sorted(pool.map(lambda _: api.new_client().post("/api/auth/register", json=body).status_code, range(6)))
    assert codes == [201, 409, 409, 409, 409, 409]


@pytest.mark.parametrize(
    "change",
    [
        {"email": "not-an-address"},
        {"email": None},
        {"email": 5},
        {"email": ["a@example.org"]},
        {"email": "a" * 120 + "@example.org"},
        {"password": "five5"},
        {"password": "x" * 73},
        {"password": "₹" * 25},
        {"password": 123456},
        {"name": "   "},
        {"name": "x" * 101},
        {"name": {"first": "A"}},
        {"name": "a\x00b"},
    ],
)
def test_register_refuses_bad_input(api: Api, change: dict[str, object]) -> None:
    answer = api.post(
        "/api/auth/register", json={"email": "a@example.org", "password": PASSWORD, "name": "A", **change}
    )
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"
    assert answer.json()["message"]


@pytest.mark.parametrize("password", ["sixsix", "x" * 72, "₹" * 24])
def test_passwords_at_the_limits_work(api: Api, password: str) -> None:
    user = api.register(password=password)
    answer = api.post("/api/auth/login", json={"email": user.email, "password": password})
    assert answer.status_code == 200


def test_login(api: Api) -> None:
    user = api.register(password=PASSWORD)
    answer = api.post("/api/auth/login", json={"email": f" {user.email.upper()} ", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json()["data"]["user"]["id"] == user.user_id


def test_wrong_password_and_unknown_account_look_the_same(api: Api) -> None:
    user = api.register(password=PASSWORD)
    wrong = api.post("/api/auth/login", json={"email": user.email, "password": PASSWORD + "x"})
    unknown = api.post("/api/auth/login", json={"email": "nobody@example.org", "password": PASSWORD})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


def test_a_longer_password_with_the_right_start_is_wrong(api: Api) -> None:
    user = api.register(password="x" * 72)
    answer = api.post("/api/auth/login", json={"email": user.email, "password": "x" * 73})
    assert answer.status_code == 401


def test_me(api: Api) -> None:
    user = api.register()
    answer = api.get("/api/auth/me", headers=user.headers)
    assert answer.status_code == 200
    assert answer.json()["data"]["user"]["id"] == user.user_id


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer ", "Bearer null", "Bearer undefined", "bearer NULL", "Basic dXNlcjpwYXNz", ", ,"]
)
def test_nobody_is_asked_to_sign_in(api: Api, header: str | None) -> None:
    answer = api.get("/api/auth/me", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.json() == {"status": "error", "message": "Please sign in to continue."}


@pytest.mark.parametrize("token", ["x", "a.b.c", "null.null.null", "Bearer", "é", "a b", "." * 5000])
def test_malformed_tokens_are_401(api: Api, token: str) -> None:
    answer = api.get("/api/auth/me", headers={"Authorization": f"Bearer {token}".encode()})
    assert answer.status_code == 401
    assert answer.json()["status"] == "error"


@pytest.mark.parametrize("header", [", ,", ",", ",,,, ,", "Bearer,", "Bearer , ,", "Bearer\ta.b.c"])
def test_any_authorization_header_gets_an_answer(api: Api, header: str) -> None:
    for method, path in (("GET", "/api/auth/me"), ("POST", "/api/auth/logout"), ("POST", "/api/auth/refresh")):
        answer = api.request(method, path, headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer.json()["status"] == "error"
    assert api.get("/api/database/stats", headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR ", "Bearer\t"])
def test_the_scheme_is_known_in_any_spelling(api: Api, scheme: str) -> None:
    user = api.register()
    answer = api.get("/api/auth/me", headers={"Authorization": f"{scheme} {user.access_token}"})
    assert answer.status_code == 200
    assert answer.json()["data"]["user"]["id"] == user.user_id


def test_forged_and_expired_tokens_are_401(api: Api) -> None:
    user = api.register()
    claims = jwt.decode(user.access_token, options={"verify_signature": False})
    secret = api.runtime.settings.jwt_secret_key
    forged = jwt.encode(claims, "y" * 40, "HS256")
    unsigned = jwt.encode(claims, None, "none")
    expired = jwt.encode({**claims, "exp": claims["iat"] - timedelta(hours=1).seconds}, secret, "HS256")
    without_family = jwt.encode({k: v for k, v in claims.items() if k != "family"}, secret, "HS256")
    for token in (forged, unsigned, expired, without_family):
        assert api.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_refresh_token_is_no_access_token(api: Api) -> None:
    user = api.register()
    headers = {"Authorization": f"Bearer {user.refresh_token}"}
    assert api.get("/api/auth/me", headers=headers).status_code == 401
    assert api.post("/api/auth/refresh", headers=user.headers).status_code == 401


def test_me_of_a_deleted_account_is_404(api: Api) -> None:
    user = api.register()
    with api.runtime.database.begin() as session:
        session.execute(delete(User).where(User.id == user.user_id))
    assert api.get("/api/auth/me", headers=user.headers).status_code == 404


def test_logout_ends_both_tokens(api: Api) -> None:
    user = api.register()
    assert api.post("/api/auth/logout", headers=user.headers).status_code == 200
    assert api.get("/api/auth/me", headers=user.headers).status_code == 401
    assert api.post("/api/auth/logout", headers=user.headers).status_code == 401
    refresh = {"Authorization": f"Bearer {user.refresh_token}"}
    assert api.post("/api/auth/refresh", headers=refresh).status_code == 401


def refreshed(api: Api, user: RegisteredUser) -> int:
    return api.post("/api/auth/refresh", headers={"Authorization": f"Bearer {user.refresh_token}"}).status_code


def test_logout_with_an_expired_token_ends_the_refresh_token(api: Api) -> None:
    user = api.register()
    other = api.register()
    claims = jwt.decode(user.access_token, options={"verify_signature": False})
    secret = api.runtime.settings.jwt_secret_key
    expired = jwt.encode({**claims, "exp": claims["iat"] - 1}, secret, "HS256")
    answer = api.post("/api/auth/logout", headers={"Authorization": f"Bearer {expired}"})
    assert answer.status_code == 401
    assert refreshed(api, user) == 401
    assert refreshed(api, other) == 200


@pytest.mark.parametrize("change", [{"key": "y" * 40}, {"type": "refresh"}, {"family": None}])
def test_logout_with_an_expired_token_that_is_no_access_token_of_ours_ends_nothing(
    api: Api, change: dict[str, str | None]
) -> None:
    user = api.register()
    claims = jwt.decode(user.access_token, options={"verify_signature": False})
    claims |= {"exp": claims["iat"] - 1, **change}
    key = claims.pop("key", api.runtime.settings.jwt_secret_key)
    forged = jwt.encode({name: value for name, value in claims.items() if value is not None}, key, "HS256")
    answer = api.post("/api/auth/logout", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 401
    assert refreshed(api, user) == 200


def test_logout_ends_only_its_own_login(api: Api) -> None:
    user = api.register(password=PASSWORD)
    other = api.new_client().post("/api/auth/login", json={"email": user.email, "password": PASSWORD}).json()["data"]
    api.post("/api/auth/logout", headers=user.headers)
    assert api.get("/api/auth/me", headers={"Authorization": f"Bearer {other['access_token']}"}).status_code == 200


def test_refresh_rotates(api: Api) -> None:
    user = api.register()
    first = api.post("/api/auth/refresh", headers={"Authorization": f"Bearer {user.refresh_token}"})
    assert first.status_code == 200
    tokens = first.json()["data"]
    assert set(tokens) == {"access_token", "refresh_token"}
    assert api.get("/api/auth/me", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 200
    second = api.post("/api/auth/refresh", headers={"Authorization": f"Bearer {tokens['refresh_token']}"})
    assert second.status_code == 200


def test_using_a_refresh_token_again_ends_the_family(api: Api) -> None:
    user = api.register()
    old = {"Authorization": f"Bearer {user.refresh_token}"}
    tokens = api.post("/api/auth/refresh", headers=old).json()["data"]
    assert api.post("/api/auth/refresh", headers=old).status_code == 401
    assert (
        api.post("/api/auth/refresh", headers={"Authorization": f"Bearer {tokens['refresh_token']}"}).status_code == 401
    )
    assert api.get("/api/auth/me", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 401


def test_a_refresh_token_works_once_even_at_the_same_time(api: Api) -> None:
    user = api.register()
    headers = {"Authorization": f"Bearer {user.refresh_token}"}
    with ThreadPoolExecutor(5) as pool:
        codes = list(
            pool.map(lambda _: api.new_client().post("/api/auth/refresh", headers=headers).status_code, range(5))
        )
    assert codes.count(200) <= 1


@pytest.mark.parametrize("step", ["issue_tokens", "bind_cookie_to_user"])
def test_a_registration_that_failed_half_way_can_be_tried_again(
    api: Api, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    body = {"email": "again@example.org", "password": PASSWORD, "name": "Again"}
    with monkeypatch.context() as broken:
        broken.setattr(views, step, unavailable)
        assert api.post("/api/auth/register", json=body).status_code == 503
    assert api.post("/api/auth/register", json=body).status_code == 201


def test_a_refresh_that_failed_half_way_can_be_tried_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    user = api.register()
    headers = {"Authorization": f"Bearer {user.refresh_token}"}
    with monkeypatch.context() as broken:
        broken.setattr(views, "issue_tokens", unavailable)
        assert api.post("/api/auth/refresh", headers=headers).status_code == 503
    answer = api.post("/api/auth/refresh", headers=headers)
    assert answer.status_code == 200
    renewed = {"Authorization": f"Bearer {answer.json()['data']['access_token']}"}
    assert api.get("/api/auth/me", headers=renewed).status_code == 200


def unavailable(*_: object) -> None:
    raise DatabaseUnavailable


def test_the_cookie_is_bound_and_cleared(api: Api) -> None:
    client = api.new_client()
    answer = client.post("/api/auth/register", json={"email": "c@example.org", "password": PASSWORD, "name": "C"})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/api" in cookie
    headers = {"Authorization": f"Bearer {answer.json()['data']['access_token']}"}
    assert "Set-Cookie" not in client.get("/api/auth/me", headers=headers).headers
    assert "Set-Cookie" in api.new_client().get("/api/auth/me", headers=headers).headers
    client.post("/api/auth/logout", headers=headers)
    assert not client.cookies


def test_the_cookie_is_no_substitute_for_the_token(api: Api) -> None:
    user = api.register()
    assert user.client.cookies
    assert user.client.get("/api/auth/me").status_code == 401
    assert user.client.get("/api/auth/me", headers={"Authorization": "Bearer null"}).status_code == 401


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b'{"email": "\\ud800"}', b"{" * 5000])
def test_broken_bodies_are_400(api: Api, body: bytes) -> None:
    answer = api.post("/api/auth/login", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"
