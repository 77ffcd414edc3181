from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from klyx.database.models import User, UserScreener
from klyx.services.saved_screens import MAX_SCREENS
from tests.api import Api
from tests.saved_screens import (
    CANONICAL,
    CHEAP,
    PREFIX,
    add,
    call,
    codes_of_rows,
    names,
    run,
    run_count,
    save,
)


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


def test_the_specification_names_every_route(api: Api) -> None:
    paths = api.get("/api/openapi.json").json()["paths"]
    assert set(paths[PREFIX]) >= {"get", "post"}
    assert set(paths[f"{PREFIX}/{{screener_id}}"]) >= {"get", "put", "delete"}
    assert set(paths[f"{PREFIX}/{{screener_id}}/run"]) >= {"get", "post"}
    assert paths[f"{PREFIX}/{{screener_id}}/changes"]["get"]["security"] == [{"bearer": []}]
