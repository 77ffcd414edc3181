from __future__ import annotations

import json
from typing import Any

from sqlalchemy import func, select

from klyx.database.models import DebtScenario
from klyx.services.debt_optimizer import MAX_SCENARIOS
from tests.api import Api
from tests.blueprints.debts import CARD, call, create, current, listed


def test_migrate_moves_what_the_browser_kept(api: Api) -> None:
    user = api.register()
    item = {"id": "x", "debts": [CARD], "monthlyBudget": 5, "createdAt": "2024", "updatedAt": None}
    body = {"currentScenario": {**item, "name": "Current"}, "savedScenarios": [{**item, "name": "A"}, item]}
    answer = call(user, "POST", "/migrate", body)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"migrated_count": 3}
    assert answer.json()["message"]
    assert {scenario["name"]: scenario["isCurrent"] for scenario in listed(user)} == {
        "Current": True,
        "A": False,
        "Untitled": False,
    }
    assert all(scenario["debts"] == [CARD] for scenario in listed(user))
    # A repetition after a lost answer adds nothing.
    assert call(user, "POST", "/migrate", body).json()["data"] == {"migrated_count": 0}
    assert len(listed(user)) == 3


def test_migrate_skips_names_that_exist_and_keeps_the_stored_current(api: Api) -> None:
    user = api.register()
    plan = create(user, "A")
    stored = call(user, "PUT", "/current", {"debts": [CARD], "monthlyBudget": 7}).json()["data"]
    body = {
        "currentScenario": {"name": "Current", "debts": [], "monthlyBudget": 5},
        "savedScenarios": [
            {"name": "A", "debts": [], "monthlyBudget": 5},
            {"name": " B ", "debts": [], "monthlyBudget": 5},
            {"name": "B", "debts": [], "monthlyBudget": 6},
            {"name": None, "debts": [], "monthlyBudget": 5},
        ],
    }
    assert call(user, "POST", "/migrate", body).json()["data"] == {"migrated_count": 2}
    assert current(user) == stored
    assert {scenario["name"] for scenario in listed(user)} == {"A", "B", "Current", "Untitled"}
    assert next(scenario for scenario in listed(user) if scenario["name"] == "A") == plan


def test_migrated_current_is_kept_beside_the_stored_one(api: Api) -> None:
    user = api.register()
    stored = call(user, "PUT", "/current", {"debts": [], "monthlyBudget": 7}).json()["data"]
    body = {"currentScenario": {"name": "From the browser", "debts": [CARD], "monthlyBudget": 5}}
    assert call(user, "POST", "/migrate", body).json()["data"] == {"migrated_count": 1}
    assert call(user, "POST", "/migrate", body).json()["data"] == {"migrated_count": 0}
    assert current(user) == stored
    kept = next(scenario for scenario in listed(user) if scenario["name"] == "From the browser")
    assert (kept["isCurrent"], kept["debts"], kept["monthlyBudget"]) == (False, [CARD], 5)
    # A chosen name that exists is skipped, as for saved plans.
    other = {"currentScenario": {"name": "From the browser", "debts": [], "monthlyBudget": 6}}
    assert call(user, "POST", "/migrate", other).json()["data"] == {"migrated_count": 0}


def test_debts_under_the_default_name_are_kept_under_the_next_one(api: Api) -> None:
    user = api.register()
    stored = call(user, "PUT", "/current", {"debts": [CARD], "monthlyBudget": 7}).json()["data"]
    loan = {"id": "8a2d", "name": "Loan", "outstandingPrincipal": 100000.5}
    plan = {"debts": [loan], "monthlyBudget": 5.555}
    saved = {"name": "Current (2)", "debts": [], "monthlyBudget": 1}
    body = {"currentScenario": {**plan, "name": "Current"}, "savedScenarios": [saved]}
    assert call(user, "POST", "/migrate", body).json()["data"] == {"migrated_count": 2}
    assert current(user) == stored
    kept = {scenario["name"]: scenario["debts"] for scenario in listed(user)}
    assert kept == {"Current": [CARD], "Current (2)": [], "Current (3)": [loan]}
    for again in (body, {"currentScenario": plan}, {"currentScenario": {"debts": [CARD], "monthlyBudget": 7}}):
        assert call(user, "POST", "/migrate", again).json()["data"] == {"migrated_count": 0}
    assert len(listed(user)) == 3


