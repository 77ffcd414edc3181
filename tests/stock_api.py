"""Stocks of a running application, put in and asked for."""

from __future__ import annotations

from typing import Any

from tests.api import Api
from tests.stock_rows import add_stock

LISTED = "/api/database/stocks"
BATCH = "/api/database/stocks/batch"


def add(api: Api, stock_name: str, nse_code: str | None, **columns: Any) -> int:
    with api.runtime.database.begin() as session:
        return add_stock(session, stock_name, nse_code, **columns)


def found(api: Api, **query: Any) -> list[str]:
    answer = api.get(LISTED, params=query)
    assert answer.status_code == 200, answer.text
    return [row["nse_code"] for row in answer.json()["data"]]
