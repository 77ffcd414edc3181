"""`/api/stock/<symbol>/fundamentals`: yearly statements, fetched once when nobody has asked for them yet."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from klyx.caching.answers import cached
from klyx.database.versions import FUNDAMENTALS
from klyx.errors import Unavailable
from klyx.identity import rate_limit_key
from klyx.lookup_waiting import request_lookup, wait_for_lookup
from klyx.openapi import Blueprint
from klyx.schemas.envelope import success
from klyx.schemas.fundamentals import FundamentalsAnswer, FundamentalsQuery
from klyx.services import fundamentals as service
from klyx.services.fundamentals import NotFetched
from klyx.web import runtime

logger = logging.getLogger(__name__)
blueprint = Blueprint("fundamentals", __name__, url_prefix="/api/stock", description="Yearly statements")

P = ParamSpec("P")
T = TypeVar("T")


def fetched_when_missing(view: Callable[P, T]) -> Callable[P, T]:
    """Answers again once a worker has fetched what was missing.

    Outside the cache, whose other callers would wait without a limit on how many do.
    """

    @wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return view(*args, **kwargs)
        except NotFetched as missing:
            wait_for_lookup(**missing.lookup, caller=rate_limit_key())
        try:
            return view(*args, **kwargs)
        except NotFetched as missing:
            raise Unavailable("These statements could not be fetched. Please try again later.") from missing

    return answer


@blueprint.get("/<symbol>/fundamentals")
@blueprint.arguments(FundamentalsQuery, location="query")
@fetched_when_missing
@cached(FUNDAMENTALS, ttl_seconds=3600)
@blueprint.response(200, FundamentalsAnswer)
@blueprint.alt_response(404, description="There is no such stock, or no statements of this kind are known")
@blueprint.alt_response(503, description="They have to be fetched first and that took too long; come back later")
def fundamentals(query: dict[str, Any], symbol: str) -> Mapping[str, Any]:
    """Statements of the last ten years in crores of rupees."""
    with runtime().database.read() as session:
        kept = service.find(session, symbol, query["type"])
    if kept.is_due:
        _refresh(kept)
    return success(kept.data)


def _refresh(kept: service.Kept) -> None:
    """The old statements are served meanwhile."""
    try:
        request_lookup(**service.lookup_of(kept.symbol, kept.kind))
    except Unavailable as busy:
        logger.info("statements not refreshed", extra={"symbol": kept.symbol, "reason": busy.message})
