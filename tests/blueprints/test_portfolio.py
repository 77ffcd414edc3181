from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import delete

from klyx.database.models import User
from klyx.database.models.portfolio import PortfolioEntry
from klyx.services.portfolio import MAX_HOLDINGS
from tests.api import Api, RegisteredUser

CALLS = (
    ("GET", "/api/portfolio"),
    ("POST", "/api/portfolio/add"),
    ("POST", "/api/portfolio/remove"),
    ("POST", "/api/portfolio/clear"),
    ("POST", "/api/database/migrate_portfolio"),
)
ODD_BODIES = (
    b"{}",
    b"[]",
    b"null",
    b"{",
    b'"Reliance"',
    b'{"stock_name": null}',
    b'{"stock_name": 5}',
    b'{"stock_name": true}',
    b'{"stock_name": ["Reliance"]}',
    b'{"stock_name": {"name": "Reliance"}}',
    b'{"stock_name": "a\\u0000b"}',
    b'{"stock_name": "\\ud800"}',
    b'{"stock_name": "\xff"}',
    b'{"name": "Reliance"}',
)


def names(user: RegisteredUser) -> list[str]:
    answer = user.client.get("/api/portfolio", headers=user.headers)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    assert data["count"] == len(data["stock_names"])
    return list(data["stock_names"])


def add(user: RegisteredUser, stock_name: str) -> int:
    answer = user.client.post("/api/portfolio/add", json={"stock_name": stock_name}, headers=user.headers)
    assert answer.json()["status"] == ("success" if answer.ok else "error")
    assert answer.json()["message"]
    return answer.status_code


def remove(user: RegisteredUser, stock_name: str) -> int:
    answer = user.client.post("/api/portfolio/remove", json={"stock_name": stock_name}, headers=user.headers)
    assert answer.json()["status"] == ("success" if answer.ok else "error")
    assert answer.json()["message"]
    return answer.status_code


def test_users_never_touch_each_others_portfolios(api: Api) -> None:
    asha, ravi = api.register(), api.register()
    assert add(asha, "Reliance Industries Ltd.") == 200
    assert add(asha, "Infosys Ltd.") == 200
    assert names(ravi) == []
    assert remove(ravi, "Infosys Ltd.") == 404
    assert add(ravi, "Infosys Ltd.") == 200
    assert ravi.client.post("/api/portfolio/clear", headers=ravi.headers).status_code == 200
    assert ravi.client.post("/api/database/migrate_portfolio", headers=ravi.headers).status_code == 200
    assert names(ravi) == []
    assert names(asha) == ["Reliance Industries Ltd.", "Infosys Ltd."]


def test_every_call_needs_a_user(api: Api) -> None:
    user = api.register()
    tokens = ("Bearer null", "Bearer undefined", "Bearer", "Bearer abc.def.ghi", f"Bearer {user.refresh_token}")
    for method, path in CALLS:
        for header in (None, *tokens):
            headers = {} if header is None else {"Authorization": header}
            answer = api.new_client().request(method, path, headers=headers)
            assert answer.status_code == 401, (method, path, header)
            assert answer.json()["status"] == "error"
            assert answer.json()["message"]


def test_the_cookie_is_no_substitute_for_the_token(api: Api) -> None:
    user = api.register()
    assert "klyx_workspace" in user.client.cookies
    assert user.client.get("/api/portfolio").status_code == 401


def test_names_come_back_byte_for_byte_oldest_first(api: Api) -> None:
    user = api.register()
    kept = [
        "M&M",
        " Trailing and leading  ",
        "reliance industries ltd.",
        "Reliance Industries Ltd.",
        "Divi's Laboratories (India), Ltd.",
        "Café",  # composed and
        "Cafe\u0301",  # decomposed
        "% _ \\ ' \" ; --",
        "भारत 🚀",
        "x" * 255,
        "🚀" * 255,
    ]
    for name in kept:
        assert add(user, name) == 200
    assert names(user) == kept
    for name in kept[::2]:
        assert remove(user, name) == 200
    assert names(user) == kept[1::2]


