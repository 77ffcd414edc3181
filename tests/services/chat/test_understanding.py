"""From sentences to screens."""

from __future__ import annotations

from typing import Any

import pytest

from klyx.services.chat.understanding import fields_in, understand
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
