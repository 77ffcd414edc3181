from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import event

from bench.stocks import fill
from klyx.config import Settings
from klyx.services.screener import PRESETS, ROW_FIELDS
from tests.api import Api, serve
from tests.blueprints.hostile import COUNT, hostile_texts
from tests.stock_rows import add_stock

FILTER = "/api/screener/filter"
CHEAP = {"field": "pe_ttm", "operator": "lt", "value": 20}
ROW_KEYS = [
    *("id", "Stock Name", "NSE Code", "Sector", "Industry", "Current Price", "Day change %", "Month Change %"),
    *("Qtr Change %", "1Yr change %", "Market Capitalization", "PE TTM Price to Earnings"),
    *("Price to Book Value Adjusted", "PS Price to Sales", "PEG TTM PE to Growth", "ROE Annual %", "RoA Annual %"),
    *("Operating Profit Margin Qtr %", "Net Profit Margin Annual %", "Revenue Growth Annual YoY %"),
    *("Net Profit Annual YoY Growth %", "EPS TTM Growth %", "Debt to Equity Ratio", "Current Ratio"),
    *("Operating Revenue Annual", "Operating Revenue Qtr", "Net Profit Annual", "Net Profit Qtr", "Day RSI"),
    *("Day MACD", "Day ADX", "Beta 1Year", "Day SMA50", "Day SMA200", "Day EMA20", "Trendlyne Momentum Score"),
    *("Dividend Yield Annual %", "Promoter holding latest %", "FII holding current Qtr %"),
    *("MF holding current Qtr %", "Data Quality Score", "DII holding current Qtr %", "52 Week High", "52 Week Low"),
    *("Durability Score", "Valuation Score", "ROCE Annual %", "Earnings Yield %", "Relative Strength"),
    *("Data Sources", "Last Updated"),
]


@pytest.fixture
def unlimited_api(app_settings: Settings, fresh_app: Callable[[Settings], Flask]) -> Iterator[Api]:
    """As `api`, without a limit on requests."""
    app = fresh_app(replace(app_settings, rate_limits_enabled=False))
    with serve(app) as url, Api(url, app) as client:
        yield client


def add(api: Api, stock_name: str, nse_code: str | None, **columns: Any) -> int:
    with api.runtime.database.begin() as session:
        return add_stock(session, stock_name, nse_code, **columns)


def run(api: Api, *filters: Any, **others: Any) -> requests.Response:
    return api.post(FILTER, json={"filters": list(filters), **others})


def codes(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["NSE Code"] for row in answer.json()["data"]["results"]]


def refusal(answer: requests.Response, status: int = 400) -> str:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert list(body) == ["status", "message"]
    assert body["status"] == "error"
    assert not {"<", ">"} & set(body["message"])
    return str(body["message"])


def add_some(api: Api) -> None:
    add(api, "Alpha", "ALPHA", pe_ttm=10.0, market_cap=1e10, rsi=20.0, last_updated=datetime(2025, 1, 31, tzinfo=UTC))
    add(api, "Beta", "BETA", pe_ttm=15.0, market_cap=2e10, rsi=60.0, sector_name="IT", week_52_high=5.0)
    add(api, "Gamma", "GAMMA", pe_ttm=40.0, market_cap=3e10, rsi=25.5)
    add(api, "Unknown", "UNKNOWN", last_updated=None)
    add(api, "Poor", "POOR", pe_ttm=1.0, market_cap=9e10, rsi=1.0, data_quality_score=29)


def test_presets_are_listed_twice(api: Api) -> None:
    body = api.get("/api/screener/presets").json()
    assert list(body) == ["status", "data", "presets"]
    assert body["data"] == body["presets"]
    assert [list(preset) for preset in body["data"]] == [["id", "name", "description", "filter_count"]] * 15
    assert body["data"][0]["id"] == "value"
    assert body["data"][0]["filter_count"] == 6


