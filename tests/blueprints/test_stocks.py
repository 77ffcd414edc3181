from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from klyx.schemas.stocks import StockSchema
from klyx.services.stocks import FIELDS, Kind
from tests.api import Api
from tests.stock_api import BATCH, LISTED, add, found

MUTE_KEYS = {"Tech_RSI", "Tech_MACD", "Tech_MFI"}


def add_full_stock(api: Api) -> None:
    add(
        api,
        "Tata Motors Ltd.",
        "TATAMOTORS",
        sector_name="Automobile",
        industry_name="Cars",
        current_price=800.0,
        target_price=1000.0,
        day_change_pct=0.0,
        market_cap=2_769_237_400_000.0,
        pe_ttm=12.3456,
        roe_annual_pct=15.5,
        rsi=46.64,
        macd=-3.5,
        tech_mfi=55.0,
        tech_trend="Bullish",
        momentum_score=61,
        recommendation_key="strong_buy",
        news_headlines='[{"title": "Sales <b>up</b>", "link": "https://example.org"}]',
        total_debt=5e11,
        week_52_high=1100.0,
        last_updated=datetime(2025, 1, 31, 9, 30, tzinfo=UTC),
    )


def test_stock_object_has_both_vocabularies_with_identical_values(api: Api) -> None:
    add_full_stock(api)
    stock = api.get(f"{LISTED}/TATAMOTORS").json()["data"]
    for field in FIELDS:
        for name in field.display_names:
            assert stock[name] == stock[field.name], name
    assert stock["Market Capitalization"] == 2_769_237_400_000.0
    assert stock["PE TTM Price to Earnings"] == stock["pe_ttm"] == 12.35
    assert stock["Forecaster Estimates 12Mth Upside %"] == 25.0
    assert stock["Forecaster Estimates Reco"] == "Strong Buy"
    assert stock["recommendation_key"] == "strong_buy"
    assert stock["Day change %"] == 0.0
    assert stock["Sector"] == stock["sector_name"] == "Automobile"
    assert stock["Industry"] == stock["Industry Name"] == "Cars"
    assert stock["Trendlyne Momentum Score"] == 61
    assert stock["YF_TotalDebt"] == 5e11
    assert stock["52 Week High"] == stock["1Yr High"] == 1100.0
    assert (stock["Tech_RSI"], stock["Tech_MACD"], stock["Tech_MFI"]) == (46.64, -3.5, 55.0)
    assert stock["Last Updated"] == stock["last_updated"] == "2025-01-31T09:30:00Z"
    assert stock["created_at"].endswith("Z")
    headlines = json.loads(stock["News_Headlines"])
    assert headlines == [{"title": "Sales bup/b", "link": "https://example.org"}]


def test_unknown_values_are_null_and_technical_figures_absent(api: Api) -> None:
    add(api, "Nothing Known Ltd.", "NOTHING", data_quality_score=None, last_updated=None)
    stock = api.get(f"{LISTED}/NOTHING").json()["data"]
    assert not MUTE_KEYS & stock.keys()
    for name in ("ROE Annual %", "Piotroski Score", "YF_TotalDebt", "YF_StockholdersEquity", "PEG TTM PE to Growth"):
        assert stock[name] is None
    known = {name for name, value in stock.items() if value is not None}
    assert known == {"id", "stock_name", "Stock Name", "nse_code", "NSE Code", "created_at"}


def test_news_headlines_are_an_array_in_text_or_null(api: Api) -> None:
    for number, headlines in enumerate(["[]", "not json", '{"title": "x"}', '"text"', ""]):
        add(api, "News Ltd.", f"NEWS{number}", news_headlines=headlines)
        value = api.get(f"/api/stock/NEWS{number}").json()["data"]["News_Headlines"]
        assert value == ("[]" if headlines == "[]" else None), headlines