def test_removal_is_exact(api: Api) -> None:
    user = api.register()
    add(user, "Infosys Ltd.")
    for name in ("infosys ltd.", "Infosys Ltd. ", "Infosys", "%", "", "x" * 10_000):
        assert remove(user, name) == 404, name
    assert names(user) == ["Infosys Ltd."]


def test_adding_twice_is_success_and_one_entry(api: Api) -> None:
    user = api.register()
    assert add(user, "Infosys Ltd.") == 200
    assert add(user, "Infosys Ltd.") == 200
    assert names(user) == ["Infosys Ltd."]


def test_simultaneous_additions_make_one_entry(api: Api) -> None:
    user = api.register()

    def add_one(_: int) -> int:
        body = {"stock_name": "Infosys Ltd."}
        return api.new_client().post("/api/portfolio/add", json=body, headers=user.headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(add_one, range(16))) == [200] * 16
    assert names(user) == ["Infosys Ltd."]


def test_bad_names_are_refused(api: Api) -> None:
    user = api.register()
    for name in ("", "   ", "\t\n", "a\nb", "a\x07b", "a\x7fb", "a\u2028b", "x" * 256, "<script>alert(1)</script>"):
        assert add(user, name) == 400, name
    assert names(user) == []


def test_odd_bodies_are_a_400(api: Api) -> None:
    user = api.register()
    headers = {**user.headers, "Content-Type": "application/json"}
    for path in ("/api/portfolio/add", "/api/portfolio/remove"):
        for body in (b"", *ODD_BODIES):
            answer = user.client.post(path, data=body, headers=headers)
            assert answer.status_code == 400, (path, body)
            assert answer.json()["status"] == "error"
            assert answer.json()["message"]


def test_clear_and_repair_need_no_body(api: Api) -> None:
    user = api.register()
    add(user, "Infosys Ltd.")
    for path in ("/api/database/migrate_portfolio", "/api/portfolio/clear"):
        for headers in (user.headers, {**user.headers, "Content-Type": "application/json"}):
            answer = user.client.post(path, headers=headers)
            assert answer.status_code == 200
            assert answer.json()["status"] == "success"
            assert answer.json()["message"]
        assert names(user) == ([] if path.endswith("clear") else ["Infosys Ltd."])


def test_repair_drops_empty_entries_of_the_caller_only(api: Api) -> None:
    asha, ravi = api.register(), api.register()
    with api.runtime.database.begin() as session:
        for user in (asha, ravi):
            for name in ("", " \t", "Infosys Ltd."):
                session.add(PortfolioEntry(user_id=user.user_id, stock_name=name))
    for _ in range(2):
        answer = asha.client.post("/api/database/migrate_portfolio", headers=asha.headers)
        assert answer.status_code == 200
    assert names(asha) == ["Infosys Ltd."]
    assert set(names(ravi)) == {"", " \t", "Infosys Ltd."}


def test_full_portfolio_refuses_more_but_not_what_it_has(api: Api) -> None:
    user = api.register()
    with api.runtime.database.begin() as session:
        for number in range(MAX_HOLDINGS):
            session.add(PortfolioEntry(user_id=user.user_id, stock_name=f"Company {number}"))
    assert add(user, "One too many") == 400
    assert add(user, "Company 7") == 200
    # A client shows the portfolio with one request.
    assert api.post("/api/database/stocks/batch", json={"stock_names": names(user)}).status_code == 200


def test_token_of_a_deleted_account_is_a_401(api: Api) -> None:
    user = api.register()
    with api.runtime.database.begin() as session:
        session.execute(delete(User).where(User.id == user.user_id))
    assert add(user, "Infosys Ltd.") == 401


def test_specification_says_who_may_call(api: Api) -> None:
    paths = api.get("/api/openapi.json").json()["paths"]
    for method, path in CALLS:
        assert paths[path][method.lower()]["security"] == [{"bearer": []}]
    body = paths["/api/portfolio/add"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/StockName"}
