"""What every test of the debt planner needs: its calls, checked, and a debt."""

from __future__ import annotations

from typing import Any

import requests

from tests.api import RegisteredUser

PREFIX = "/api/debt-optimizer"
CARD: dict[str, Any] = {
    "id": "7f1c",
    "name": "Card",
    "type": "Credit Card",
    "outstandingBalance": 50000,
    "monthlyInterestRate": 3.5,
    "minimumPayment": 2500.25,
}


def call(user: RegisteredUser, method: str, path: str, body: Any = None) -> requests.Response:
    answer = user.client.request(method, PREFIX + path, json=body, headers=user.headers)
    assert answer.json()["status"] == ("success" if answer.ok else "error"), answer.text
    assert answer.ok or answer.json()["message"]
    return answer


def create(user: RegisteredUser, name: str, **others: Any) -> dict[str, Any]:
    body = {"name": name, "debts": [CARD], "monthlyBudget": 10000, **others}
    answer = call(user, "POST", "/scenarios", body)
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def current(user: RegisteredUser) -> dict[str, Any] | None:
    body = call(user, "GET", "/current").json()
    assert "data" in body
    data: dict[str, Any] | None = body["data"]
    return data


def listed(user: RegisteredUser) -> list[dict[str, Any]]:
    data = call(user, "GET", "/scenarios").json()["data"]
    assert data["count"] == len(data["scenarios"])
    return list(data["scenarios"])
