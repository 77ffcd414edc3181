from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import delete, func, insert, select, update

from klyx.database.models import ScreenRun, Stock, User, UserScreener
from klyx.services.saved_screens import MAX_SCREENS
from klyx.services.screen_runs import MAX_RUNS_KEPT
from tests.api import Api, RegisteredUser
from tests.stock_rows import add_stock

PREFIX = "/api/screener/saved"
CHEAP = {"filters": [{"field": "pe_ttm", "operator": "lt", "value": 20}]}
CANONICAL = {
    "filters": [{"field": "PE TTM Price to Earnings", "operator": "lt", "value": 20}],
    "logic": "AND",
    "sort_by": "Market Capitalization",
    "sort_order": "desc",
}
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


def call(caller: RegisteredUser | Api, method: str, path: str = "", body: Any = None) -> requests.Response:
    client = caller.client if isinstance(caller, RegisteredUser) else caller
    headers = caller.headers if isinstance(caller, RegisteredUser) else {}
    answer = client.request(method, PREFIX + path, json=body, headers=headers)
    assert answer.json()["status"] == ("success" if answer.ok else "error"), answer.text
    assert answer.ok or answer.json()["message"]
    return answer


def save(user: RegisteredUser, name: str = "Cheap", **others: Any) -> dict[str, Any]:
    answer = call(user, "POST", "", {"name": name, **CHEAP, **others})
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def names(caller: RegisteredUser | Api, query: str = "") -> list[str]:
    return [screen["name"] for screen in call(caller, "GET", query).json()["data"]]


def run(caller: RegisteredUser | Api, path: str) -> dict[str, Any]:
    answer = call(caller, "POST", f"{path}/run")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def changes(user: RegisteredUser, path: str, since: str | None = None) -> dict[str, Any]:
    answer = user.client.get(f"{PREFIX}{path}/changes", params={"since": since}, headers=user.headers)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def codes(stocks: list[dict[str, Any]]) -> list[str]:
    return [stock["nse_code"] for stock in stocks]


def add(api: Api, nse_code: str | None, pe_ttm: float | None, **columns: Any) -> int:
    with api.runtime.database.begin() as session:
        return add_stock(session, f"{nse_code} & Co.", nse_code, pe_ttm=pe_ttm, **columns)


def price(api: Api, pe_by_code: dict[str, float | None]) -> None:
    with api.runtime.database.begin() as session:
        for code, pe_ttm in pe_by_code.items():
            session.execute(update(Stock).where(Stock.nse_code == code).values(pe_ttm=pe_ttm))


def run_count(api: Api) -> int:
    with api.runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(ScreenRun)) or 0


