from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from sqlalchemy import event

from bench.stocks import fill
from klyx.database import Database
from klyx.errors import Invalid
from klyx.services.screener import matching_ids, parse_screen, run_screen
from tests.services.screener.oracle import Oracle, stored_rows
from tests.services.screener.random_screens import add_stocks, random_screen
from tests.stock_rows import add_stock

SCREENS = 2_000
STOCKS = 300


def screen_of(*filters: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"filters": list(filters), **others}


def one(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def found(database: Database, *filters: dict[str, Any], **others: Any) -> list[Any]:
    with database.read() as session:
        result = run_screen(session, parse_screen(screen_of(*filters, **others)), limit=500)
    return [row["NSE Code"] for row in result.rows]


def test_random_screens_find_what_plain_python_finds(database: Database) -> None:
    chance = Random(20260120)
    with database.begin() as session:
        add_stocks(session, chance, STOCKS)
    rows = stored_rows(database)
    oracle = Oracle(rows)
    assert len(rows) == STOCKS > len(oracle.stocks) > STOCKS / 3
    matches = 0
    with database.read() as session:
        for number in range(SCREENS):
            definition = random_screen(chance)
            limit, offset = chance.choice((500, 500, 7, 1)), chance.choice((0, 0, 3, 40))
            screen = parse_screen(definition)
            assert parse_screen(json.loads(json.dumps(screen.definition()))) == screen
            expected = oracle.ids(definition)
            result = run_screen(session, screen, limit=limit, offset=offset, columns=["Stock Name"])
            assert [row["id"] for row in result.rows] == expected[offset : offset + limit], definition
            assert result.total_matches == len(expected), definition
            assert result.total_stocks == len(oracle.stocks)
            if number % 5 == 0:
                assert matching_ids(session, screen) == sorted(expected), definition
            matches += len(expected)
    # Screens that find nothing, or everything, would prove little.
    assert 0.1 < matches / SCREENS / len(oracle.stocks) < 0.9


def test_rows_hold_the_stored_values(database: Database) -> None:
    fill(database, 200)
    with database.read() as session:
        result = run_screen(session, parse_screen(screen_of(one("data_quality_score", "gte", 0))), limit=500)
    rows = {row["id"]: row for row in stored_rows(database)}
    assert len(result.rows) > 100
    for row in result.rows:
        stored = rows[row["id"]]
        moment = stored["last_updated"]
        assert row["Last Updated"] == (None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}")
        for heading, column in (
            ("Market Capitalization", "market_cap"),
            ("PE TTM Price to Earnings", "pe_ttm"),
            ("52 Week Low", "week_52_low"),
            ("Durability Score", "durability_score"),
            ("Industry", "industry_name"),
            ("Stock Name", "stock_name"),
            ("Data Sources", "data_sources"),
        ):
            assert row[heading] == stored[column], heading
            assert type(row[heading]) is type(stored[column]), heading
    assert {type(row["Market Capitalization"]) for row in result.rows} <= {float, type(None)}


def test_and_or_and_quality_floor_are_parenthesised(database: Database) -> None:
    with database.begin() as session:
        add_stock(session, "Low", "LOW", pe_ttm=5.0, rsi=10.0, data_quality_score=29)
        add_stock(session, "Unknown", "UNKNOWN", pe_ttm=5.0, rsi=10.0, data_quality_score=None)
        add_stock(session, "Both", "BOTH", pe_ttm=5.0, rsi=10.0, data_quality_score=30)
        add_stock(session, "Cheap", "CHEAP", pe_ttm=5.0, rsi=90.0)
        add_stock(session, "Oversold", "OVERSOLD", pe_ttm=50.0, rsi=10.0)
        add_stock(session, "Neither", "NEITHER", pe_ttm=50.0, rsi=90.0)
    cheap, oversold = one("pe_ttm", "lt", 10), one("rsi", "lt", 20)
    assert found(database, cheap, oversold) == ["BOTH"]
    assert found(database, cheap, oversold, logic="OR") == ["BOTH", "CHEAP", "OVERSOLD"]
    neither = {"all": [one("pe_ttm", "gte", 10), one("rsi", "gte", 20)]}
    assert found(database, {"any": [neither, {"all": [cheap, oversold]}]}) == ["BOTH", "NEITHER"]
    assert found(database, {"any": [cheap, oversold]}, one("pe_ttm", "gt", 10)) == ["OVERSOLD"]


def test_unknown_matches_nothing_and_sorts_last_in_both_directions(database: Database) -> None:
    with database.begin() as session:
        add_stock(session, "None", "A-NONE", pe_ttm=None, sector_name=None)
        add_stock(session, "One", "C-ONE", pe_ttm=1.0, sector_name="IT")
        add_stock(session, "Also one", "B-ONE", pe_ttm=1.0, sector_name="Banks")
        add_stock(session, "Two", "D-TWO", pe_ttm=2.0, sector_name="IT")
    known = ["B-ONE", "C-ONE", "D-TWO"]
    for operator, value in (("ne", 99), ("not_in", [99]), ("not_in", []), ("gt", -1e300), ("lte", 1e300)):
        assert sorted(found(database, one("pe_ttm", operator, value))) == known, operator
    assert sorted(found(database, one("sector_name", "ne", "x"))) == known
    assert found(database, one("pe_ttm", "in", [])) == []
    everything = one("data_quality_score", "gte", 0)
    assert found(database, everything, sort_by="pe_ttm") == ["D-TWO", "B-ONE", "C-ONE", "A-NONE"]
    assert found(database, everything, sort_by="pe_ttm", sort_order="asc") == ["B-ONE", "C-ONE", "D-TWO", "A-NONE"]


def test_contains_takes_wildcards_for_what_they_are(database: Database) -> None:
    with database.begin() as session:
        for code, name in (
            ("PURE", "100% Pure"),
            ("FIFTY", "50_50"),
            ("PLAIN", "5050"),
            ("BACK", "a\\b"),
        ):
            add_stock(session, name, code)
    assert found(database, one("Stock Name", "contains", "0%")) == ["PURE"]
    assert found(database, one("Stock Name", "contains", "0_5")) == ["FIFTY"]
    assert found(database, one("Stock Name", "contains", "\\")) == ["BACK"]
    assert found(database, one("Stock Name", "contains", "PURE")) == ["PURE"]
    assert found(database, one("Stock Name", "contains", "pure")) == ["PURE"]
    assert len(found(database, one("Stock Name", "contains", ""))) == 4


def test_top_and_bottom_are_ranked_among_all_stocks_of_quality(database: Database) -> None:
    with database.begin() as session:
        add_stock(session, "Best, but little known", "POOR", rsi=99.0, data_quality_score=29)
        for code, rsi, price in (
            ("B", 90.0, 1.0),
            ("A", 90.0, 2.0),
            ("C", 80.0, 3.0),
            ("D", None, 4.0),
            ("E", 5.0, 5.0),
        ):
            add_stock(session, code, code, rsi=rsi, current_price=price)
    assert found(database, one("rsi", "top", 1)) == ["A"]
    assert found(database, one("rsi", "top", 3)) == ["A", "B", "C"]
    assert found(database, one("rsi", "bottom", 1)) == ["E"]
    assert found(database, one("rsi", "bottom", 100)) == ["A", "B", "C", "E"]
    # The rank does not depend on the other filters.
    assert found(database, one("rsi", "top", 2), one("current_price", "lt", 2)) == ["B"]


def test_texts_of_rows_can_open_no_tag(database: Database) -> None:
    with database.begin() as session:
        add_stock(session, "<img src=x> Ltd.", "HOSTILE", sector_name="<b>", industry_name="a>b", data_sources="<i>")
    with database.read() as session:
        (row,) = run_screen(session, parse_screen(screen_of(one("nse_code", "eq", "HOSTILE"))), limit=5).rows
    assert (row["Stock Name"], row["Sector"], row["Industry"], row["Data Sources"]) == (
        "img src=x Ltd.",
        "b",
        "ab",
        "i",
    )
    assert not any(isinstance(value, str) and {"<", ">"} & set(value) for value in row.values())


def test_run_is_one_statement_and_an_empty_page_still_has_totals(database: Database) -> None:
    with database.begin() as session:
        for number in range(8):
            add_stock(session, f"Stock {number}", f"S{number}", pe_ttm=float(number))
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _k, text, *_: statements.append(text))
    with database.read() as session:
        result = run_screen(session, parse_screen(screen_of(one("pe_ttm", "lt", 6))), limit=5, offset=50)
    assert sum(" FROM " in text.replace("\n", " ") for text in statements) == 1
    assert (result.rows, result.total_matches, result.total_stocks, result.match_rate) == ([], 6, 8, "75.0%")
    with database.read() as session:
        nothing = run_screen(session, parse_screen(screen_of(one("pe_ttm", "gt", 1e9))), limit=5)
    assert (nothing.rows, nothing.total_matches, nothing.match_rate) == ([], 0, "0.0%")


