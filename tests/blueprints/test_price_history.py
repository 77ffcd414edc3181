"""Daily prices over HTTP, on both engines: rows, and a picture drawn by the real child process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date
from xml.etree import ElementTree as ET

import pytest

from klyx.charts import drawing
from klyx.services import price_history
from klyx.services.price_history import FetchedBars
from klyx.sources.base import DailyBar
from tests.api import Api
from tests.services.technicals.bars import LAST_DAY, bars_of_closes, random_bars
from tests.stock_api import add

SVG = "{http://www.w3.org/2000/svg}"
BARS = random_bars(700)


def with_prices(api: Api, bars: Sequence[DailyBar] = BARS, name: str = "Mahindra & Mahindra", code: str = "M&M") -> int:
    stock_id = add(api, name, code)
    with api.runtime.database.begin() as session:
        price_history.store_bars(session, {stock_id: FetchedBars(tuple(bars), True)})
    return stock_id


def test_history_is_a_row_for_each_session(api: Api) -> None:
    with_prices(api)

    answer = api.get("/api/stock/M%26M/history", params={"period": "1m"})

    assert answer.status_code == 200, answer.text
    body = answer.json()
    shown = [bar for bar in BARS if bar.day >= date(2026, 10, 20)]
    assert body["data"] == [
        {
            "date": bar.day.isoformat(),
            "open": bar.open,
            "high": bar.high,
            "low": bar.low,
            "close": bar.close,
            "volume": bar.volume,
        }
        for bar in shown
    ]
    assert body["metadata"] == {
        "symbol": "M&M",
        "stock_name": "Mahindra & Mahindra",
        "period": "1m",
        "sessions": len(shown),
        "first_date": "2026-10-20",
        "last_date": LAST_DAY.isoformat(),
        "currency": "INR",
    }


def test_a_year_is_meant_without_a_period_and_each_period_is_longer(api: Api) -> None:
    with_prices(api)

    def sessions(period: str) -> int:
        answer = api.get("/api/v1/stock/m&m.ns/history", params={"period": period} if period else {})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["metadata"]["sessions"])

    lengths = [sessions(period) for period in ("1m", "3m", "6m", "1y", "3y", "MAX")]
    assert lengths == sorted(lengths)
    assert lengths[-1] == 700
    assert sessions("") == sessions("1y") == sessions(" 1Y ")


@pytest.mark.parametrize("path", ["history", "chart.svg"])
def test_what_cannot_be_answered(api: Api, path: str) -> None:
    add(api, "Infosys", "INFY")

    assert api.get(f"/api/stock/UNKNOWN/{path}").status_code == 404
    assert api.get(f"/api/stock/undefined/{path}").status_code == 404
    wrong = api.get(f"/api/stock/INFY/{path}", params={"period": "2w"})
    assert wrong.status_code == 400
    assert "1m, 3m, 6m, 1y, 3y, max" in wrong.json()["message"]


def test_a_stock_without_prices_has_an_empty_history_and_a_picture_that_says_so(api: Api) -> None:
    add(api, "A < B & C", "INFY")

    history = api.get("/api/stock/INFY/history")
    assert (history.status_code, history.json()["data"]) == (200, [])
    assert "come back later" in history.json()["message"]
    chart = api.get("/api/stock/INFY/chart.svg")
    assert (chart.status_code, chart.headers["Content-Type"]) == (200, "image/svg+xml")
    assert "no daily prices" in "".join(ET.fromstring(chart.content).itertext())


def test_the_answers_follow_new_prices(api: Api) -> None:
    stock_id = with_prices(api, BARS[:-1])
    first = api.get("/api/stock/M&M/history")
    same = api.get("/api/stock/M&M/history", headers={"If-None-Match": first.headers["ETag"]})
    assert same.status_code == 304

    with api.runtime.database.begin() as session:
        price_history.store_bars(session, {stock_id: FetchedBars((BARS[-1],), False)})

    newer = api.get("/api/stock/M&M/history", headers={"If-None-Match": first.headers["ETag"]})
    assert newer.json()["metadata"]["last_date"] == BARS[-1].day.isoformat()


def test_a_chart_is_a_picture_that_can_be_read_aloud(api: Api) -> None:
    with_prices(api)

    answer = api.get("/api/stock/M&M/chart.svg")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    root = ET.fromstring(answer.content)
    title, description = root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert title == "Mahindra & Mahindra (M&M): daily closing prices, 20 Nov 2025 to 20 Nov 2026"
    assert description is not None
    assert "200-day average" in description
    assert "lowest close" in description
    words = [element.text for element in root.iter(f"{SVG}text")]
    assert {"Close", "50-day average", "200-day average", "Volume", "Mahindra & Mahindra (M&M)"} <= set(words)


def test_a_chart_carries_nothing_that_runs_and_asks_for_nothing(api: Api) -> None:
    with_prices(api, BARS[-300:], name="Evil <script>alert(1)</script> $x^2$ & Sons")

    answer = api.get("/api/stock/M&M/chart.svg", params={"period": "3m"})

    assert answer.status_code == 200, answer.text
    root = ET.fromstring(answer.content)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "g", "path", "text", "use", "defs"}
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert "href" not in name or value.startswith("#")
            assert "url(" not in value
            assert name != "style"
    assert b"<!DOCTYPE" not in answer.content
    assert len(answer.content) < 60_000


@pytest.mark.parametrize(
    "bars",
    [
        random_bars(1),
        random_bars(2),
        random_bars(60),
        bars_of_closes([100.0] * 300, volume=0),
        bars_of_closes([150_000.0 + day for day in range(300)], volume=90_000_000),
        bars_of_closes([0.05] * 20),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_odd_histories_are_drawn_too(api: Api, bars: list[DailyBar]) -> None:
    with_prices(api, bars)

    answer = api.get("/api/stock/M&M/chart.svg", params={"period": "max"})

    assert answer.status_code == 200, answer.text
    assert b"nan" not in answer.content.lower()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_beyond_a_few_at_once_people_are_asked_to_come_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with_prices(api)
    monkeypatch.setattr(drawing, "_places", threading.BoundedSemaphore(1))
    with drawing._places:
        busy = api.get("/api/stock/M&M/chart.svg")

    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "3")
    assert api.get("/api/stock/M&M/chart.svg").status_code == 200
