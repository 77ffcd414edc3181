"""`/api/stock/<symbol>/multi_source_data`: what all sources say of one stock, asked by a worker."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from klyx.errors import Unavailable
from klyx.identity import rate_limit_key
from klyx.lookup_waiting import wait_for_lookup
from klyx.openapi import Blueprint
from klyx.schemas.envelope import success
from klyx.schemas.market_data import MultiSourceAnswer
from klyx.services import multi_source as service
from klyx.services.multi_source import NotAsked
from klyx.web import runtime

blueprint = Blueprint("market_data", __name__, url_prefix="/api/stock", description="What the sources say")
NOT_ANSWERED = "The market-data sources could not be asked. Please try again later."


@blueprint.get("/<symbol>/multi_source_data")
@blueprint.response(200, MultiSourceAnswer)
@blueprint.alt_response(404, description="There is no such stock")
@blueprint.alt_response(503, description="The sources have to be asked first and that took too long; come back later")
def multi_source_data(symbol: str) -> Response:
    """The newest answer of the last 15 minutes, else the sources are asked."""
    try:
        answer = _find(symbol)
    except NotAsked as missing:
        wait_for_lookup(**missing.lookup, caller=rate_limit_key())
        try:
            answer = _find(symbol)
        except NotAsked as still_missing:
            raise Unavailable(NOT_ANSWERED) from still_missing
    # The raw fields differ from stock to stock, so the schema does not shape them.
    response = jsonify(success(answer["data"], quality=answer["quality"]))
    response.headers["Cache-Control"] = "private, max-age=60"
    return response


def _find(symbol: str) -> Any:
    with runtime().database.read() as session:
        return service.find(session, symbol)
