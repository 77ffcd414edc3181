"""What callers notice of ready answers, over HTTP."""

from __future__ import annotations

import dataclasses
import gzip
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import event, update
from sqlalchemy.exc import OperationalError

from klyx.caching.entry import Entry
from klyx.config import Settings
from klyx.database.models import Stock
from tests.api import Api, serve
from tests.stock_rows import add_stock

LISTED = "/api/database/stocks"
PUBLIC = (
    LISTED,
    f"{LISTED}?search=info&limit=5",
    "/api/stock/INFY",
    "/api/database/stocks/INFY",
    "/api/database/sectors",
    "/api/database/stats",
    "/api/screener/preset/value",
    "/api/screener/fields",
    "/api/screener/field/Current Price/stats",
)


@pytest.fixture(autouse=True)
def _stocks(api: Api) -> None:
    change(api, price=None)


def change(api: Api, price: float | None) -> None:
    """Adds INFY, or gives it another price, as another process would."""
    with api.runtime.database.begin() as session:
        if price is None:
            figures = {"current_price": 1500.0, "sector_name": "IT", "pe_ttm": 12.0, "roe_annual_pct": 30.0}
            more = {"market_cap": 6e12, "debt_to_equity": 0.1, "current_ratio": 2.0}
            add_stock(session, "Infosys Ltd.", "INFY", **figures, **more)
        else:
            session.execute(update(Stock).values(current_price=price))


@contextmanager
def computations(api: Api) -> Iterator[list[str]]:
    """The statements on stocks that are sent meanwhile."""
    sent: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if "FROM stocks" in statement:
            sent.append(statement)

    engine = api.runtime.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plain(api: Api, path: str, **headers: str) -> requests.Response:
    return api.get(path, headers={"Accept-Encoding": "identity", **headers})


@pytest.mark.parametrize("path", PUBLIC)
def test_a_second_request_costs_no_statement_and_a_change_shows_at_once(api: Api, path: str) -> None:
    first = plain(api, path)
    assert first.status_code == 200
    with computations(api) as sent:
        for _ in range(3):
            again = plain(api, path)
            assert (again.content, again.headers["ETag"]) == (first.content, first.headers["ETag"])
    assert sent == []
    with api.runtime.database.begin() as session:
        session.execute(update(Stock).values(current_price=99.5, sector_name="Banks", data_quality_score=70))
        add_stock(session, "Info Edge Ltd.", "NAUKRI", market_cap=1e11)
    later = plain(api, path)
    assert later.content != first.content
    assert later.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("path", [*PUBLIC, "/api/screener/presets"])
def test_a_known_answer_is_not_sent_again(api: Api, path: str) -> None:
    first = plain(api, path)
    etag = first.headers["ETag"]
    assert etag.startswith('"')
    with computations(api) as sent:
        for offered in (etag, f'"other", {etag}', f"W/{etag}"):
            again = plain(api, path, **{"If-None-Match": offered})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["ETag"] == etag
            assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
            assert again.headers["Vary"] == first.headers["Vary"]
    assert sent == []
    assert plain(api, path, **{"If-None-Match": '"other"'}).status_code == 200


def test_any_answer_will_do_for_a_client_that_says_so_once_there_is_one(api: Api) -> None:
    any_answer = {"If-None-Match": "*"}
    for _ in range(3):  # not kept yet, then ready
        answer = plain(api, "/api/stock/INFY", **any_answer)
        assert (answer.status_code, answer.content) == (304, b"")
        assert plain(api, "/api/stock/NOSUCH", **any_answer).status_code == 404
        assert plain(api, "/api/stock/INFY").headers["ETag"] == answer.headers["ETag"]
    assert plain(api, LISTED, **{"If-None-Match": '"*"'}).status_code == 200
    asha = api.register()
    assert plain(api, "/api/portfolio", **asha.headers, **any_answer).status_code == 304


def test_an_etag_is_believed_before_anything_is_computed(api: Api, fresh_app: Callable[[Settings], Flask]) -> None:
    etag = plain(api, LISTED).headers["ETag"]
    api.runtime.redis.flushall()
    with serve(fresh_app(api.runtime.settings)) as url, Api(url, api.app) as restarted, computations(api) as sent:
        assert plain(restarted, LISTED, **{"If-None-Match": etag}).status_code == 304
    assert sent == []


