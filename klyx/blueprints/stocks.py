"""`/api/database/...` and `/api/stock/...`: lists, search, single stocks, batches, figures over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from orjson import Fragment

from klyx.caching.answers import cached
from klyx.caching.kept import kept
from klyx.database.versions import STOCKS
from klyx.openapi import Blueprint
from klyx.schemas.envelope import success
from klyx.schemas.stocks import (
    SectorsAnswer,
    StatisticsAnswer,
    StockBatchAnswer,
    StockBatchQuery,
    StockDetailsAnswer,
    StockDetailsQuery,
    StockListAnswer,
    StockListQuery,
)
from klyx.services import stocks
from klyx.web import runtime

blueprint = Blueprint("stocks", __name__, url_prefix="/api", description="Stocks of the exchange")


@blueprint.get("/database/stocks")
@blueprint.arguments(StockListQuery, location="query")
@cached(STOCKS, ttl_seconds=300)
@blueprint.response(200, StockListAnswer)
def list_stocks(query: dict[str, Any]) -> Mapping[str, Any]:
    limit, offset = query["limit"], query["offset"]
    narrowed_by = {name: query[name] for name in ("sector", "search", "min_quality")}
    with runtime().database.read() as session:
        page = stocks.list_stocks(session, limit=limit, offset=offset, **narrowed_by)
    total = stocks.known_total(len(page), limit=limit, offset=offset)
    if total is None:
        total = kept(STOCKS, ("count", narrowed_by), partial(_count, **narrowed_by))
    pagination = {"limit": limit, "offset": offset, "total": total, "has_more": offset + limit < total}
    # One client reads the total inside `pagination`, the other beside it.
    return success(Fragment(stocks.encode_stocks(page)), pagination=pagination, total=total)


def _count(**narrowed_by: Any) -> int:
    with runtime().database.read() as session:
        return stocks.count_stocks(session, **narrowed_by)


@blueprint.post("/database/stocks/batch")
@blueprint.arguments(StockBatchQuery)
@blueprint.response(200, StockBatchAnswer)
def batch(query: dict[str, list[str]]) -> Mapping[str, Any]:
    names = query["stock_names"]
    with runtime().database.read() as session:
        found = stocks.batch(session, names)
    metadata = {"requested": len(names), "found": len(found.rows), "missing": found.missing}
    return success(Fragment(stocks.encode_stocks(found.rows)), metadata=metadata)


@blueprint.get("/stock/<nse_code>")
@blueprint.get("/database/stocks/<nse_code>")
@blueprint.arguments(StockDetailsQuery, location="query")
@cached(STOCKS, ttl_seconds=900)
@blueprint.response(200, StockDetailsAnswer)
@blueprint.alt_response(404, description="There is no stock with this symbol")
def stock(query: dict[str, bool], nse_code: str) -> Mapping[str, Any]:
    with runtime().database.read() as session:
        found = stocks.find_stock(session, nse_code)
        # Beside the stock and not within: clients show every member of it, and cannot show an object.
        extra: dict[str, Any] = {"provenance": stocks.provenance_of(session, found)} if query["provenance"] else {}
    return success(found, **extra)


@blueprint.get("/database/sectors")
@cached(STOCKS, ttl_seconds=3600, browser_seconds=3600)
@blueprint.response(200, SectorsAnswer)
def sectors() -> Mapping[str, Any]:
    with runtime().database.read() as session:
        return success(stocks.sectors(session))


@blueprint.get("/database/stats")
@cached(STOCKS, ttl_seconds=300)
@blueprint.response(200, StatisticsAnswer)
def statistics() -> Mapping[str, Any]:
    with runtime().database.read() as session:
        return success(stocks.statistics(session))
