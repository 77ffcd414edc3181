"""`/api/stock/<symbol>/history` and `/api/stock/<symbol>/chart.svg`: daily prices, as rows and as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from klyx.caching.answers import cached
from klyx.database.versions import PRICES
from klyx.openapi import Blueprint
from klyx.schemas.envelope import success
from klyx.schemas.price_history import PriceHistoryAnswer, PriceHistoryQuery
from klyx.services import price_charts, price_history
from klyx.web import runtime

blueprint = Blueprint("price_history", __name__, url_prefix="/api/stock", description="Daily prices")
SVG = "image/svg+xml"
PICTURE = {"type": "string", "example": '<svg role="img"><title>Infosys (INFY): daily closing prices</title></svg>'}
NO_PRICES = "There are no daily prices of this stock yet. They are fetched every trading day; please come back later."


@blueprint.get("/<symbol>/history")
@blueprint.arguments(PriceHistoryQuery, location="query")
@cached(PRICES, ttl_seconds=900)
@blueprint.response(200, PriceHistoryAnswer)
@blueprint.alt_response(404, description="There is no stock with this symbol")
def history(query: dict[str, str], symbol: str) -> Mapping[str, Any]:
    """One row for each session, oldest first; empty when no prices are known yet."""
    period = query["period"]
    with runtime().database.read() as session:
        stock = price_history.find_stock_name(session, symbol)
        bars = price_history.read_period(session, stock.id, period)
    rows = [
        {
            "date": bar.day,
            "open": bar.open,
            "high": bar.high,
            "low": bar.low,
            "close": bar.close,
            "volume": bar.volume,
        }
        for bar in bars
    ]
    metadata = {
        "symbol": stock.nse_code,
        "stock_name": stock.stock_name,
        "period": period,
        "sessions": len(bars),
        "first_date": bars[0].day if bars else None,
        "last_date": bars[-1].day if bars else None,
        "currency": "INR",
    }
    return success(rows, None if bars else NO_PRICES, metadata=metadata)


@blueprint.get("/<symbol>/chart.svg")
@blueprint.arguments(PriceHistoryQuery, location="query")
@cached(PRICES, ttl_seconds=900)
@blueprint.response(200, PICTURE, content_type=SVG, description="A picture that says so when no prices are known yet")
@blueprint.alt_response(404, description="There is no stock with this symbol")
@blueprint.alt_response(503, description="Too many charts are being drawn; come back after Retry-After")
def chart(query: dict[str, str], symbol: str) -> Response:
    """Closing prices with their 50- and 200-day averages, and volumes; with a title and a description in words."""
    with runtime().database.read() as session:
        stock = price_history.find_stock_name(session, symbol)
        request = price_charts.read_chart(session, stock, query["period"])
    return Response(
        price_charts.picture(request, stock, runtime().settings.instance_folder / "charts"), content_type=SVG
    )
