"""From sentences to screens."""

from __future__ import annotations

from typing import Any

import pytest

from klyx.services.chat.conditions import fields_in
from klyx.services.chat.understanding import understand
from klyx.services.screener import parse_screen


def condition(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


@pytest.mark.parametrize(
    ("sentence", "filters"),
    [
        ("P/E under 15 and ROE over 20", [condition("pe_ttm", "lt", 15), condition("roe_annual_pct", "gt", 20)]),
        ("PE between 20 and 10", [condition("pe_ttm", "between", [10, 20])]),
        ("market cap above 10,000 crore", [condition("market_cap", "gt", 1e11)]),
        ("market cap over 1 lakh crore", [condition("market_cap", "gt", 1e12)]),
        ("market cap between 5000 and 20000 crore", [condition("market_cap", "between", [5e10, 2e11])]),
        ("market cap above 500", [condition("market_cap", "gt", 5e9)]),
        ("dividend yield at least 2.5%", [condition("dividend_yield_pct", "gte", 2.5)]),
        ("more than 50 percent promoter holding", [condition("promoter_holding_pct", "gt", 50)]),
        ("ROE >= 15", [condition("roe_annual_pct", "gte", 15)]),
        ("RSI is below 30", [condition("rsi", "lt", 30)]),
        ("debt to equity less than 0.5", [condition("debt_to_equity", "lt", 0.5)]),
        ("loss making companies", [condition("net_profit_annual", "lt", 0)]),
        ("profit growth above -5", [condition("profit_growth_yoy_pct", "gt", -5)]),
    ],
)
def test_conditions(sentence: str, filters: list[dict[str, Any]]) -> None:
    understood = understand(sentence)
    assert understood is not None
    assert understood.definition["filters"] == filters
    assert understood.unread == ""
    parse_screen(understood.definition)


@pytest.mark.parametrize(
    ("sentence", "filters"),
    [
        ("roe 20+", [condition("roe_annual_pct", "gte", 20)]),
        ("roe of 20% or more", [condition("roe_annual_pct", "gte", 20)]),
        (
            "pe of 15 or less and roe 20 and above",
            [condition("pe_ttm", "lte", 15), condition("roe_annual_pct", "gte", 20)],
        ),
        ("stocks down more than 20% this year", [condition("year_1_change_pct", "lt", -20)]),
        ("stocks up more than 5% this month", [condition("month_change_pct", "gt", 5)]),
        ("up 5% in the last week", [condition("week_change_pct", "gt", 5)]),
        ("negative pe", [condition("pe_ttm", "lt", 0)]),
        ("stocks under 500 rupees", [condition("current_price", "lt", 500)]),
        ("stocks above rs 1,000", [condition("current_price", "gt", 1000)]),
        ("stocks in uptrend", [condition("tech_trend", "contains", "Bullish")]),
    ],
)
def test_conditions_as_people_in_india_say_them(sentence: str, filters: list[dict[str, Any]]) -> None:
    understood = understand(sentence)
    assert understood is not None
    assert understood.definition["filters"] == filters
    assert understood.unread == ""
    parse_screen(understood.definition)


@pytest.mark.parametrize(
    ("sentence", "filters", "unread"),
    [
        ("roe above 15 but pe not above 20", [("roe_annual_pct", "gt", 15), ("pe_ttm", "lte", 20)], ""),
        ("roe not below 15", [("roe_annual_pct", "gte", 15)], ""),
        ("market cap not less than 500", [("market_cap", "gte", 5e9)], ""),
        ("stocks without pe above 30", [("pe_ttm", "lte", 30)], ""),
        ("companies that are not profitable", [("net_profit_annual", "lte", 0)], ""),
        ("stocks not in IT with roe above 20", [("roe_annual_pct", "gt", 20)], "not in it"),
        ("stocks excluding banks with pe under 10", [("pe_ttm", "lt", 10)], "excluding banks"),
        ("non-bank stocks with pe under 10", [("pe_ttm", "lt", 10)], "non-bank stocks"),
        ("pe under 10 or pharma stocks", [("pe_ttm", "lt", 10)], "or pharma stocks"),
        ("banks or pe under 10", [("pe_ttm", "lt", 10)], "banks or"),
        ("stocks not in an uptrend with roe above 20", [("roe_annual_pct", "gt", 20)], "not uptrend"),
    ],
)
def test_what_is_negated_is_turned_round_or_told_as_unread(
    sentence: str, filters: list[tuple[str, str, Any]], unread: str
) -> None:
    understood = understand(sentence)
    assert understood is not None
    assert understood.definition["filters"] == [condition(*found) for found in filters]
    assert understood.unread == unread


def test_and_binds_more_closely_than_or() -> None:
    understood = understand("roe above 15 and pe below 20 or dividend above 4")
    assert understood is not None
    both = {"all": [condition("roe_annual_pct", "gt", 15), condition("pe_ttm", "lt", 20)]}
    assert understood.definition["filters"] == [both, condition("dividend_yield_pct", "gt", 4)]
    assert understood.definition["logic"] == "OR"
    assert understood.explanation.startswith("(return on equity above 15 % and price to earnings below 20) or ")
    parse_screen(understood.definition)


@pytest.mark.parametrize(
    ("sentence", "sector", "column", "order", "number"),
    [
        ("top 5 it stocks by roe", "Software", "roe_annual_pct", "desc", 5),
        ("top 5 pharma stocks by roe", "Pharma", "roe_annual_pct", "desc", 5),
        ("best bank by pe", "Banks", "pe_ttm", "asc", None),
        ("3 highest dividend yield banks", "Banks", "dividend_yield_pct", "desc", 3),
        ("5 cheapest auto stocks", "Auto", "pe_ttm", "asc", 5),
        ("banks with high roe", "Banks", "roe_annual_pct", "desc", None),
        ("largest banks", "Banks", "market_cap", "desc", None),
        ("top 10 by market cap", None, "market_cap", "desc", 10),
        ("highest roe", None, "roe_annual_pct", "desc", 10),
        ("top 5 losers", None, "day_change_pct", "asc", 5),
        ("top gainers in it this week", "Software", "week_change_pct", "desc", None),
        ("worst performing banks this month", "Banks", "month_change_pct", "asc", None),
    ],
)
def test_a_ranking_keeps_its_group_and_its_number(
    sentence: str, sector: str | None, column: str, order: str, number: int | None
) -> None:
    understood = understand(sentence)
    assert understood is not None
    definition = understood.definition
    assert (definition["sort_by"], definition["sort_order"], understood.number) == (column, order, number)
    assert sector in [part["value"] for way in definition["filters"] for part in way.get("any", [])] or sector is None
    assert understood.unread == ""
    parse_screen(definition)


def test_stocks_that_lose_money_are_not_the_cheapest_by_pe() -> None:
    understood = understand("lowest pe")
    assert understood is not None
    assert understood.definition["filters"] == [condition("pe_ttm", "gt", 0)]
    assert "above 0" in understood.explanation


def test_or_joins_and_a_sector_stands_above_it() -> None:
    understood = understand("pharma stocks with pe < 10 or pb < 1")
    assert understood is not None
    sector, either = understood.definition["filters"]
    assert understood.definition["logic"] == "AND"
    assert {part["value"] for part in sector["any"]} == {"Pharma"}
    assert either == {"any": [condition("pe_ttm", "lt", 10), condition("pb_ratio", "lt", 1)]}
    assert parse_screen(understood.definition).condition.condition_count == 4


def test_best_is_low_where_low_is_good() -> None:
    best = [understand(f"best stocks by {field}") for field in ("roe", "pe")]
    assert [found.definition["sort_order"] for found in best if found is not None] == ["desc", "asc"]


def test_what_is_left_over_is_told() -> None:
    understood = understand("stocks with pe under 10 that my uncle likes")
    assert understood is not None
    assert understood.unread == "my uncle likes"


@pytest.mark.parametrize("sentence", ["", "hello", "is it going up?", "'; DROP TABLE stocks; --", "under 15", "% of _"])
def test_no_condition_no_screen(sentence: str) -> None:
    assert understand(sentence) is None


def test_fields_are_found_by_their_longest_name_in_order() -> None:
    assert fields_in("net profit margin, then P/E and roe of the company") == [
        "net_profit_margin_pct",
        "pe_ttm",
        "roe_annual_pct",
    ]