def test_no_stocks_no_rate(database: Database) -> None:
    with database.read() as session:
        result = run_screen(session, parse_screen(screen_of(one("pe_ttm", "lt", 6))), limit=5)
    assert (result.rows, result.total_stocks, result.match_rate) == ([], 0, "0%")


def test_columns_follow_name_and_symbol_once_each(database: Database) -> None:
    with database.begin() as session:
        add_stock(
            session, "Alpha", "ALPHA", fii_holding_pct=10.1, dii_holding_pct=20.2, recommendation_key="strong_buy"
        )
    asked = ["rsi", "Day RSI", "nse_code", "institutional_holding_pct", "Forecaster Estimates Reco", "week_change_pct"]
    with database.read() as session:
        screen = parse_screen(screen_of(one("nse_code", "eq", "ALPHA")))
        (row,) = run_screen(session, screen, limit=5, columns=asked).rows
        with pytest.raises(Invalid, match=r'column "nothing"'):
            run_screen(session, screen, limit=5, columns=["nothing"])
    assert {key: row[key] for key in list(row)[1:]} == {
        "Stock Name": "Alpha",
        "NSE Code": "ALPHA",
        "Day RSI": None,
        "Institutional holding current Qtr %": 30.3,
        "Forecaster Estimates Reco": "Strong Buy",
        "week_change_pct": None,
    }
