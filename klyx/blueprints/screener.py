"""`/api/screener/...`: ready-made screens, screens of one's own, and the fields they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Response

from klyx.caching.answers import NEVER_CHANGES, cached
from klyx.database.versions import STOCKS
from klyx.openapi import Blueprint
from klyx.schemas.envelope import success
from klyx.schemas.screener import (
    FieldsAnswer,
    FieldsQuery,
    FieldStatisticsAnswer,
    FilterQuery,
    FormatQuery,
    PresetQuery,
    PresetsAnswer,
    ScreenAnswer,
)
from klyx.services import screener
from klyx.services.screener import FieldSummary, ScreenResult
from klyx.web import runtime

blueprint = Blueprint("screener", __name__, url_prefix="/api/screener", description="Screening stocks")


@blueprint.get("/presets")
@cached(NEVER_CHANGES, ttl_seconds=3600, browser_seconds=3600)
@blueprint.response(200, PresetsAnswer)
def presets() -> Mapping[str, Any]:
    # One client reads `data`, older ones read `presets`.
    return success(screener.PRESETS, presets=screener.PRESETS)


@blueprint.get("/preset/<preset_id>")
@blueprint.arguments(PresetQuery, location="query")
@cached(STOCKS, ttl_seconds=300)
@blueprint.response(200, ScreenAnswer)
@blueprint.alt_response(404, description="There is no such preset")
def run_preset(query: dict[str, Any], preset_id: str) -> Mapping[str, Any] | Response:
    preset = screener.find_preset(preset_id)
    with runtime().database.read() as session:
        result = screener.run_screen(
            session, preset.screen, limit=query["limit"], offset=query["offset"], columns=query["columns"]
        )
    if query["format"] == "csv":
        return screen_download(result, preset.id)
    return screen_answer(result, preset_name=preset.name, description=preset.description)


@blueprint.post("/filter")
@blueprint.arguments(FilterQuery)
@blueprint.arguments(FormatQuery, location="query")
@cached(STOCKS, ttl_seconds=300)
@blueprint.response(200, ScreenAnswer)
def run_filter(query: dict[str, Any], address: dict[str, str]) -> Mapping[str, Any] | Response:
    """`format=csv` may stand in the body or in the address."""
    screen = screener.parse_screen(query["screen"])
    with runtime().database.read() as session:
        result = screener.run_screen(
            session, screen, limit=query["limit"], offset=query["offset"], columns=query["columns"]
        )
    is_csv = "csv" in (query["format"], address["format"])
    return screen_download(result, "filter") if is_csv else screen_answer(result)


@blueprint.get("/fields")
@blueprint.arguments(FieldsQuery, location="query")
@cached(STOCKS, ttl_seconds=3600)
@blueprint.response(200, FieldsAnswer)
def list_fields(query: dict[str, str]) -> Mapping[str, Any]:
    """The fields of screens. A client offers each for comparing with a number, so others come only with `types=all`."""
    with runtime().database.read() as session:
        summaries = screener.field_summaries(session)
    listed = [_field(summary) for summary in summaries if query["types"] == "all" or summary.field.is_number]
    return success(listed, fields=listed)


@blueprint.get("/field/<path:name>/stats")
@cached(STOCKS, ttl_seconds=3600)
@blueprint.response(200, FieldStatisticsAnswer)
@blueprint.alt_response(404, description="There is no such field, or there are no figures for it")
def field_statistics(name: str) -> Mapping[str, Any]:
    field = screener.field_in_address(name)
    with runtime().database.read() as session:
        distribution = screener.field_distribution(session, field)
    return success(distribution, stats=distribution)


def screen_answer(result: ScreenResult, **about: Any) -> Mapping[str, Any]:
    """A page of matches with its totals; `about` goes into the metadata, before them."""
    metadata = {
        **about,
        "total_matches": result.total_matches,
        "total_stocks": result.total_stocks,
        "match_rate": result.match_rate,
        "filters_applied": result.filters_applied,
    }
    # Both clients read `data` alone: a copy of the rows beside it would be half of the bytes.
    return success({"results": orjson.Fragment(result.encoded), "metadata": metadata}, source="database")


def screen_download(result: ScreenResult, name: str) -> Response:
    """A page of matches as a file, whose name tells `name` and the date."""
    answer = Response(screener.as_csv(result), content_type=screener.CSV_CONTENT_TYPE)
    file_name = screener.file_name(name, datetime.now(UTC))
    answer.headers.set("Content-Disposition", "attachment", filename=file_name)
    return answer


def _field(summary: FieldSummary) -> dict[str, Any]:
    field = summary.field
    return {
        "field": field.name,
        "db_field": field.column,
        "category": field.category,
        "type": field.kind,
        "unit": field.unit or None,
        "null_count": summary.null_count,
        "stats": summary.statistics,
    }