def test_migrated_current_gives_way_to_a_saved_name(api: Api) -> None:
    user = api.register()
    create(user, "Current")
    assert call(user, "POST", "/migrate", {"currentScenario": {"debts": [CARD], "monthlyBudget": 5}}).ok
    moved = current(user)
    assert moved is not None
    assert (moved["name"], moved["debts"]) == ("Current (2)", [CARD])
    call(user, "PUT", f"/scenarios/{moved['id']}", {"isCurrent": False})
    create(user, "N" * 255)
    assert call(user, "POST", "/migrate", {"currentScenario": {"name": "N" * 255, "monthlyBudget": 5}}).ok
    moved = current(user)
    assert moved is not None
    assert moved["name"] == "N" * 245 + " (2)"


def test_migrate_of_nothing_is_success(api: Api) -> None:
    user = api.register()
    bodies: list[dict[str, Any] | None] = [None, {}, {"currentScenario": None, "savedScenarios": None}]
    for body in bodies:
        assert call(user, "POST", "/migrate", body).json()["data"] == {"migrated_count": 0}


def test_plans_without_a_budget_or_debts_move_too(api: Api) -> None:
    user = api.register()
    body = {
        "currentScenario": {"name": "Current", "debts": [CARD], "monthlyBudget": 0},
        "savedScenarios": [
            {"name": "No budget", "debts": [CARD]},
            {"name": "Null budget", "debts": [CARD], "monthlyBudget": None},
            {"name": "Null debts", "debts": None, "monthlyBudget": 5},
            {"name": "Nothing"},
        ],
    }
    assert call(user, "POST", "/migrate", body).json()["data"] == {"migrated_count": 5}
    assert {plan["name"]: (plan["debts"], plan["monthlyBudget"]) for plan in listed(user)} == {
        "Current": ([CARD], 0),
        "No budget": ([CARD], 0),
        "Null budget": ([CARD], 0),
        "Null debts": ([], 5),
        "Nothing": ([], 0),
    }
    assert call(user, "POST", "/migrate", body).json()["data"] == {"migrated_count": 0}
    # To save a plan, a budget is needed as before.
    assert call(user, "PUT", "/current", {"debts": [], "monthlyBudget": 0}).status_code == 400
    assert call(user, "PUT", "/current", {"debts": [], "monthlyBudget": 5}).json()["data"]["monthlyBudget"] == 5


def test_migrate_is_all_or_nothing(api: Api) -> None:
    user = api.register()
    with api.runtime.database.begin() as session:
        for number in range(MAX_SCENARIOS - 1):
            session.add(DebtScenario(user_id=user.user_id, name=f"Plan {number}", debts="[]", monthly_budget=5))
    body = {"savedScenarios": [{"name": name, "monthlyBudget": 5} for name in ("Fits", "One too many")]}
    answer = call(user, "POST", "/migrate", body)
    assert answer.status_code == 400
    assert str(MAX_SCENARIOS) in answer.json()["message"]
    with api.runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(DebtScenario)) == MAX_SCENARIOS - 1


def test_migrate_takes_all_that_a_browser_can_keep(api: Api) -> None:
    user = api.register()
    debts = [{"note": "x" * 1000} for _ in range(200)]
    saved = [{"name": f"Plan {number}", "debts": debts, "monthlyBudget": 5} for number in range(25)]
    body = {"savedScenarios": saved}
    assert 4.5 * 1024**2 < len(json.dumps(body)) < 5 * 1024**2
    assert call(user, "POST", "/migrate", body).json()["data"] == {"migrated_count": 25}
    too_much = call(user, "POST", "/migrate", {"savedScenarios": [*saved, *saved[:4]]})
    assert too_much.status_code == 413
    assert "5 MB" in too_much.json()["message"]
