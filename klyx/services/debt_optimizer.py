"""Stored debt plans: scenarios by name, at most one of them the current one. The planning is the browser's."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from klyx.database.models import DebtScenario
from klyx.database.types import utc_now
from klyx.errors import Invalid, NotFound, TooLarge
from klyx.services.user_lock import lock_user

MAX_DEBTS_BYTES = 256 * 1024
MAX_SCENARIOS = 200
CURRENT_NAME = "Current"
DEFAULT_NAME = "Untitled"
DUPLICATE_NAME = "You have a scenario with this name already. Please choose another name."
UNKNOWN_SCENARIO = "There is no such scenario. Please reload the page to see your scenarios."
_LARGEST_ID = 2**31 - 1
_LONGEST_NUMBERED_NAME = 245  # leaves room for the number within the column's 255 characters

Debts = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A scenario that a browser kept on its own; without a name it gets a default one. A budget of 0: none yet."""

    debts: Debts
    monthly_budget: float
    name: str | None = None


def debts_text(debts: Debts) -> str:
    """The debts as the JSON text that is stored. Raises TooLarge above 256 KiB, Invalid when nested too deeply."""
    try:
        encoded = orjson.dumps(debts)
    except orjson.JSONEncodeError as error:
        raise Invalid("The debts could not be stored: they are nested too deeply.") from error
    if len(encoded) > MAX_DEBTS_BYTES:
        raise TooLarge(f"The debts take more than {MAX_DEBTS_BYTES // 1024} KB. Please remove some of them.")
    return encoded.decode()


def current(session: Session, user_id: str) -> DebtScenario | None:
    return session.scalar(select(DebtScenario).where(DebtScenario.user_id == user_id, DebtScenario.is_current))


def scenarios(session: Session, user_id: str) -> list[DebtScenario]:
    """All of the user's scenarios, the current one included, newest update first."""
    newest_first = (DebtScenario.updated_at.desc(), DebtScenario.id.desc())
    return list(
        session.scalars(select(DebtScenario).where(DebtScenario.user_id == user_id).order_by(*newest_first))
    )


def save_current(
    session: Session, user_id: str, monthly_budget: float, debts: Debts | None = None
) -> DebtScenario:
    """Make or overwrite the user's current scenario. Without `debts` the stored ones stay."""
    lock_user(session, user_id)
    scenario = current(session, user_id)
    if scenario is None:
        name = _free_name(CURRENT_NAME, _names(session, user_id))
        return _insert(session, user_id, name, debts or [], monthly_budget, is_current=True)
    return _change(session, scenario, {"monthly_budget": monthly_budget, "debts": debts})


def create(
    session: Session,
    user_id: str,
    name: str,
    monthly_budget: float,
    debts: Debts | None = None,
    *,
    is_current: bool = False,
) -> DebtScenario:
    """A new scenario. Raises Invalid when the user has one with this name, or too many."""
    lock_user(session, user_id)
    if name in _names(session, user_id):
        raise Invalid(DUPLICATE_NAME)
    if is_current:
        _clear_current(session, user_id)
    return _insert(session, user_id, name, debts or [], monthly_budget, is_current=is_current)


def change(session: Session, user_id: str, scenario_id: int, values: Mapping[str, Any]) -> DebtScenario:
    """Change any of name, debts, monthly_budget and is_current.

    Raises NotFound for an unknown scenario, other users' included, and Invalid for a name in use.
    """
    lock_user(session, user_id)
    scenario = _own(session, user_id, scenario_id)
    name = values.get("name", scenario.name)
    if name != scenario.name and name in _names(session, user_id):
        raise Invalid(DUPLICATE_NAME)
    if values.get("is_current") and not scenario.is_current:
        _clear_current(session, user_id)
    return _change(session, scenario, values)


def remove(session: Session, user_id: str, scenario_id: int) -> None:
    """Raises NotFound for an unknown scenario, other users' included."""
    lock_user(session, user_id)
    session.delete(_own(session, user_id, scenario_id))


