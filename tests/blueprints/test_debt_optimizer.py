from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import delete

from klyx.database.models import User
from tests.api import Api
from tests.blueprints.debts import CARD, PREFIX, call, create, current, listed

CALLS = (
    ("GET", f"{PREFIX}/current"),
    ("PUT", f"{PREFIX}/current"),
    ("GET", f"{PREFIX}/scenarios"),
    ("POST", f"{PREFIX}/scenarios"),
    ("PUT", f"{PREFIX}/scenarios/1"),
    ("DELETE", f"{PREFIX}/scenarios/1"),
    ("POST", f"{PREFIX}/migrate"),
)
DEEP = b"[" * 300 + b"]" * 300


def test_users_never_see_or_change_each_others_scenarios(api: Api) -> None:
    asha, ravi = api.register(), api.register()
    plan = create(asha, "Plan", isCurrent=True)
    path = f"/scenarios/{plan['id']}"
    assert current(ravi) is None
    assert listed(ravi) == []
    assert call(ravi, "PUT", path, {"name": "Stolen"}).status_code == 404
    assert call(ravi, "PUT", path, {"isCurrent": False}).status_code == 404
    assert call(ravi, "DELETE", path).status_code == 404
    create(ravi, "Plan", isCurrent=True)
    assert call(ravi, "PUT", "/current", {"debts": [], "monthlyBudget": 1}).status_code == 200
    assert call(ravi, "POST", "/migrate", {"savedScenarios": [{"name": "Plan", "monthlyBudget": 1}]}).ok
    assert listed(asha) == [plan]
    # An unknown number gets the very same answer.
    foreign, unknown = call(ravi, "DELETE", path), call(ravi, "DELETE", "/scenarios/2147483647")
    assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json())


def test_every_call_needs_a_user(api: Api) -> None:
    for method, path in CALLS:
        for header in (None, "Bearer null", "Bearer undefined", "Bearer abc.def.ghi"):
            headers = {} if header is None else {"Authorization": header}
            answer = api.request(method, path, headers=headers)
            assert answer.status_code == 401, (method, path, header)
            assert answer.json()["status"] == "error"


def test_token_of_a_deleted_account_is_a_401(api: Api) -> None:
    user = api.register()
    with api.runtime.database.begin() as session:
        session.execute(delete(User).where(User.id == user.user_id))
    assert call(user, "PUT", "/current", {"debts": [], "monthlyBudget": 1}).status_code == 401


def test_current_is_null_then_saved_then_overwritten(api: Api) -> None:
    user = api.register()
    assert call(user, "GET", "/current").json() == {"status": "success", "data": None}
    first = call(user, "PUT", "/current", {"debts": [CARD], "monthlyBudget": 12345.67}).json()["data"]
    assert first["name"] == "Current"
    assert first["isCurrent"] is True
    assert first["monthlyBudget"] == 12345.67
    assert first["debts"] == [CARD]
    assert first["createdAt"].endswith("Z")
    assert list(first) == ["id", "name", "debts", "monthlyBudget", "isCurrent", "createdAt", "updatedAt"]
    second = call(user, "PUT", "/current", {"debts": [], "monthlyBudget": 5}).json()["data"]
    assert second["id"] == first["id"]
    assert (second["debts"], second["monthlyBudget"]) == ([], 5)
    assert current(user) == second
    assert listed(user) == [second]


def test_autosave_without_debts_keeps_the_stored_ones(api: Api) -> None:
    user = api.register()
    assert call(user, "PUT", "/current", {"monthlyBudget": 5}).json()["data"]["debts"] == []
    call(user, "PUT", "/current", {"debts": [CARD], "monthlyBudget": 5})
    saved = call(user, "PUT", "/current", {"monthlyBudget": 6}).json()["data"]
    assert (saved["debts"], saved["monthlyBudget"]) == ([CARD], 6)


def test_simultaneous_autosaves_make_one_current_scenario(api: Api) -> None:
    user = api.register()

    def save(number: int) -> int:
        body = {"debts": [{"id": str(number)}], "monthlyBudget": number + 1}
        return api.new_client().put(f"{PREFIX}/current", json=body, headers=user.headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(save, range(24))) == [200] * 24
    (only,) = listed(user)
    assert only["isCurrent"] is True
    assert only["debts"] == [{"id": str(only["monthlyBudget"] - 1).removesuffix(".0")}]


def test_simultaneous_claims_to_be_current_leave_one(api: Api) -> None:
    user = api.register()
    ids = [create(user, f"Plan {number}")["id"] for number in range(6)]

    def claim(scenario_id: int) -> int:
        path = f"{PREFIX}/scenarios/{scenario_id}"
        return api.new_client().put(path, json={"isCurrent": True}, headers=user.headers).status_code

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(claim, ids * 3)) == [200] * 18
    assert sum(scenario["isCurrent"] for scenario in listed(user)) == 1


def test_simultaneous_new_scenarios_with_one_name_make_one(api: Api) -> None:
    user = api.register()

    def save(_: int) -> int:
        body = {"name": "Plan", "debts": [], "monthlyBudget": 5, "isCurrent": True}
        return api.new_client().post(f"{PREFIX}/scenarios", json=body, headers=user.headers).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(save, range(6))) == [201, 400, 400, 400, 400, 400]
    assert len(listed(user)) == 1