def test_upside_needs_a_price(api: Api) -> None:
    add(api, "Free Ltd.", "FREE", current_price=0.0, target_price=10.0)
    add(api, "Priceless Ltd.", "PRICELESS", target_price=10.0)
    for code in ("FREE", "PRICELESS"):
        assert api.get(f"/api/stock/{code}").json()["data"]["Forecaster Estimates 12Mth Upside %"] is None


def test_no_text_can_open_a_tag(api: Api) -> None:
    add(api, "<img src=x> Ltd.", "HOSTILE", sector_name="<b>", tech_trend="</p>Bullish", recommendation_text="<i>Buy")
    stock = api.get("/api/stock/HOSTILE").json()["data"]
    assert stock["Forecaster Estimates Reco"] == "iBuy"
    assert not any("<" in value or ">" in value for value in stock.values() if isinstance(value, str))


def test_answers_and_schema_agree_in_keys_and_types(api: Api) -> None:
    add_full_stock(api)
    add(api, "Nothing Known Ltd.", "NOTHING")
    specification = api.get("/api/openapi.json").json()["components"]["schemas"]["Stock"]
    properties: dict[str, dict[str, Any]] = specification["properties"]
    types: dict[type, str] = {str: "string", float: "number", int: "integer", type(None): "null"}
    answer = api.get(LISTED, params={"min_quality": 0}).json()["data"]
    assert len(answer) == 2
    for stock in answer:
        assert stock.keys() <= properties.keys()
        assert stock.keys() >= set(specification["required"])
        for name, value in stock.items():
            allowed = properties[name]["type"]
            assert types[type(value)] in (allowed if isinstance(allowed, list) else [allowed]), name
    assert properties.keys() - answer[1].keys() == MUTE_KEYS
    assert set(answer[0]) == set(properties)
    assert list(answer[0]) == list(StockSchema().fields)


def test_list_is_paged_by_market_cap_with_unknown_ones_last(api: Api) -> None:
    for number in range(5):
        add(api, f"Company {number}", f"C{number}", market_cap=None if number == 0 else 1e9)
    add(api, "Largest", "LARGE", market_cap=5e12)
    expected = ["LARGE", "C1", "C2", "C3", "C4", "C0"]
    assert found(api) == expected
    assert found(api, limit=2) + found(api, limit=2, offset=2) + found(api, limit=2, offset=4) == expected
    body = api.get(LISTED, params={"limit": 2, "offset": 2}).json()
    assert body["pagination"] == {"limit": 2, "offset": 2, "total": 6, "has_more": True}
    assert body["total"] == 6
    assert list(body) == ["status", "data", "pagination", "total"]
    assert api.get(LISTED, params={"limit": 2, "offset": 4}).json()["pagination"]["has_more"] is False


def test_empty_list_still_has_pagination_and_total(api: Api) -> None:
    body = api.get(LISTED).json()
    assert body["data"] == []
    assert body["pagination"] == {"limit": 50, "offset": 0, "total": 0, "has_more": False}
    assert body["total"] == 0


