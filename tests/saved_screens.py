"""Saved screens over HTTP: what the tests of them and of their runs share."""

from __future__ import annotations

from typing import Any

import requests
from sqlalchemy import func, select, update

from klyx.database.models import ScreenRun, Stock
from tests.api import Api, RegisteredUser
from tests.stock_rows import add_stock

PREFIX = "/api/screener/saved"
CHEAP = {"filters": [{"field": "pe_ttm", "operator": "lt", "value": 20}]}
CANONICAL = {
    "filters": [{"field": "PE TTM Price to Earnings", "operator": "lt", "value": 20}],
    "logic": "AND",
    "sort_by": "Market Capitalization",
    "sort_order": "desc",
}
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


def call(caller: RegisteredUser | Api, method: str, path: str = "", body: Any = None) -> requests.Response:
    client = caller.client if isinstance(caller, RegisteredUser) else caller
    headers = caller.headers if isinstance(caller, RegisteredUser) else {}
    answer = client.request(method, PREFIX + path, json=body, headers=headers)
    assert answer.json()["status"] == ("success" if answer.ok else "error"), answer.text
    assert answer.ok or answer.json()["message"]
    return answer


def save(user: RegisteredUser, name: str = "Cheap", **others: Any) -> dict[str, Any]:
    answer = call(user, "POST", "", {"name": name, **CHEAP, **others})
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def names(caller: RegisteredUser | Api, query: str = "") -> list[str]:
    return [screen["name"] for screen in call(caller, "GET", query).json()["data"]]


def run(caller: RegisteredUser | Api, path: str) -> dict[str, Any]:
    answer = call(caller, "POST", f"{path}/run")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def changes(user: RegisteredUser, path: str, since: str | None = None) -> dict[str, Any]:
    answer = user.client.get(f"{PREFIX}{path}/changes", params={"since": since}, headers=user.headers)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def codes(stocks: list[dict[str, Any]]) -> list[str]:
    return [stock["nse_code"] for stock in stocks]


def add(api: Api, nse_code: str | None, pe_ttm: float | None, **columns: Any) -> int:
    with api.runtime.database.begin() as session:
        return add_stock(session, f"{nse_code} & Co.", nse_code, pe_ttm=pe_ttm, **columns)


def price(api: Api, pe_by_code: dict[str, float | None]) -> None:
    with api.runtime.database.begin() as session:
        for code, pe_ttm in pe_by_code.items():
            session.execute(update(Stock).where(Stock.nse_code == code).values(pe_ttm=pe_ttm))


def run_count(api: Api) -> int:
    with api.runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(ScreenRun)) or 0


def codes_of_rows(data: dict[str, Any]) -> list[str]:
    return [row["NSE Code"] for row in data["results"]]