def test_current_finds_a_free_name(api: Api) -> None:
    user = api.register()
    create(user, "Current")
    create(user, "Current (2)")
    saved = call(user, "PUT", "/current", {"debts": [], "monthlyBudget": 5}).json()["data"]
    assert (saved["name"], saved["isCurrent"]) == ("Current (3)", True)
    assert len(listed(user)) == 3


def test_debts_come_back_as_they_were_sent(api: Api) -> None:
    user = api.register()
    debts = """[{"id":"1","outstandingPrincipal":1.10,"rate":1e-7,"big":9007199254740993,"negative":-0.5,
        "text":"<b>₹ \\u0041 'x' 🚀</b>","nested":{"b":[1,{"a":null}],"a":true},"createdAt":"2025-01-31T09:30:00.000Z"},
        {}]"""
    body = f'{{"debts":{debts},"monthlyBudget":5}}'.encode()
    headers = {**user.headers, "Content-Type": "application/json"}
    answer = user.client.put(f"{PREFIX}/current", data=body, headers=headers)
    assert answer.status_code == 200
    saved = current(user)
    assert saved is not None
    assert saved["debts"] == answer.json()["data"]["debts"] == json.loads(debts)
    assert list(saved["debts"][0]["nested"]) == ["b", "a"]
    assert listed(user)[0]["debts"] == json.loads(debts)


def test_large_debts_are_refused_and_nothing_is_stored(api: Api) -> None:
    user = api.register()
    large = [{"note": "x" * 1000} for _ in range(300)]
    for method, path in (("PUT", "/current"), ("POST", "/scenarios")):
        answer = call(user, method, path, {"name": "Large", "debts": large, "monthlyBudget": 5})
        assert answer.status_code == 413
        assert "256 KB" in answer.json()["message"]
    migration = {"savedScenarios": [{"name": "Small", "monthlyBudget": 5}, {"debts": large, "monthlyBudget": 5}]}
    assert call(user, "POST", "/migrate", migration).status_code == 413
    assert listed(user) == []
    assert call(user, "PUT", "/current", {"debts": large[:200], "monthlyBudget": 5}).status_code == 200


def test_scenarios_are_listed_newest_update_first(api: Api) -> None:
    user = api.register()
    a, b, c = (create(user, name)["id"] for name in "ABC")
    call(user, "PUT", f"/scenarios/{a}", {"isCurrent": True})
    call(user, "PUT", f"/scenarios/{b}", {"isCurrent": True})
    assert [scenario["id"] for scenario in listed(user)] == [b, a, c]
    assert [scenario["isCurrent"] for scenario in listed(user)] == [True, False, False]


def test_changing_any_part_leaves_the_rest(api: Api) -> None:
    user = api.register()
    plan = create(user, "Plan", monthlyBudget=10)
    path = f"/scenarios/{plan['id']}"
    assert call(user, "PUT", path, {}).json()["data"] == plan
    changed = call(user, "PUT", path, {"name": "New", "id": 99, "createdAt": "1999", "userId": "x"}).json()["data"]
    assert changed == {**plan, "name": "New", "updatedAt": changed["updatedAt"]}
    changed = call(user, "PUT", path, {"debts": [], "monthlyBudget": 7.5}).json()["data"]
    assert (changed["name"], changed["debts"], changed["monthlyBudget"]) == ("New", [], 7.5)
    assert call(user, "PUT", path, {"isCurrent": True}).json()["data"]["isCurrent"] is True
    assert current(user) is not None
    assert call(user, "PUT", path, {"isCurrent": False}).json()["data"]["isCurrent"] is False
    assert current(user) is None


def test_names_are_unique_per_user(api: Api) -> None:
    user = api.register()
    plan, other = create(user, "Plan"), create(user, "Other")
    for name in ("Plan", "  Plan  "):
        answer = call(user, "POST", "/scenarios", {"name": name, "debts": [], "monthlyBudget": 5})
        assert answer.status_code == 400
        assert "name" in answer.json()["message"]
    assert call(user, "PUT", f"/scenarios/{other['id']}", {"name": "Plan"}).status_code == 400
    assert call(user, "PUT", f"/scenarios/{plan['id']}", {"name": "Plan"}).status_code == 200
    assert create(user, "plan")["name"] == "plan"


def test_clear_all_is_current_then_delete(api: Api) -> None:
    user = api.register()
    call(user, "PUT", "/current", {"debts": [CARD], "monthlyBudget": 5})
    saved = current(user)
    assert saved is not None
    answer = call(user, "DELETE", f"/scenarios/{saved['id']}")
    assert answer.status_code == 200
    assert answer.json()["message"]
    assert current(user) is None
    assert call(user, "DELETE", f"/scenarios/{saved['id']}").status_code == 404