def test_a_private_screen_does_not_exist_for_others(api: Api) -> None:
    asha, ravi = api.register(), api.register()
    screen = save(asha)
    path = f"/{screen['id']}"
    run(asha, path)
    for caller in (ravi, api):
        assert names(caller, "?public=1") == []
        assert call(caller, "GET", path).status_code == 404
        for method in ("GET", "POST"):
            assert call(caller, method, f"{path}/run").status_code == 404
    absent = call(ravi, "GET", "/999999").json()
    calls = (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/changes"), ("POST", "/run"))
    for method, rest in calls:
        answer = call(ravi, method, path + rest, {"name": "Stolen", "is_public": True})
        assert (answer.status_code, answer.json()) == (404, absent)
    assert names(ravi) == []
    assert call(asha, "GET", path).json()["data"]["name"] == "Cheap"


def test_a_public_screen_can_be_read_and_run_but_not_changed_by_others(api: Api) -> None:
    asha, ravi = api.register(), api.register()
    add(api, "M&M", 10)
    screen = save(asha, is_public=True, description="Low price\nfor earnings")
    path = f"/{screen['id']}"
    run(asha, path)
    seen = {**screen, "is_owner": False, "last_run_at": None}
    for caller in (ravi, api):
        assert call(caller, "GET", path).json()["data"] == seen
        assert call(caller, "GET", "?public=1").json()["data"] == [seen]
        data = run(caller, path)
        assert codes_of_rows(data) == ["M&M"]
        assert data["metadata"]["previous_run_at"] is None
    for method, rest in (("PUT", ""), ("DELETE", ""), ("GET", "/changes")):
        assert call(ravi, method, path + rest, {"name": "Stolen"}).status_code == 403
        assert call(api, method, path + rest, {"name": "Stolen"}).status_code == 401
    assert run_count(api) == 1
    assert asha.user_id not in json.dumps(seen)
    assert "user_id" not in seen
    mine = call(asha, "GET", "?public=1").json()["data"]
    assert [(own["is_owner"], own["description"]) for own in mine] == [(True, "Low price\nfor earnings")]
    assert call(asha, "PUT", path, {"is_public": False}).ok
    assert call(ravi, "GET", path).status_code == 404


def codes_of_rows(data: dict[str, Any]) -> list[str]:
    return [row["NSE Code"] for row in data["results"]]


def test_writing_and_the_own_list_need_a_user(api: Api) -> None:
    for method, path in (("POST", ""), ("PUT", "/1"), ("DELETE", "/1"), ("GET", "/1/changes"), ("GET", "")):
        assert call(api, method, path, {"name": "X", **CHEAP}).status_code == 401
        for header in ("Bearer null", "Bearer broken"):
            answer = api.request(method, PREFIX + path, json={}, headers={"Authorization": header})
            assert answer.status_code == 401
    assert api.get(PREFIX, params={"public": 1}, headers={"Authorization": "Bearer null"}).status_code == 200
    assert api.get(PREFIX, params={"public": 1}, headers={"Authorization": "Bearer broken"}).status_code == 401


def test_a_screen_is_stored_in_canonical_form(api: Api) -> None:
    user = api.register()
    screen = save(user, "  Cheap  ")
    assert {name: screen[name] for name in CANONICAL} == CANONICAL
    assert (screen["name"], screen["description"], screen["is_public"]) == ("Cheap", None, False)
    assert (screen["is_owner"], screen["last_run_at"]) == (True, None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", screen["created_at"])
    tree = {"any": [{"field": "ROE Annual %", "operator": "gte", "value": 15}, {"all": CHEAP["filters"]}]}
    nested = save(user, "Nested", filters=tree, sort_by="pe_ttm", sort_order="ASC")
    assert (nested["logic"], nested["sort_order"]) == ("OR", "asc")
    again = save(user, "Again", **{name: nested[name] for name in CANONICAL})
    assert {name: again[name] for name in CANONICAL} == {name: nested[name] for name in CANONICAL}
    assert call(user, "GET", f"/{nested['id']}").json()["data"] == nested


@pytest.mark.parametrize(
    "definition",
    [
        {"filters": None},
        {"filters": []},
        {"filters": "pe_ttm < 20"},
        {"filters": [None]},
        {"filters": [{"field": "password_hash", "operator": "eq", "value": 1}]},
        {"filters": [{"field": "pe_ttm; DROP TABLE stocks", "operator": "lt", "value": 1}]},
        {"filters": [{"field": "pe_ttm", "operator": "LIKE", "value": 1}]},
        {"filters": [{"field": "pe_ttm", "operator": "between", "value": 20}]},
        {"filters": [{"field": "pe_ttm", "operator": "lt", "value": {"$gt": ""}}]},
        {"filters": [{"field": "Sector", "operator": "contains", "value": "<script>"}]},
        {"filters": [{"field": "Sector", "operator": "in", "value": ["Energy", "a>b"]}]},
        {"filters": CHEAP["filters"] * 101},
        {"logic": "XOR"},
        {"sort_by": "1; SELECT"},
        {"sort_order": "sideways"},
        {"name": ""},
        {"name": "  "},
        {"name": 5},
        {"name": None},
        {"name": "x" * 101},
        {"name": "<b>"},
        {"name": "two\u202elines"},
        {"description": 5},
        {"description": "x" * 1001},
        {"description": "<script>"},
        {"is_public": "true"},
        {"is_public": None},
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_hostile_screens_are_a_400(api: Api, definition: dict[str, Any]) -> None:
    user = api.register()
    kept = save(user)
    assert call(user, "POST", "", {"name": "Odd", **CHEAP, **definition}).status_code == 400
    assert call(user, "PUT", f"/{kept['id']}", definition).status_code == 400
    assert call(user, "GET").json()["data"] == [kept]


def test_odd_requests_are_refused(api: Api) -> None:
    user = api.register()
    assert call(user, "POST").status_code == 400
    assert call(user, "POST", "", {"name": "No filters"}).status_code == 400
    for odd in ("0", "-1", "abc", "2147483648", "9" * 30):
        for method, rest in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/run"), ("GET", "/changes")):
            assert call(user, method, f"/{odd}{rest}", {}).status_code == 404, (method, odd)
    path = f"/{save(user)['id']}"
    run(user, path)
    for since in ("yesterday", "2026-13-01", "5", "0001-01-01T00:00:00+23:00", "2026-01-31T09:30:00Zx"):
        answer = user.client.get(f"{PREFIX}{path}/changes", params={"since": since}, headers=user.headers)
        assert answer.status_code == 400, since
    for query in ("limit=x", "offset=x", "public=maybe"):
        assert call(user, "GET", f"?{query}").status_code == 400


def test_names_are_unique_per_user(api: Api) -> None:
    asha, ravi = api.register(), api.register()
    first, second = save(asha, "One"), save(asha, "Two")
    assert call(asha, "POST", "", {"name": " One ", **CHEAP}).status_code == 409
    assert call(asha, "PUT", f"/{second['id']}", {"name": "One"}).status_code == 409
    assert call(asha, "PUT", f"/{first['id']}", {"name": "One"}).status_code == 200
    assert save(asha, "one")["name"] == "one"
    assert save(ravi, "One")["name"] == "One"


def test_two_saves_of_one_name_at_once_make_one_screen(api: Api) -> None:
    user = api.register()

    def create(_: int) -> int:
        return api.new_client().post(PREFIX, json={"name": "Cheap", **CHEAP}, headers=user.headers).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(create, range(6))) == [201, *[409] * 5]
    assert names(user) == ["Cheap"]


def test_a_user_has_at_most_a_hundred_screens(api: Api) -> None:
    user = api.register()
    with api.runtime.database.begin() as session:
        rows = [{"user_id": user.user_id, "name": f"S{n}", "filters": CANONICAL} for n in range(MAX_SCREENS - 1)]
        session.execute(insert(UserScreener), rows)
    last = save(user)
    answer = call(user, "POST", "", {"name": "One too many", **CHEAP})
    assert answer.status_code == 400
    assert str(MAX_SCREENS) in answer.json()["message"]
    body = call(user, "GET").json()
    assert (len(body["data"]), body["total"]) == (MAX_SCREENS, MAX_SCREENS)
    body = call(user, "GET", "?limit=30&offset=90").json()
    assert body["pagination"] == {"limit": 30, "offset": 90, "total": MAX_SCREENS, "has_more": False}
    assert len(body["data"]) == 10
    assert call(user, "DELETE", f"/{last['id']}").ok
    assert save(user, "Fits again")["name"] == "Fits again"


def test_changing_any_part_leaves_the_rest(api: Api) -> None:
    user = api.register()
    screen = save(user, description="Low", logic="OR", sort_by="pe_ttm", sort_order="asc")
    path = f"/{screen['id']}"
    assert call(user, "PUT", path, {"id": 9, "user_id": "x", "is_owner": False}).json()["data"] == screen
    for part in ({"name": "New"}, {"description": None}, {"is_public": True}, {"sort_order": "desc"}):
        changed = call(user, "PUT", path, part).json()["data"]
        screen = {**screen, **part, "updated_at": changed["updated_at"]}
        assert changed == screen
    filters = [{"field": "Day RSI", "operator": "gt", "value": 50}]
    changed = call(user, "PUT", path, {"filters": filters}).json()["data"]
    assert changed == {**screen, "filters": filters, "updated_at": changed["updated_at"]}
    save(user, "Later")
    assert names(user) == ["Later", "New"]
    call(user, "PUT", path, {"description": "touched"})
    assert names(user) == ["New", "Later"]


def test_delete_answers_in_json_and_takes_the_runs_along(api: Api) -> None:
    user = api.register()
    path = f"/{save(user)['id']}"
    run(user, path)
    answer = call(user, "DELETE", path)
    assert answer.status_code == 200
    assert answer.json()["message"]
    assert run_count(api) == 0
    for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/run"), ("GET", "/changes")):
        assert call(user, method, path + rest).status_code == 404


def test_screens_go_with_their_owner(api: Api) -> None:
    user = api.register()
    run(user, f"/{save(user, is_public=True)['id']}")
    with api.runtime.database.begin() as session:
        session.execute(delete(User).where(User.id == user.user_id))
    assert names(api, "?public=1") == []
    assert run_count(api) == 0


def test_a_run_has_the_shape_of_a_preset(api: Api) -> None:
    user = api.register()
    for number in range(1, 6):
        add(api, f"S{number}", 10, market_cap=number * 1e9)
    add(api, "DEAR", 50)
    path = f"/{save(user, description='Low')['id']}"
    for method in ("GET", "POST"):
        body = call(user, method, f"{path}/run").json()
        metadata = body["data"]["metadata"]
        assert (body["results"], body["metadata"]) == (body["data"]["results"], metadata)
        assert codes_of_rows(body["data"]) == ["S5", "S4", "S3", "S2", "S1"]
        assert (metadata["preset_name"], metadata["description"]) == ("Cheap", "Low")
        assert (metadata["total_matches"], metadata["total_stocks"]) == (5, 6)
        assert (metadata["match_rate"], metadata["filters_applied"]) == ("83.3%", 1)
        assert re.fullmatch(MOMENT, metadata["ran_at"])
    page = call(user, "GET", f"{path}/run?limit=2&offset=1&columns=pe_ttm").json()["data"]
    assert codes_of_rows(page) == ["S4", "S3"]
    assert set(page["results"][0]) == {"id", "Stock Name", "NSE Code", "PE TTM Price to Earnings"}
    assert page["metadata"]["total_matches"] == 5
    file = user.client.get(f"{PREFIX}{path}/run?format=csv&columns=pe_ttm&limit=1", headers=user.headers)
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.content.decode("utf-8-sig").splitlines() == [
        "Stock Name,NSE Code,PE TTM Price to Earnings",
        "S5 & Co.,S5,10.0",
    ]
    for odd in ("columns=nonsense", "format=xml", "limit=x"):
        assert call(user, "GET", f"{path}/run?{odd}").status_code == 400


def test_changes_tell_what_entered_and_left_since_a_run(api: Api) -> None:
    user = api.register()
    for code, pe_ttm in (("A", 10), ("B", 15), ("M&M", 30)):
        add(api, code, pe_ttm)
    path = f"/{save(user)['id']}"
    assert call(user, "GET", f"{path}/changes").status_code == 404
    assert "run" in call(user, "GET", f"{path}/changes").json()["message"]
    first = run(user, path)["metadata"]
    assert first["previous_run_at"] is None

    price(api, {"B": 25, "M&M": 12})
    found = changes(user, path)
    assert found["entered"] == [{"nse_code": "M&M", "stock_name": "M&M & Co."}]
    assert found["left"] == [{"nse_code": "B", "stock_name": "B & Co."}]
    assert (found["unchanged_count"], found["since"], found["compared_with"]) == (1, None, first["ran_at"])
    assert first["ran_at"] < found["now"]

    second = run(user, path)["metadata"]
    assert second["previous_run_at"] == first["ran_at"]
    price(api, {"A": None})
    assert (codes(changes(user, path)["entered"]), codes(changes(user, path)["left"])) == ([], ["A"])
    since_first = changes(user, path, first["ran_at"])
    assert (codes(since_first["entered"]), codes(since_first["left"])) == (["M&M"], ["A", "B"])
    assert (since_first["since"], since_first["compared_with"]) == (first["ran_at"], first["ran_at"])
    assert changes(user, path, "9999-12-31")["compared_with"] == second["ran_at"]
    # Nothing is known before the first run, so the first is told.
    assert changes(user, path, "2020-01-01")["compared_with"] == first["ran_at"]
    # Looking at changes is no run.
    assert call(user, "GET", path).json()["data"]["last_run_at"] == second["ran_at"]


def test_since_may_have_any_offset_or_none(api: Api) -> None:
    user = api.register()
    path = f"/{save(user)['id']}"
    ran_at = run(user, path)["metadata"]["ran_at"]
    india = (datetime.fromisoformat(ran_at) + timedelta(hours=5, minutes=30)).replace(tzinfo=None).isoformat()
    for since in (ran_at, ran_at.removesuffix("Z"), f"{india}+05:30", f"{india} 05:30"):
        assert changes(user, path, since)["since"] == ran_at


def test_a_run_of_the_same_stocks_is_stored_once_and_known_as_a_moment(api: Api) -> None:
    user = api.register()
    add(api, "A", 10)
    path = f"/{save(user)['id']}"
    moments = [run(user, path)["metadata"]["ran_at"] for _ in range(4)]
    assert run_count(api) == 1
    price(api, {"A": 30})
    assert run(user, path)["metadata"]["previous_run_at"] == moments[-1]
    assert run_count(api) == 2
    assert changes(user, path, moments[-1])["compared_with"] == moments[-1]
    between = changes(user, path, moments[1])
    assert (between["compared_with"], codes(between["left"])) == (moments[0], ["A"])


def test_runs_of_other_filters_are_never_compared_with(api: Api) -> None:
    user = api.register()
    add(api, "A", 10)
    path = f"/{save(user)['id']}"
    ran_at = run(user, path)["metadata"]["ran_at"]
    assert call(user, "PUT", path, {"sort_by": "pe_ttm", "name": "Sorted"}).ok
    assert changes(user, path)["unchanged_count"] == 1
    assert call(user, "PUT", path, {"filters": [{"field": "pe_ttm", "operator": "gt", "value": 20}]}).ok
    for since in ("", f"?since={ran_at}"):
        answer = call(user, "GET", f"{path}/changes{since}")
        assert answer.status_code == 404
        assert "changed" in answer.json()["message"]
    assert run(user, path)["metadata"]["previous_run_at"] is None
    assert changes(user, path, ran_at)["entered"] == []
    assert call(user, "PUT", path, CHEAP).ok
    assert changes(user, path)["compared_with"] == ran_at


def test_a_deleted_stock_left_under_its_old_symbol(api: Api) -> None:
    user = api.register()
    gone, unlisted = add(api, "GONE", 10), add(api, None, 10)
    add(api, "STAYS", 10)
    path = f"/{save(user)['id']}"
    run(user, path)
    with api.runtime.database.begin() as session:
        session.execute(delete(Stock).where(Stock.id.in_((gone, unlisted))))
    found = changes(user, path)
    assert found["left"] == [
        {"nse_code": None, "stock_name": None},
        {"nse_code": "GONE", "stock_name": None},
    ]
    assert (found["entered"], found["unchanged_count"]) == ([], 1)


def test_only_the_latest_runs_are_kept(api: Api) -> None:
    user = api.register()
    add(api, "A", 10)
    path = f"/{save(user)['id']}"
    other = f"/{save(user, 'Other')['id']}"
    run(user, other)
    moments = []
    for number in range(MAX_RUNS_KEPT + 3):
        price(api, {"A": 10 if number % 2 else 30})
        moments.append(run(user, path)["metadata"]["ran_at"])
    assert run_count(api) == MAX_RUNS_KEPT + 1
    assert changes(user, path, "2020-01-01")["compared_with"] == moments[3]
    assert changes(user, other)["unchanged_count"] == 0


def test_a_screen_whose_field_vanished_says_so(api: Api) -> None:
    user = api.register()
    screen = save(user)
    path = f"/{screen['id']}"
    old = {**CANONICAL, "filters": [{"field": "Old Field", "operator": "lt", "value": 20}]}
    with api.runtime.database.begin() as session:
        session.execute(update(UserScreener).values(filters=old))
    assert call(user, "GET", path).json()["data"]["filters"] == old["filters"]
    for method, rest in (("GET", "/run"), ("GET", "/changes")):
        answer = call(user, method, path + rest)
        assert answer.status_code == 409
        assert "Old Field" in answer.json()["message"]
    assert call(user, "PUT", path, {"name": "Renamed"}).ok
    assert call(user, "PUT", path, CHEAP).ok
    assert run(user, path)["results"] == []


def test_running_editing_and_deleting_at_once_is_no_error(api: Api) -> None:
    user = api.register()
    add(api, "A", 10)
    path = f"/{save(user)['id']}"

    def act(number: int) -> int:
        client = api.new_client()
        if number == 25:
            return client.delete(PREFIX + path, headers=user.headers).status_code
        if number % 3 == 0:
            value = {"filters": [{"field": "pe_ttm", "operator": "lt", "value": number + 1}]}
            return client.put(PREFIX + path, json=value, headers=user.headers).status_code
        return client.post(f"{PREFIX}{path}/run", headers=user.headers).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = set(pool.map(act, range(30)))
    assert statuses <= {200, 404}
    assert 200 in statuses
    assert run_count(api) == 0


def test_the_specification_names_every_route(api: Api) -> None:
    paths = api.get("/api/openapi.json").json()["paths"]
    assert set(paths[PREFIX]) >= {"get", "post"}
    assert set(paths[f"{PREFIX}/{{screener_id}}"]) >= {"get", "put", "delete"}
    assert set(paths[f"{PREFIX}/{{screener_id}}/run"]) >= {"get", "post"}
    assert paths[f"{PREFIX}/{{screener_id}}/changes"]["get"]["security"] == [{"bearer": []}]
