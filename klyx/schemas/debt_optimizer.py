from __future__ import annotations

import math
from typing import Any

import orjson
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from klyx.schemas.envelope import Flag, UtcDateTime, envelope
from klyx.services.debt_optimizer import StoredPlan

MAX_NAME_CHARACTERS = 255
MAX_BUDGET_RUPEES = 1e12
MIN_BUDGET_RUPEES = 0.01  # stored to the paisa


class DebtList(fields.List[dict[str, Any]]):
    """A list of objects that are nobody's business but the browser's."""

    def __init__(self, **options: Any) -> None:
        super().__init__(fields.Dict(), **options)


class StoredDebtList(DebtList):
    """The same, stored as JSON text."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        # Put into the answer as it is: reading and writing it again could change a number.
        return orjson.Fragment(value)


class Budget(fields.Float):
    """Rupees a month: a JSON number above 0, never text. `zero_allowed` takes a plan that has no budget yet."""

    def __init__(self, *, zero_allowed: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.zero_allowed = zero_allowed

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValidationError("Please give the monthly budget as a number.")
        smallest = 0 if self.zero_allowed else MIN_BUDGET_RUPEES
        if not smallest <= value <= MAX_BUDGET_RUPEES:
            raise ValidationError("Please give a monthly budget above 0 (and below 1,000,000,000,000).")
        return float(value)


class ScenarioName(fields.String):
    """A name for people, trimmed. `blank_allowed` leaves it to the service to find one."""

    def __init__(self, *, blank_allowed: bool = False, **options: Any) -> None:
        super().__init__(metadata={"maxLength": MAX_NAME_CHARACTERS}, **options)
        self.blank_allowed = blank_allowed

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        name = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        if len(name) > MAX_NAME_CHARACTERS or not (name or self.blank_allowed):
            raise ValidationError(f"Please give a name of 1 to {MAX_NAME_CHARACTERS} characters.")
        return name


class CurrentPlanSchema(Schema):
    debts = DebtList(load_default=None, allow_none=False)
    monthly_budget = Budget(required=True, data_key="monthlyBudget")


class NewScenarioSchema(Schema):
    name = ScenarioName(required=True)
    debts = DebtList(load_default=None, allow_none=False)
    monthly_budget = Budget(required=True, data_key="monthlyBudget")
    is_current = Flag(load_default=False, data_key="isCurrent")


class ScenarioChangeSchema(Schema):
    name = ScenarioName()
    debts = DebtList()
    monthly_budget = Budget(data_key="monthlyBudget")
    is_current = Flag(data_key="isCurrent")


class StoredPlanSchema(Schema):
    """A plan out of a browser, which cannot let go of any while one is refused: what is missing has a default."""

    class Meta:
        unknown = EXCLUDE

    name = ScenarioName(blank_allowed=True, allow_none=True)
    debts = DebtList(load_default=None, allow_none=True)
    monthly_budget = Budget(zero_allowed=True, load_default=None, allow_none=True, data_key="monthlyBudget")

    @post_load
    def make(self, values: dict[str, Any], **_: Any) -> StoredPlan:
        return StoredPlan(values["debts"] or [], values["monthly_budget"] or 0.0, values.get("name"))


class MigrationSchema(Schema):
    current_plan = fields.Nested(
        StoredPlanSchema, allow_none=True, load_default=None, data_key="currentScenario"
    )
    saved = fields.List(
        fields.Nested(StoredPlanSchema), allow_none=True, load_default=None, data_key="savedScenarios"
    )

    @post_load
    def without_null(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**values, "saved": values["saved"] or []}


class ScenarioSchema(Schema):
    id = fields.Integer()
    name = fields.String()
    debts = StoredDebtList()
    monthly_budget = fields.Float(data_key="monthlyBudget", metadata={"description": "rupees"})
    is_current = fields.Boolean(data_key="isCurrent")
    created_at = UtcDateTime(data_key="createdAt")
    updated_at = UtcDateTime(data_key="updatedAt")


class ScenariosSchema(Schema):
    scenarios = fields.List(fields.Nested(ScenarioSchema))
    count = fields.Integer()


class MigrationResultSchema(Schema):
    migrated_count = fields.Integer()


ScenarioAnswer = envelope("ScenarioAnswer", ScenarioSchema)
CurrentScenarioAnswer = envelope("CurrentScenarioAnswer", fields.Nested(ScenarioSchema, allow_none=True))
ScenariosAnswer = envelope("ScenariosAnswer", ScenariosSchema)
MigrationAnswer = envelope("MigrationAnswer", MigrationResultSchema)
