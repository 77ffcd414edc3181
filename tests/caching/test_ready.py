"""What must not get lost when an answer leaves before Flask."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable

import pytest
import requests
from flask import Flask

from klyx.config import Settings
from tests.api import Api, serve
from tests.stock_rows import add_stock

STOCK = "/api/stock/INFY"
ORIGIN = "http://localhost:3000"
# What differs from one exchange to the next.
OWN = {"Date", "X-Request-ID"}


@pytest.fixture(autouse=True)
def _stock(api: Api) -> None:
    with api.runtime.database.begin() as session:
        add_stock(session, "Infosys Ltd.", "INFY")


def headers_of(answer: requests.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OWN}


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("origin", [None, ORIGIN, "https://evil.example"])
def test_the_second_answer_looks_like_the_first(api: Api, encoding: str, origin: str | None) -> None:
    sent = {"Accept-Encoding": encoding, **({"Origin": origin} if origin else {})}
    first, second = (api.get(STOCK, headers=sent) for _ in range(2))
    assert headers_of(second) == headers_of(first)
    assert second.content == first.content
    assert second.headers["X-Frame-Options"] == "DENY"
    assert second.headers.get("Access-Control-Allow-Origin") == (ORIGIN if origin == ORIGIN else None)
    assert "Origin" in second.headers["Vary"]
    known = {**sent, "If-None-Match": first.headers["ETag"]}
    unchanged = api.get(STOCK, headers=known)
    assert unchanged.status_code == 304
    left_out = {"Content-Type", "Content-Length", "Content-Encoding"}
    expected = {name: value for name, value in headers_of(first).items() if name not in left_out}
    assert headers_of(unchanged) == expected


def test_an_origin_does_not_get_the_answer_to_another(api: Api) -> None:
    for origin in (ORIGIN, "http://localhost:3001", ORIGIN, "http://localhost:3001"):
        answer = api.get(STOCK, headers={"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_both_spellings_of_the_version_are_one(api: Api) -> None:
    assert api.get("/api/v1/stock/INFY").content == api.get(STOCK).content == api.get("/api/v1/stock/INFY").content


def test_each_answer_has_its_request_id_and_its_line(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="klyx.request"):
        for number in range(3):
            answer = api.get(f"{STOCK}?email=a@example.org", headers={"X-Request-ID": f"request-{number}"})
            assert answer.headers["X-Request-ID"] == f"request-{number}"
        ids = {api.get(STOCK).headers["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3
    lines = [record for record in caplog.records if record.name == "klyx.request"]
    assert len(lines) == 6
    for record in lines:
        assert record.__dict__["route"] in ("/api/stock/<nse_code>", "/api/database/stocks/<nse_code>")
        assert (record.__dict__["status"], record.__dict__["method"]) == (200, "GET")
        assert "example.org" not in json.dumps(record.__dict__, default=str)


def test_floods_are_stopped_and_told_in_json(
    api: Api, app_settings: Settings, fresh_app: Callable[[Settings], Flask]
) -> None:
    settings = dataclasses.replace(app_settings, rate_limit_default="10 per day")
    with serve(fresh_app(settings)) as url:
        answers = [requests.get(url + STOCK, headers={"Origin": ORIGIN}) for _ in range(12)]
        elsewhere = requests.get(f"{url}/api/screener/presets")
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    assert answers[-1].json()["status"] == "error"
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert answers[-1].headers["Access-Control-Allow-Origin"] == ORIGIN
    assert elsewhere.status_code == 429


def test_a_session_is_counted_apart_from_its_address(
    api: Api, app_settings: Settings, fresh_app: Callable[[Settings], Flask]
) -> None:
    settings = dataclasses.replace(app_settings, rate_limit_default="5 per day")
    with serve(fresh_app(settings)) as url:
        browser = requests.Session()
        upload = {"files[]": ("a.csv", b"Stock Name,NSE Code\nInfosys Ltd.,INFY\n")}
        assert browser.post(f"{url}/api/upload", files=upload).status_code == 200
        assert [requests.get(url + STOCK).status_code for _ in range(6)] == [200] * 5 + [429]
        assert [browser.get(url + STOCK).status_code for _ in range(6)] == [200] * 5 + [429]
        forged = {"Cookie": "klyx_workspace=invented"}
        assert requests.get(url + STOCK, headers=forged).status_code == 429


def test_a_change_of_the_data_is_seen_before_the_answer_leaves(api: Api) -> None:
    for number in range(30):
        with api.runtime.database.begin() as session:
            add_stock(session, f"Company {number}", f"C{number}")
        assert api.get("/api/database/stats").json()["data"]["total_stocks"] == number + 2