@pytest.mark.parametrize(
    "same",
    [
        "?limit=50&offset=0",
        "?offset=0&limit=50",
        "?utm_source=mail",
        "?search=&sector=",
        "?limit=050&unknown=1",
    ],
)
def test_order_defaults_and_unknown_parameters_do_not_matter(api: Api, same: str) -> None:
    first = plain(api, LISTED)
    with computations(api) as sent:
        again = plain(api, LISTED + same)
    assert (again.content, again.headers["ETag"], sent) == (first.content, first.headers["ETag"], [])


def test_other_questions_have_other_answers(api: Api) -> None:
    paths = (LISTED, f"{LISTED}?limit=1", f"{LISTED}?search=x", f"{LISTED}?min_quality=95", "/api/stock/INFY")
    assert len({plain(api, path).headers["ETag"] for path in paths}) == len(paths)


def test_a_compressed_body_has_an_etag_of_its_own(api: Api) -> None:
    identity = plain(api, LISTED)
    for _ in range(2):
        compressed = api.get(LISTED, headers={"Accept-Encoding": "br, gzip"}, stream=True)
        assert compressed.headers["Content-Encoding"] == "gzip"
        assert compressed.headers["ETag"] != identity.headers["ETag"]
        assert "Accept-Encoding" in compressed.headers["Vary"]
        assert gzip.decompress(compressed.raw.read(decode_content=False)) == identity.content
    known = {"If-None-Match": compressed.headers["ETag"], "Accept-Encoding": "gzip"}
    assert api.get(LISTED, headers=known).headers["ETag"] == compressed.headers["ETag"]
    refused = plain(api, LISTED, **{"Accept-Encoding": "gzip;q=0, identity"})
    assert "Content-Encoding" not in refused.headers


def test_only_successes_are_kept(api: Api) -> None:
    for _ in range(2):
        missing = api.get("/api/stock/TCS")
        assert (missing.status_code, missing.headers["Cache-Control"]) == (404, "no-store")
        assert "ETag" not in missing.headers
    with api.runtime.database.begin() as session:
        add_stock(session, "Tata Consultancy Services Ltd.", "TCS")
    assert api.get("/api/stock/TCS").status_code == 200
    assert api.get(f"{LISTED}?limit=x").status_code == 400


