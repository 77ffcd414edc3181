"""`/api/debt-optimizer/...`: the caller's stored debt plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klyx.identity import current_user_id, user_required
from klyx.openapi import Blueprint
from klyx.schemas.debt_optimizer import (
    CurrentPlanSchema,
    CurrentScenarioAnswer,
    MigrationAnswer,
    MigrationSchema,
    NewScenarioSchema,
    ScenarioAnswer,
    ScenarioChangeSchema,
    ScenariosAnswer,
)
from klyx.schemas.envelope import MessageSchema, success
from klyx.services import debt_optimizer
from klyx.web import runtime

blueprint = Blueprint(
    "debt_optimizer", __name__, url_prefix="/api/debt-optimizer", description="The caller's stored debt plans"
)
SCENARIO_PATH = "/scenarios/<int:scenario_id>"


@blueprint.get("/current")
@user_required
@blueprint.response(200, CurrentScenarioAnswer)
def current() -> Mapping[str, Any]:
    with runtime().database.read() as session:
        scenario = debt_optimizer.current(session, current_user_id())
    # `data` is there even when it is null: clients tell "nothing stored" by it.
    return {"status": "success", "data": scenario}


@blueprint.put("/current")
@user_required
@blueprint.arguments(CurrentPlanSchema)
@blueprint.response(200, ScenarioAnswer)
def save_current(values: dict[str, Any]) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        scenario = debt_optimizer.save_current(session, current_user_id(), **values)
    return success(scenario, "Your plan is saved.")


@blueprint.get("/scenarios")
@user_required
@blueprint.response(200, ScenariosAnswer)
def scenarios() -> Mapping[str, Any]:
    with runtime().database.read() as session:
        found = debt_optimizer.scenarios(session, current_user_id())
    return success({"scenarios": found, "count": len(found)})


@blueprint.post("/scenarios")
@user_required
@blueprint.arguments(NewScenarioSchema)
@blueprint.response(201, ScenarioAnswer)
def create(values: dict[str, Any]) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        scenario = debt_optimizer.create(session, current_user_id(), **values)
    return success(scenario, "Your scenario is saved.")


@blueprint.put(SCENARIO_PATH)
@user_required
@blueprint.arguments(ScenarioChangeSchema)
@blueprint.response(200, ScenarioAnswer)
@blueprint.alt_response(404, description="The caller has no such scenario")
def change(values: dict[str, Any], scenario_id: int) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        scenario = debt_optimizer.change(session, current_user_id(), scenario_id, values)
    return success(scenario, "Your scenario is saved.")


@blueprint.delete(SCENARIO_PATH)
@user_required
@blueprint.response(200, MessageSchema)
@blueprint.alt_response(404, description="The caller has no such scenario")
def remove(scenario_id: int) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        debt_optimizer.remove(session, current_user_id(), scenario_id)
    return success(message="Your scenario is deleted.")


@blueprint.post("/migrate")
@user_required
@blueprint.arguments(MigrationSchema)
@blueprint.response(200, MigrationAnswer)
def migrate(values: dict[str, Any]) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        added = debt_optimizer.migrate(session, current_user_id(), **values)
    return success({"migrated_count": added}, f"Your plans are stored in your account. New: {added}.")