def migrate(session: Session, user_id: str, current_plan: StoredPlan | None, saved: Sequence[StoredPlan]) -> int:
    """Store what a browser kept; returns how many scenarios are new.

    Saved plans whose name the user has already are skipped. A current scenario of the account stays the
    current one; the browser's is then kept beside it, see _is_wanted_beside. All or nothing: any error
    leaves the user's scenarios as they were.
    """
    lock_user(session, user_id)
    names = _names(session, user_id)
    has_current = current(session, user_id) is not None
    added = 0
    if current_plan is not None and not has_current:
        name = _free_name(current_plan.name or CURRENT_NAME, names)
        _insert(session, user_id, name, current_plan.debts, current_plan.monthly_budget, is_current=True)
        names.add(name)
        added += 1
    for plan in saved:
        name = plan.name or DEFAULT_NAME
        if name not in names:
            _insert(session, user_id, name, plan.debts, plan.monthly_budget, is_current=False)
            names.add(name)
            added += 1
    if current_plan is not None and has_current and _is_wanted_beside(session, user_id, current_plan, names):
        name = _free_name(current_plan.name or CURRENT_NAME, names)
        _insert(session, user_id, name, current_plan.debts, current_plan.monthly_budget, is_current=False)
        added += 1
    return added


def _is_wanted_beside(session: Session, user_id: str, plan: StoredPlan, names: Container[str]) -> bool:
    """Whether a browser's current plan is to be kept though the account has a current one.

    Like a saved plan it is when its name is free. "Current" was chosen by nobody: under it, or a number
    of it, a plan with debts is kept unless the account holds the same plan.
    """
    name = plan.name or CURRENT_NAME
    if name != CURRENT_NAME or not plan.debts:
        return name not in names
    return not any(_is_same(scenario, plan) for scenario in scenarios(session, user_id))


def _is_same(scenario: DebtScenario, plan: StoredPlan) -> bool:
    return scenario.debts == debts_text(plan.debts) and scenario.monthly_budget == round(plan.monthly_budget, 2)


def _own(session: Session, user_id: str, scenario_id: int) -> DebtScenario:
    # A driver raises on numbers that no row can have.
    scenario = session.get(DebtScenario, scenario_id) if scenario_id <= _LARGEST_ID else None
    if scenario is None or scenario.user_id != user_id:
        raise NotFound(UNKNOWN_SCENARIO)
    return scenario


def _names(session: Session, user_id: str) -> set[str]:
    return set(session.scalars(select(DebtScenario.name).where(DebtScenario.user_id == user_id)))


def _free_name(wanted: str, taken: set[str]) -> str:
    number = 1
    name = wanted
    while name in taken:
        number += 1
        name = f"{wanted[:_LONGEST_NUMBERED_NAME]} ({number})"
    return name


def _clear_current(session: Session, user_id: str) -> None:
    session.execute(
        update(DebtScenario)
        .where(DebtScenario.user_id == user_id, DebtScenario.is_current)
        # Losing the mark is no update of the plan itself.
        .values(is_current=False, updated_at=DebtScenario.updated_at)
    )


def _insert(
    session: Session, user_id: str, name: str, debts: Debts, monthly_budget: float, *, is_current: bool
) -> DebtScenario:
    stored = session.scalar(select(func.count()).select_from(DebtScenario).where(DebtScenario.user_id == user_id))
    if (stored or 0) >= MAX_SCENARIOS:
        raise Invalid(f"You have {MAX_SCENARIOS} scenarios. Please delete one before you add another.")
    scenario = DebtScenario(
        user_id=user_id,
        name=name,
        debts=debts_text(debts),
        monthly_budget=monthly_budget,
        is_current=is_current,
    )
    session.add(scenario)
    return _stored(session, scenario)


def _change(session: Session, scenario: DebtScenario, values: Mapping[str, Any]) -> DebtScenario:
    changed = {name: value for name, value in values.items() if value is not None}
    if "debts" in changed:
        changed["debts"] = debts_text(changed["debts"])
    for name, value in changed.items():
        setattr(scenario, name, value)
    if changed:
        # An autosave of the same plan is an update too, though no column differs.
        scenario.updated_at = utc_now()
    return _stored(session, scenario)


def _stored(session: Session, scenario: DebtScenario) -> DebtScenario:
    """The scenario as the database holds it, the budget rounded to its column included."""
    session.flush()
    session.refresh(scenario)
    return scenario
