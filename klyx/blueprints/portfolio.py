"""`/api/portfolio...`: the caller's own stocks, and the repair that old clients call "migrate"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klyx.caching.answers import cached
from klyx.database.versions import portfolio_of
from klyx.identity import current_user_id, user_required
from klyx.openapi import Blueprint
from klyx.schemas.envelope import MessageSchema, success
from klyx.schemas.portfolio import PortfolioAnswer, StockNameSchema
from klyx.services import portfolio
from klyx.web import runtime

# The sign-in is checked first, so nothing is said about the body of a caller who may not send one.
blueprint = Blueprint("portfolio", __name__, url_prefix="/api", description="The caller's portfolio")


@blueprint.get("/portfolio")
@user_required
@cached(lambda: portfolio_of(current_user_id()), ttl_seconds=60)
@blueprint.response(200, PortfolioAnswer)
def names() -> Mapping[str, Any]:
    with runtime().database.read() as session:
        found = portfolio.stock_names(session, current_user_id())
    return success({"stock_names": found, "count": len(found)})


@blueprint.post("/portfolio/add")
@user_required
@blueprint.arguments(StockNameSchema)
@blueprint.response(200, MessageSchema)
def add(values: dict[str, str]) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        added = portfolio.add(session, current_user_id(), **values)
    state = "now" if added else "already"
    return success(message=f"The stock is in your portfolio {state}.")


@blueprint.post("/portfolio/remove")
@user_required
@blueprint.arguments(StockNameSchema)
@blueprint.response(200, MessageSchema)
@blueprint.alt_response(404, description="The stock is not in the portfolio")
def remove(values: dict[str, str]) -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        portfolio.remove(session, current_user_id(), **values)
    return success(message="The stock was removed from your portfolio.")


@blueprint.post("/portfolio/clear")
@user_required
@blueprint.response(200, MessageSchema)
def clear() -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        removed = portfolio.clear(session, current_user_id())
    return success(message=f"Your portfolio is empty now. Stocks removed: {removed}.")


@blueprint.post("/database/migrate_portfolio")
@user_required
@blueprint.response(200, MessageSchema)
def migrate() -> Mapping[str, Any]:
    with runtime().database.begin() as session:
        repaired = portfolio.repair(session, current_user_id())
    return success(message=f"Your portfolio is in order. Broken entries removed: {repaired}.")