def test_preset_run_has_results_and_metadata_in_data_alone(api: Api) -> None:
    add_some(api)
    body = api.get("/api/screener/preset/rsi_oversold").json()
    assert list(body) == ["status", "data", "source"]
    assert body["source"] == "database"
    assert list(body["data"]) == ["results", "metadata"]
    assert [row["NSE Code"] for row in body["data"]["results"]] == ["ALPHA", "GAMMA"]
    assert body["data"]["metadata"] == {
        "preset_name": "RSI Oversold Bounce",
        "description": next(preset.description for preset in PRESETS if preset.id == "rsi_oversold"),
        "total_matches": 2,
        "total_stocks": 4,
        "match_rate": "50.0%",
        "filters_applied": 3,
    }


def test_preset_without_stocks_is_an_empty_success(api: Api) -> None:
    data = api.get("/api/screener/preset/value").json()["data"]
    assert data["results"] == []
    assert (data["metadata"]["total_matches"], data["metadata"]["match_rate"]) == (0, "0%")


def test_unknown_preset_is_404(api: Api) -> None:
    assert 'preset "no"' in refusal(api.get("/api/screener/preset/no"), 404)
    assert 'preset "b"' in refusal(api.get("/api/screener/preset/<b>"), 404)


def test_presets_send_at_most_500_rows_and_count_all(api: Api) -> None:
    with api.runtime.database.begin() as session:
        for number in range(520):
            add_stock(session, f"Stock {number}", f"S{number:04}", rsi=float(number % 20) + 1, market_cap=6e9)
    path = "/api/screener/preset/rsi_oversold"
    first = api.get(path).json()["data"]
    assert (len(first["results"]), first["metadata"]["total_matches"]) == (500, 520)
    rest = api.get(path, params={"offset": 500}).json()["data"]["results"]
    assert len(rest) == 20
    assert not {row["id"] for row in rest} & {row["id"] for row in first["results"]}
    assert len(api.get(path, params={"limit": "7", "columns": "rsi, Sector"}).json()["data"]["results"]) == 7
    assert len(api.get(path, params={"limit": "9999"}).json()["data"]["results"]) == 500


def test_rows_are_flat_with_identical_keys_of_the_contract(api: Api) -> None:
    add_some(api)
    rows = run(api, {"field": "data_quality_score", "operator": "gte", "value": 0}).json()["data"]["results"]
    assert [list(row) for row in rows] == [ROW_KEYS] * 4
    assert len(ROW_KEYS) == 51 == len(ROW_FIELDS) + 1
    assert [row["NSE Code"] for row in rows] == ["GAMMA", "BETA", "ALPHA", "UNKNOWN"]
    gamma, beta, alpha, unknown = rows
    assert (alpha["Last Updated"], unknown["Last Updated"]) == ("2025-01-31T00:00:00Z", None)
    assert (gamma["Day RSI"], gamma["Market Capitalization"]) == (25.5, 3e10)
    assert (beta["Sector"], beta["52 Week High"], beta["52 Week Low"]) == ("IT", 5.0, None)
    assert {type(value) for row in rows for value in row.values()} == {int, float, str, type(None)}


def test_filter_answers_like_a_preset_without_name(api: Api) -> None:
    add_some(api)
    body = run(api, CHEAP).json()
    assert list(body) == ["status", "data", "source"]
    metadata = body["data"]["metadata"]
    assert metadata == {"total_matches": 2, "total_stocks": 4, "match_rate": "50.0%", "filters_applied": 1}
    assert codes(run(api, CHEAP)) == ["BETA", "ALPHA"]