def statements_of(api: Api) -> list[str]:
    """The statements about stocks that the application sends from now on."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "stocks" in statement:
            statements.append(statement)

    event.listen(api.runtime.database.engine, "before_cursor_execute", note)
    return statements


def test_page_is_one_statement_and_its_total_at_most_another(api: Api) -> None:
    for number in range(20):
        add(api, f"Company {number}", f"C{number}", sector_name="Banks")
    statements = statements_of(api)
    cases: tuple[tuple[dict[str, Any], int], ...] = (
        ({}, 1),  # the page is the last one, and tells the total itself
        ({"limit": 20}, 2),
        ({"limit": 5, "offset": 18}, 1),
        ({"offset": 50}, 1),  # the total is kept until stocks change
        ({"sector": "Banks", "limit": 5}, 2),
        ({"search": "company", "limit": 5}, 2),
        ({"search": "company 7"}, 1),
    )
    for query, expected in cases:
        statements.clear()
        body = api.get(LISTED, params=query).json()
        assert len(statements) == expected, query
        assert body["total"] == (1 if query.get("search") == "company 7" else 20), query


def test_single_stock_batch_and_figures_are_one_statement_each(api: Api) -> None:
    add(api, "Alpha Ltd.", "ALPHA", sector_name="Banks")
    add(api, "Beta Ltd.", "BETA")
    statements = statements_of(api)
    assert api.get("/api/stock/ALPHA").status_code == 200
    assert api.post(BATCH, json={"stock_names": ["Alpha Ltd.", "beta", "Gamma"]}).json()["metadata"]["found"] == 2
    assert api.get("/api/database/sectors").status_code == 200
    assert api.get("/api/database/stats").status_code == 200
    assert len(statements) == 4
    assert api.post(BATCH, json={"stock_names": []}).status_code == 200
    assert len(statements) == 4


def test_numbers_out_of_bounds_are_moved_to_the_bound(api: Api) -> None:
    cases: list[tuple[dict[str, str], int, int]] = [
        ({"limit": "0"}, 1, 0),
        ({"limit": "-5"}, 1, 0),
        ({"limit": "99999999"}, 500, 0),
        ({"offset": "-1"}, 50, 0),
        ({"offset": "999999999999999999"}, 50, 10_000_000),
        ({"limit": "", "offset": " ", "min_quality": ""}, 50, 0),
        ({"min_quality": "1000"}, 50, 0),
    ]
    for query, limit, offset in cases:
        body = api.get(LISTED, params=query).json()
        assert (body["pagination"]["limit"], body["pagination"]["offset"]) == (limit, offset), query


def test_numbers_that_do_not_parse_are_a_400(api: Api) -> None:
    for name in ("limit", "offset", "min_quality"):
        for value in ("ten", "1.5", "1e3", "NaN", "0x10", "9" * 5000, "1;DROP TABLE stocks", "१०"):
            answer = api.get(LISTED, params={name: value})
            assert answer.status_code == 400, (name, value)
            assert answer.json() == {"status": "error", "message": f"{name}: Please give a whole number."}


def test_sector_is_exact(api: Api) -> None:
    add(api, "A Ltd.", "A", sector_name="Oil & Gas")
    add(api, "B Ltd.", "B", sector_name="Oil & Gas Services")
    assert found(api, sector=" Oil & Gas ") == ["A"]
    assert found(api, sector="oil & gas") == []
    assert found(api, sector="%") == []


def test_stocks_without_symbol_are_found_but_not_listed(api: Api) -> None:
    add(api, "Unlisted Private Ltd.", None)
    add(api, "Listed Ltd.", "LISTED")
    assert found(api) == ["LISTED"]
    assert found(api, search="Unlisted Private Ltd.") == [None]


def test_nul_in_an_address_is_a_400(api: Api) -> None:
    for path in ("/api/database/stocks?search=a%00b", "/api/stock/A%00B", "/api/database/stocks/%00"):
        assert api.get(path).status_code == 400, path


def test_symbol_is_found_in_every_spelling(api: Api) -> None:
    add(api, "Mahindra & Mahindra Ltd.", "M&M", market_cap=3e12)
    add(api, "Bajaj Auto Ltd.", "BAJAJ-AUTO")
    spellings = {
        "M&M": ("M&M", "m&m", "M%26M", "m%26m.ns", "M&M.BO", "%4D&M", "M&M?x=1"),
        "BAJAJ-AUTO": ("BAJAJ-AUTO", "bajaj-auto.ns", "bajaj%2Dauto"),
    }
    for prefix in ("/api/database/stocks/", "/api/stock/", "/api/v1/stock/"):
        for symbol, codes in spellings.items():
            for code in codes:
                answer = api.get(prefix + code)
                assert answer.status_code == 200, prefix + code
                assert answer.json()["data"]["NSE Code"] == symbol


def test_unknown_symbol_is_a_404_in_json(api: Api) -> None:
    add(api, "Without symbol Ltd.", None)
    odd = ("UNKNOWN", "%27%20OR%201=1--", "a b", "X" * 31, "X" * 5000, "%F0%9F%9A%80", "%FF", "..%2F..", ".")
    for prefix in ("/api/database/stocks/", "/api/stock/"):
        for code in odd:
            answer = api.get(prefix + code)
            assert answer.status_code == 404, prefix + code
            assert answer.json()["status"] == "error"
            assert answer.json()["message"]


def test_symbols_of_broken_pages_are_refused_without_a_query(api: Api) -> None:
    statements: list[str] = []
    engine = api.runtime.database.engine
    event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: statements.append(statement))
    for path in ("/api/stock/undefined", "/api/stock/null", "/api/database/stocks/undefined"):
        answer = api.get(path)
        assert answer.status_code == 404
        assert answer.json()["status"] == "error"
    assert not any("FROM stocks" in statement for statement in statements)


def test_sectors_are_counted(api: Api) -> None:
    for number, sector in enumerate(["Banks", "Software", "Banks", None, "Autos"]):
        add(api, f"Company {number}", f"C{number}", sector_name=sector)
    assert api.get("/api/database/sectors").json() == {
        "status": "success",
        "data": [
            {"sector_name": "Banks", "stock_count": 2},
            {"sector_name": "Autos", "stock_count": 1},
            {"sector_name": "Software", "stock_count": 1},
        ],
    }


def test_statistics(api: Api) -> None:
    empty = {"total_stocks": 0, "high_quality_stocks": 0, "avg_quality": 0.0, "last_updated": None}
    assert api.get("/api/database/stats").json() == {"status": "success", "data": empty}
    moments = [datetime(2025, month, 1, 4, tzinfo=UTC) for month in (1, 3, 2, 1, 1)]
    for number, quality in enumerate([None, 0, 80, 79, 100]):
        add(api, f"Company {number}", f"C{number}", data_quality_score=quality, last_updated=moments[number])
    assert api.get("/api/database/stats").json()["data"] == {
        "total_stocks": 5,
        "high_quality_stocks": 2,
        "avg_quality": 86.3,
        "last_updated": "2025-03-01T04:00:00Z",
    }


def test_stock_paths_need_no_header_and_ignore_bad_tokens(api: Api) -> None:
    add(api, "Alpha Ltd.", "ALPHA")
    for token in ("", "null", "undefined", "abc.def.ghi"):
        headers = {"Authorization": f"Bearer {token}"}
        assert api.get(LISTED, headers=headers).status_code == 200
        assert api.get("/api/stock/ALPHA", headers=headers).status_code == 200


def test_specification_describes_every_field_with_its_unit(api: Api) -> None:
    properties = api.get("/api/openapi.json").json()["components"]["schemas"]["Stock"]["properties"]
    assert properties["Market Capitalization"]["description"] == "rupees"
    assert properties["Tech_MACD"]["description"] == "rupees; absent when unknown"
    assert properties["Tech_RSI"]["description"] == "absent when unknown"
    assert {field.kind for field in FIELDS} == set(Kind)


@pytest.mark.parametrize("prefix", ["/api/stock/", "/api/database/stocks/"])
def test_provenance_is_told_beside_the_stock_when_asked_for(api: Api, prefix: str) -> None:
    api.starter()
    plain = api.get(f"{prefix}M&M").json()
    assert set(plain) == {"status", "data"}
    for off in ("", "0", "false"):
        assert api.get(f"{prefix}M&M?provenance={off}").json() == plain
    body = api.get(f"{prefix}M&M?provenance=1").json()
    assert body["data"] == plain["data"]
    price = body["provenance"]["current_price"]
    assert set(price) == {"source", "obtained_at", "unit"}
    assert (price["source"], price["unit"]) == ("Sample data", "rupees")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", price["obtained_at"])
    assert body["provenance"]["upside_12m_pct"]["derived_from"] == ["target_price", "current_price"]
    assert all(plain["data"][name] is not None for name in body["provenance"])
    assert api.get(f"{prefix}M&M?provenance=maybe").status_code == 400
    assert api.get(f"{prefix}NOSUCH?provenance=1").status_code == 404