def test_a_database_that_fails_is_not_hidden_and_not_kept(api: Api) -> None:
    def fail(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if "FROM stocks" in statement:
            raise OperationalError(statement, {}, Exception("gone"))

    event.listen(api.runtime.database.engine, "before_cursor_execute", fail)
    assert api.get(LISTED).status_code == 503
    event.remove(api.runtime.database.engine, "before_cursor_execute", fail)
    assert api.get(LISTED).status_code == 200


def test_head_answers_like_get_without_a_body(api: Api) -> None:
    got = plain(api, LISTED)
    for _ in range(2):
        head = api.head(LISTED, headers={"Accept-Encoding": "identity"})
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["ETag"] == got.headers["ETag"]
        assert head.headers["Content-Length"] == str(len(got.content))


def test_a_filter_is_kept_by_its_body_and_not_by_browsers(api: Api) -> None:
    def ask(value: int) -> requests.Response:
        body = {"filters": [{"field": "pe_ttm", "operator": "lt", "value": value}]}
        return api.post("/api/screener/filter", json=body)

    first = ask(20)
    assert first.json()["data"]["metadata"]["total_matches"] == 1
    assert first.headers["Cache-Control"] == "no-store"
    with computations(api) as sent:
        assert ask(20).content == first.content
    assert sent == []
    assert ask(5).json()["data"]["metadata"]["total_matches"] == 0
    change(api, price=10.0)
    assert ask(20).json()["data"]["results"][0]["Current Price"] == 10.0


def test_a_download_keeps_its_name(api: Api) -> None:
    path = "/api/screener/preset/value?format=csv"
    first, second = plain(api, path), plain(api, path)
    for name in ("Content-Type", "Content-Disposition"):
        assert second.headers[name] == first.headers[name]
    assert "attachment" in first.headers["Content-Disposition"]


def test_a_portfolio_is_its_owners_alone(api: Api) -> None:
    asha, ravi = api.register(), api.register()
    api.post("/api/portfolio/add", json={"stock_name": "Infosys Ltd."}, headers=asha.headers)
    for _ in range(2):
        mine = api.get("/api/portfolio", headers=asha.headers)
        assert mine.json()["data"]["stock_names"] == ["Infosys Ltd."]
        assert mine.headers["Cache-Control"].startswith("private")
        assert "Authorization" in mine.headers["Vary"]
        assert api.get("/api/portfolio", headers=ravi.headers).json()["data"]["stock_names"] == []
        assert api.get("/api/portfolio").status_code == 401
    foreign = {**ravi.headers, "If-None-Match": mine.headers["ETag"]}
    assert api.get("/api/portfolio", headers=foreign).status_code == 200
    known = {**asha.headers, "If-None-Match": mine.headers["ETag"]}
    assert api.get("/api/portfolio", headers=known).status_code == 304


@pytest.mark.parametrize(
    ("path", "body", "left"),
    [
        ("add", {"stock_name": "TCS"}, ["Infosys Ltd.", "TCS"]),
        ("remove", {"stock_name": "Infosys Ltd."}, []),
        ("clear", None, []),
    ],
)
def test_a_changed_portfolio_shows_at_once(
    api: Api, path: str, body: Mapping[str, str] | None, left: list[str]
) -> None:
    user = api.register()
    api.post("/api/portfolio/add", json={"stock_name": "Infosys Ltd."}, headers=user.headers)
    old = api.get("/api/portfolio", headers=user.headers).headers["ETag"]
    assert api.post(f"/api/portfolio/{path}", json=body, headers=user.headers).status_code == 200
    now = api.get("/api/portfolio", headers={**user.headers, "If-None-Match": old})
    assert now.json()["data"]["stock_names"] == left


def test_public_answers_are_the_same_with_and_without_a_token(api: Api) -> None:
    user = api.register()
    anonymous = plain(api, LISTED)
    for headers in (user.headers, {"Authorization": "Bearer null"}):
        signed_in = plain(api, LISTED, **headers)
        assert signed_in.content == anonymous.content
        assert signed_in.headers["Cache-Control"] == anonymous.headers["Cache-Control"]


def test_cold_requests_at_once_are_computed_once(api: Api) -> None:
    def slow(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if "FROM stocks" in statement:
            threading.Event().wait(0.3)

    event.listen(api.runtime.database.engine, "before_cursor_execute", slow)
    with computations(api) as sent, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: requests.get(f"{api.base_url}/api/stock/INFY").content, range(20)))
    assert len(set(answers)) == 1
    assert len(sent) == 1


def test_an_answer_that_is_over_is_served_while_the_next_is_made(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = plain(api, "/api/stock/INFY")
    with api.runtime.database.begin() as session:
        # Around the versions, so that only time can tell that the answer is old.
        session.connection().execute(update(Stock).values(current_price=1.0))
    making, may_end = threading.Event(), threading.Event()

    def slow(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if "FROM stocks" in statement:
            making.set()
            assert may_end.wait(20)

    monkeypatch.setattr(Entry, "is_fresh", property(lambda entry: entry.body != first.content))
    event.listen(api.runtime.database.engine, "before_cursor_execute", slow)
    with ThreadPoolExecutor(1) as pool:
        next_one = pool.submit(requests.get, f"{api.base_url}/api/stock/INFY", timeout=30)
        assert making.wait(20)
        assert plain(api, "/api/stock/INFY").content == first.content
        may_end.set()
        assert next_one.result().json()["data"]["current_price"] == 1.0
    assert plain(api, "/api/stock/INFY").json()["data"]["current_price"] == 1.0


def test_turned_off_every_answer_is_worked_out(
    app_settings: Settings, fresh_app: Callable[[Settings], Flask], api: Api
) -> None:
    app = fresh_app(dataclasses.replace(app_settings, answer_cache_enabled=False))
    with serve(app) as url, Api(url, app) as uncached, computations(uncached) as sent:
        answers = [plain(uncached, "/api/stock/INFY") for _ in range(3)]
    assert len(sent) == 3
    assert "ETag" not in answers[0].headers