def test_both_vocabularies_and_every_part_of_the_body(api: Api) -> None:
    add_some(api)
    oversold = {"field": "Tech_RSI", "operator": "lte", "value": 25.5}
    for cheap in (CHEAP, {**CHEAP, "field": "PE TTM Price to Earnings"}):
        assert codes(run(api, cheap, oversold)) == ["ALPHA"]
        assert codes(run(api, cheap, oversold, logic="OR")) == ["GAMMA", "BETA", "ALPHA"]
        assert codes(run(api, {"any": [cheap, oversold]}, oversold, sort_by="Day RSI")) == ["GAMMA", "ALPHA"]
    assert codes(api.post(FILTER, json={"filters": {"any": [CHEAP, oversold]}, "limit": 1, "offset": 1})) == ["BETA"]
    assert codes(run(api, CHEAP, sort_by="pe_ttm", sort_order="asc", limit=None, unknown={"a": 1})) == ["ALPHA", "BETA"]
    assert codes(run(api, {"field": "rsi", "operator": "between", "value": [60, 25.5]})) == ["GAMMA", "BETA"]
    (row,) = run(api, CHEAP, limit=1, columns=["sector_name", "week_change_pct"]).json()["data"]["results"]
    assert list(row) == ["id", "Stock Name", "NSE Code", "Sector", "week_change_pct"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"nonsense",
        b'{"filters": []}',
        b'{"filters": null}',
        b'{"filters": {}}',
        b'{"filters": "pe_ttm < 3"}',
        b'{"filters": [{"field": "pe_ttm", "operator": "lt", "value": 1e400}]}',
        b'{"filters": [{"field": "pe_ttm", "operator": "lt", "value": NaN}]}',
        b'{"filters": [{"field": "pe_ttm", "operator": "lt", "value": null}]}',
        b'{"filters": [{"field": "pe_ttm", "operator": "between", "value": 20}]}',
        b'{"filters": [{"field": "pe_ttm", "operator": "lt", "value": [1, 2]}]}',
        b'{"filters": [{"field": "pe_ttm", "operator": "top", "value": 1e30}]}',
        b'{"filters": [{"field": "pe_ttm", "operator": "top", "value": 99999999999999999999}]}',
        b'{"filters": [{"field": ["pe_ttm"], "operator": "lt", "value": 1}]}',
        b'{"filters": [{"field": "pe_ttm", "operator": {"lt": 1}, "value": 1}]}',
        b'{"filters": [{"field": "pe_ttm", "operator": "lt", "value": 1}], "limit": "many"}',
        b'{"filters": [{"field": "pe_ttm", "operator": "lt", "value": 1}], "limit": true}',
        b'{"filters": [{"field": "pe_ttm", "operator": "lt", "value": 1}], "offset": 1.5}',
        b'{"filters": [{"field": "pe_ttm", "operator": "lt", "value": 1}], "columns": [1]}',
        b'{"filters": [{"field": "pe_ttm", "operator": "lt", "value": 1}], "columns": {}}',
        b'{"filters": [{"field": "pe_ttm", "operator": "lt", "value": 1}], "format": "xml"}',
        b'{"filters": [{"field": "pe_ttm", "operator": "lt", "value": 1}], "sort_order": 1}',
        b'{"filters": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"filters": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"filters": ' + b'{"all": [' * 400 + b"]}" * 400 + b"}",
        b'{"filters": ' + json.dumps([CHEAP] * 10_000).encode() + b"}",
        b'{"filters": [{"field": "pe_ttm", "operator": "in", "value": ' + json.dumps([1] * 10_000).encode() + b"}]}",
    ],
    ids=lambda body: body[:70].decode(),
)
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_wrong_body_is_refused(api: Api, body: bytes) -> None:
    answer = api.post(FILTER, data=body, headers={"Content-Type": "application/json"})
    assert refusal(answer), "a refusal says what to do"


def test_very_large_and_very_small_numbers_are_compared_like_others(api: Api) -> None:
    add_some(api)
    all_known = ["GAMMA", "BETA", "ALPHA"]
    numbers: list[tuple[str, float, list[str]]] = [
        ("lt", 1e300, all_known),
        ("lt", 10**19, all_known),
        ("lt", 123456789012345678901234567890, all_known),
        ("gt", -1.7976931348623157e308, all_known),
        ("gt", 5e-324, all_known),
        ("gt", -0.0, all_known),
        ("eq", 2**63, []),
    ]
    for operator, number, expected in numbers:
        assert codes(run(api, {"field": "pe_ttm", "operator": operator, "value": number})) == expected, number
        score = {"field": "data_quality_score", "operator": operator, "value": number}
        assert len(codes(run(api, score))) == (4 if expected else 0), number
        upside = {"field": "upside_12m_pct", "operator": operator, "value": number}
        assert codes(run(api, upside)) == []


