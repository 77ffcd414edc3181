"""Health, for load balancers and people."""

from __future__ import annotations

from typing import Any

from klyx.openapi import Blueprint
from klyx.schemas.health import HealthSchema

blueprint = Blueprint("health", __name__, description="Is the service up")


@blueprint.get("/api/health", endpoint="api_health")
@blueprint.get("/health")
@blueprint.response(200, HealthSchema)
def health() -> dict[str, Any]:
    return {"status": "ok", "service": "klyx", "version": "1.0.0"}