def test_odd_ids_are_a_404(api: Api) -> None:
    user = api.register()
    for odd in ("0", "-1", "abc", "1.5", "2147483648", "9" * 30, "%20"):
        for method in ("PUT", "DELETE"):
            answer = user.client.request(method, f"{PREFIX}/scenarios/{odd}", json={}, headers=user.headers)
            assert answer.status_code == 404, (method, odd)
            assert answer.json()["status"] == "error"


def test_odd_budgets_are_a_400(api: Api) -> None:
    user = api.register()
    plan = create(user, "Plan")
    numbers = ("0", "0.0", "-1", "0.001", "1e13", "1e400", "9" * 500, "NaN", "Infinity")
    budgets = (*numbers, "true", '"5000"', "null", "[5]", "{}")
    headers = {**user.headers, "Content-Type": "application/json"}
    for budget in budgets:
        body = f'{{"name":"Odd","debts":[],"monthlyBudget":{budget}}}'.encode()
        for method, path in (("PUT", "/current"), ("POST", "/scenarios"), ("PUT", f"/scenarios/{plan['id']}")):
            answer = user.client.request(method, PREFIX + path, data=body, headers=headers)
            assert answer.status_code == 400, (method, path, budget)
            assert answer.json()["message"]
    assert call(user, "PUT", "/current", {"debts": []}).status_code == 400
    assert call(user, "POST", "/scenarios", {"name": "X", "debts": []}).status_code == 400
    assert listed(user) == [plan]


def test_budget_limits_are_kept_exactly(api: Api) -> None:
    user = api.register()
    for budget in (0.01, 1, 99_999_999.99, 100_000_000, 1e12):
        assert call(user, "PUT", "/current", {"monthlyBudget": budget}).json()["data"]["monthlyBudget"] == budget


def test_odd_bodies_are_a_400(api: Api) -> None:
    user = api.register()
    plan = create(user, "Plan")
    scenarios: tuple[bytes, ...] = (
        b"[]",
        b"null",
        b"{",
        b'"text"',
        b'{"name":"X","monthlyBudget":5,"debts":null}',
        b'{"name":"X","monthlyBudget":5,"debts":"[]"}',
        b'{"name":"X","monthlyBudget":5,"debts":{"0":{}}}',
        b'{"name":"X","monthlyBudget":5,"debts":[1]}',
        b'{"name":"X","monthlyBudget":5,"debts":[null]}',
        b'{"name":"X","monthlyBudget":5,"debts":[[{}]]}',
        b'{"name":"X","monthlyBudget":5,"debts":[{"a":' + DEEP + b"}]}",
        b'{"name":"X","monthlyBudget":5,"debts":[{"a":"\\u0000"}]}',
    )
    named: tuple[bytes, ...] = tuple(
        b'{"monthlyBudget":5,"debts":[],' + rest + b"}"
        for rest in (
            b'"name":null',
            b'"name":5',
            b'"name":["X"]',
            b'"name":""',
            b'"name":"  "',
            b'"name":"' + b"x" * 256 + b'"',
            b'"name":"X","isCurrent":null',
            b'"name":"X","isCurrent":1',
            b'"name":"X","isCurrent":"true"',
        )
    )
    migrations: tuple[bytes, ...] = (
        b"[]",
        b'{"currentScenario":[]}',
        b'{"currentScenario":"x"}',
        b'{"currentScenario":{"monthlyBudget":-1}}',
        b'{"currentScenario":{"monthlyBudget":"5"}}',
        b'{"savedScenarios":{}}',
        b'{"savedScenarios":[null]}',
        b'{"savedScenarios":[5]}',
        b'{"savedScenarios":[{"monthlyBudget":5,"name":5}]}',
        b'{"savedScenarios":[{"monthlyBudget":5,"debts":5}]}',
        b'{"savedScenarios":[{"monthlyBudget":5,"debts":[{"a":' + DEEP + b"}]}]}",
        b'{"savedScenarios":[{"monthlyBudget":5,"name":"A"},{"name":"B","monthlyBudget":true}]}',
        b'{"currentScenario":{"monthlyBudget":5},"savedScenarios":[{"name":"B","monthlyBudget":-5}]}',
    )
    cases = (
        ("PUT", "/current", scenarios),
        ("POST", "/scenarios", scenarios + named),
        ("PUT", f"/scenarios/{plan['id']}", scenarios + named),
        ("POST", "/migrate", migrations),
    )
    headers = {**user.headers, "Content-Type": "application/json"}
    for method, path, bodies in cases:
        for body in bodies:
            answer = user.client.request(method, PREFIX + path, data=body, headers=headers)
            assert answer.status_code == 400, (method, path, body[:80])
            assert answer.json()["status"] == "error"
            assert answer.json()["message"]
    assert listed(user) == [plan]


def test_specification_shows_debts_as_objects(api: Api) -> None:
    specification = api.get("/api/openapi.json").json()
    debts = specification["components"]["schemas"]["Scenario"]["properties"]["debts"]
    assert debts["type"] == "array"
    assert debts["items"]["type"] == "object"
    for method, path in CALLS:
        documented = path.replace("/scenarios/1", "/scenarios/{scenario_id}")
        assert specification["paths"][documented][method.lower()]["security"] == [{"bearer": []}]