def test_no_hostile_text_reaches_the_database(unlimited_api: Api) -> None:
    api = unlimited_api
    texts = hostile_texts()
    assert len(set(texts)) == COUNT
    statements: list[str] = []
    event.listen(api.runtime.database.engine, "before_cursor_execute", lambda _c, _k, text, *_: statements.append(text))
    for text in texts:
        bodies: list[dict[str, Any]] = [
            {"filters": [{**CHEAP, "field": text}]},
            {"filters": [{**CHEAP, "operator": text}]},
            {"filters": [{**CHEAP, "value": text}]},
            {"filters": [{"field": "rsi", "operator": "gt_field_factor", "value": [text, 2]}]},
            {"filters": [CHEAP], "sort_by": text},
            {"filters": [CHEAP], "columns": ["rsi", text]},
        ]
        for body in bodies:
            refusal(api.post(FILTER, data=json.dumps(body)))
    assert statements == []
    assert codes(run(api, CHEAP)) == []
    assert statements


def test_hostile_text_in_a_text_field_is_a_bound_value(api: Api) -> None:
    add(api, "O'Neil; DROP TABLE stocks; --", "ONEIL")
    statements: list[str] = []
    event.listen(api.runtime.database.engine, "before_cursor_execute", lambda _c, _k, text, *_: statements.append(text))
    for operator, value in (("contains", "; DROP TABLE"), ("eq", "O'Neil; DROP TABLE stocks; --")):
        assert codes(run(api, {"field": "Stock Name", "operator": operator, "value": value})) == ["ONEIL"]
    assert codes(run(api, {"field": "Stock Name", "operator": "in", "value": ["' OR '1'='1", "%s", ":x"]})) == []
    assert len(statements) >= 3
    assert not any("DROP" in text or "'1'='1" in text for text in statements)


def test_csv_is_an_attachment_without_formulas(api: Api) -> None:
    add(api, "=HYPERLINK(1)", "HOSTILE", pe_ttm=3.5, sector_name="@SUM(1)")
    for answer in (
        api.post(FILTER, json={"filters": [CHEAP], "format": "csv", "columns": ["pe_ttm", "Sector"]}),
        api.post(f"{FILTER}?format=csv", json={"filters": [CHEAP], "columns": ["pe_ttm", "Sector"]}),
    ):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=klyx-screener-filter-")
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert rows == [
            ["Stock Name", "NSE Code", "PE TTM Price to Earnings", "Sector"],
            ["'=HYPERLINK(1)", "HOSTILE", "3.5", "'@SUM(1)"],
        ]
    empty = api.get("/api/screener/preset/value", params={"format": "csv"})
    assert "klyx-screener-value-" in empty.headers["Content-Disposition"]
    assert list(csv.reader(io.StringIO(empty.content.decode("utf-8-sig")))) == [ROW_KEYS[1:]]
    assert "Choose one of" in refusal(api.get("/api/screener/preset/value", params={"format": "xml"}))
    assert 'column "x"' in refusal(api.get("/api/screener/preset/value", params={"columns": "rsi,x"}))


def test_fields_are_listed_twice_with_numbers_or_null(api: Api) -> None:
    add_some(api)
    body = api.get("/api/screener/fields").json()
    assert list(body) == ["status", "data", "fields"]
    assert body["data"] == body["fields"]
    by_name = {field["field"]: field for field in body["data"]}
    assert by_name["PE TTM Price to Earnings"] == {
        "field": "PE TTM Price to Earnings",
        "db_field": "pe_ttm",
        "category": "Valuation",
        "type": "number",
        "unit": "times",
        "null_count": 1,
        "stats": {"field": "PE TTM Price to Earnings", "count": 3, "min": 10.0, "max": 40.0, "mean": 21.6666666667},
    }
    assert by_name["Day ADX"]["stats"] == {"field": "Day ADX", "count": 0, "min": None, "max": None, "mean": None}
    assert by_name["Market Capitalization"]["unit"] == "rupees"
    assert by_name["Debt to Equity Ratio"]["unit"] == "plain ratio (0.5 means 50 %)"
    for field in body["data"]:
        assert isinstance(field["stats"]["mean"], float | None), field


def test_every_field_that_is_listed_can_be_compared_with_a_number(api: Api) -> None:
    add_some(api)
    for field in api.get("/api/screener/fields").json()["data"]:
        for operator, value in (("gt", 1), ("lt", 1), ("eq", 1), ("between", [1, 2])):
            condition = {"field": field["field"], "operator": operator, "value": value}
            answer = api.post("/api/screener/filter", json={"filters": [condition]})
            assert answer.status_code == 200, (condition, answer.text)


def test_fields_of_text_and_time_are_listed_on_request(api: Api) -> None:
    add_some(api)
    numbers = [field["field"] for field in api.get("/api/screener/fields?types=numbers").json()["data"]]
    every = {field["field"]: field for field in api.get("/api/screener/fields?types=all").json()["data"]}
    assert [name for name, field in every.items() if field["type"] in ("number", "integer")] == numbers
    assert (every["Sector"]["type"], every["Sector"]["stats"], every["Sector"]["null_count"]) == ("text", None, 3)
    assert every["Last Updated"]["type"] == "moment"
    assert "Choose one of numbers, all." in refusal(api.get("/api/screener/fields?types=texts"))


def test_field_statistics_by_names_with_percent_spaces_and_slash(api: Api) -> None:
    for number, roe in enumerate((1.0, 2.0, 3.0, 10.0)):
        add(api, f"Stock {number}", f"S{number}", roe_annual_pct=roe)
    expected = {"field": "ROE Annual %", "count": 4, "min": 1.0, "max": 10.0, "mean": 4.0, "median": 2.5}
    for name in ("ROE%20Annual%20%25", "ROE Annual %25", "ROE%2520Annual%2520%2525", "roe_annual_pct"):
        body = api.get(f"/api/screener/field/{name}/stats").json()
        assert list(body) == ["status", "data", "stats"], name
        assert body["data"] == body["stats"]
        assert body["stats"].pop("std") == pytest.approx(4.08248290464)
        assert body["stats"] == expected
    assert 'field "a/b c%"' in refusal(api.get("/api/screener/field/a/b%20c%25/stats"), 404)
    assert 'field "a/b"' in refusal(api.get("/api/screener/field/a%2Fb/stats"), 404)
    assert "no figures for Day RSI" in refusal(api.get("/api/screener/field/Day%20RSI/stats"), 404)
    assert "holds no numbers" in refusal(api.get("/api/screener/field/Sector/stats"), 404)


def test_generated_stocks_give_finite_json_on_every_preset(api: Api) -> None:
    fill(api.runtime.database, 300)
    found = 0
    for preset in PRESETS:
        answer = api.get(f"/api/screener/preset/{preset.id}")
        assert answer.status_code == 200
        body = json.loads(answer.content, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
        assert len(body["data"]["results"]) == body["data"]["metadata"]["total_matches"]
        found += len(body["data"]["results"])
    assert found > 15


def test_specification_knows_the_rows(api: Api) -> None:
    schemas = api.get("/api/openapi.json").json()["components"]["schemas"]
    assert list(schemas["ScreenRow"]["properties"]) == ROW_KEYS
    assert schemas["ScreenRow"]["properties"]["Market Capitalization"]["description"] == "rupees"
    assert {"filters", "logic", "sort_by", "sort_order", "limit", "offset"} <= set(schemas["FilterQuery"]["properties"])
