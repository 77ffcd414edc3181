from __future__ import annotations

from typing import Any

import pytest

from klyx.errors import Invalid
from klyx.services.screener import MAX_CONDITIONS, MAX_DEPTH, Logic, parse_screen
from klyx.services.screener.operators import MAX_LISTED_VALUES, MAX_RANKED

CHEAP = {"field": "pe_ttm", "operator": "lt", "value": 20}


def condition(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def nested(depth: int) -> dict[str, Any]:
    return {"all": [CHEAP if depth == 1 else nested(depth - 1)]}


def test_definition_is_the_same_for_every_way_to_say_the_same() -> None:
    ways: list[dict[str, Any]] = [
        {"filters": [CHEAP]},
        {"filters": [CHEAP], "logic": None, "sort_by": None, "sort_order": None},
        {"filters": {"all": [CHEAP]}, "logic": "OR"},
        {"filters": [condition("PE TTM Price to Earnings", "lt", 20.0)], "logic": "and", "sort_by": "market_cap"},
        {"filters": [{**CHEAP, "note": "ignored"}], "sort_order": "DESC"},
    ]
    expected = {
        "filters": [{"field": "PE TTM Price to Earnings", "operator": "lt", "value": 20}],
        "logic": "AND",
        "sort_by": "Market Capitalization",
        "sort_order": "desc",
    }
    assert [parse_screen(way).definition() for way in ways] == [expected] * len(ways)


def test_tree_keeps_its_groups_and_counts_conditions() -> None:
    screen = parse_screen({"filters": {"any": [CHEAP, {"all": [CHEAP, {"any": [CHEAP, CHEAP]}]}]}})
    assert screen.condition.logic is Logic.ANY
    assert screen.condition.condition_count == 4
    assert screen.definition()["logic"] == "OR"
    assert parse_screen(screen.definition()) == screen


def test_values_take_their_canonical_form() -> None:
    def value(*parts: Any) -> Any:
        return parse_screen({"filters": [condition(*parts)]}).definition()["filters"][0]["value"]

    assert value("rsi", "between", [70, 40]) == [40, 70]
    assert value("rsi", "in", [3, 1, 3.0]) == [3, 1]
    assert str(value("rsi", "gt", -0.0)) == "0.0"
    assert value("market_cap", "gt", 10**30) == 1e30
    assert value("current_price", "gt_field", "sma_50") == "Day SMA50"
    assert value("current_price", "lt_field_factor", ["1Yr High", 2]) == ["52 Week High", 2.0]


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (condition("pe", "lt", 20), 'There is no field "pe"'),
        (condition("id", "lt", 20), 'There is no field "id"'),
        (condition("pe_ttm ", "lt", 20), 'There is no field "pe_ttm "'),
        (condition("News_Headlines", "contains", "x"), 'There is no field "News_Headlines"'),
        (condition("pe_ttm", "like", 20), 'There is no operator "like"'),
        (condition("pe_ttm", "GT", 20), 'There is no operator "GT"'),
        (condition("pe_ttm", "between", 20), "between needs a list of two numbers"),
        (condition("pe_ttm", "between", [1, 2, 3]), "between needs a list of two numbers"),
        (condition("pe_ttm", "between", [1, None]), "between needs a number, not (nothing)"),
        (condition("pe_ttm", "lt", [1, 2]), "lt needs a number, not (a list)"),
        (condition("pe_ttm", "lt", None), "lt needs a number, not (nothing)"),
        (condition("pe_ttm", "lt", "20"), 'lt needs a number, not "20"'),
        (condition("pe_ttm", "eq", True), "eq needs a number, not (true or false)"),
        (condition("pe_ttm", "eq", {"a": 1}), "eq needs a number, not (an object)"),
        (condition("pe_ttm", "in", 20), "in needs a list of values, not (a number)"),
        (condition("pe_ttm", "in", [1, "2"]), 'in needs a number, not "2"'),
        (condition("pe_ttm", "in", [*range(MAX_LISTED_VALUES + 1)]), "at most 500 values"),
        (condition("pe_ttm", "lt", float("inf")), "a number of a possible size"),
        (condition("pe_ttm", "lt", float("nan")), "a number of a possible size"),
        (condition("pe_ttm", "lt", 10**400), "a number of a possible size"),
        (condition("pe_ttm", "contains", "2"), "contains looks into texts"),
        (condition("Sector", "lt", "IT"), "lt compares numbers"),
        (condition("Sector", "top", 3), "top compares numbers"),
        (condition("Sector", "eq", 3), "eq needs a text, not (a number)"),
        (condition("Sector", "eq", "x" * 256), "at most 255 characters"),
        (condition("Sector", "contains", "a\x00b"), "control characters"),
        (condition("Sector", "contains", "\ud800"), "control characters"),
        (condition("Last Updated", "eq", "2025"), "can be shown and sorted by, but not filtered"),
        (condition("pe_ttm", "top", 0), "a whole number from 1 to"),
        (condition("pe_ttm", "top", 2.5), "a whole number from 1 to"),
        (condition("pe_ttm", "bottom", True), "a whole number from 1 to"),
        (condition("pe_ttm", "bottom", MAX_RANKED + 1), "a whole number from 1 to"),
        (condition("pe_ttm", "gt_field", "nope"), 'There is no field "nope"'),
        (condition("pe_ttm", "gt_field", 3), "There is no field (a number)"),
        (condition("pe_ttm", "gt_field", "Sector"), "Sector: gt_field compares numbers"),
        (condition("pe_ttm", "gt_field_factor", "rsi"), "a list of a field's name and a factor"),
        (condition("pe_ttm", "gt_field_factor", ["rsi", "2"]), 'needs a number, not "2"'),
        (condition("pe_ttm", "gt_field_factor", ["rsi", 1e300]), "a factor of a sensible size"),
        (condition("pe_ttm", "gt_field_factor", ["rsi", 1e-300]), "a factor of a sensible size"),
        ({"field": "pe_ttm", "operator": "lt"}, "lt needs a number, not (nothing)"),
        ({"operator": "lt", "value": 1}, "There is no field (nothing)"),
        ({}, "There is no field (nothing)"),
        ("pe_ttm < 20", 'not "pe_ttm 20"'),
        (None, "not (nothing)"),
        ([CHEAP], "not (a list)"),
        ({"all": []}, "No filters were given"),
        ({"any": CHEAP}, "a list of conditions"),
        ({"all": [CHEAP], "any": [CHEAP]}, 'either "all" or "any"'),
        ({"all": [CHEAP], **CHEAP}, 'either "all" or "any"'),
    ],
)
def test_wrong_filter_is_refused_and_named(part: Any, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_screen({"filters": [part]})
    assert told in refused.value.message.replace("  ", " ")


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        ({}, "a list of conditions"),
        ({"filters": []}, "No filters were given"),
        ({"filters": {}}, 'either "all" or "any"'),
        ({"filters": CHEAP}, 'either "all" or "any"'),
        ({"filters": "all"}, "a list of conditions"),
        ({"filters": [CHEAP], "logic": "XOR"}, 'not "XOR"'),
        ({"filters": [CHEAP], "logic": 1}, "not (a number)"),
        ({"filters": [CHEAP], "sort_by": "nope"}, 'There is no sort field "nope"'),
        ({"filters": [CHEAP], "sort_by": ["rsi"]}, "There is no sort field (a list)"),
        ({"filters": [CHEAP], "sort_order": "up"}, 'not "up"'),
        ({"filters": [CHEAP] * (MAX_CONDITIONS + 1)}, "at most 100 conditions"),
        ({"filters": [{"any": [CHEAP] * 60}, {"all": [CHEAP] * 60}]}, "at most 100 conditions"),
        ({"filters": nested(MAX_DEPTH + 1)}, "at most 5 levels"),
    ],
)
def test_wrong_screen_is_refused(definition: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_screen(definition)
    assert told in refused.value.message


def test_limits_themselves_are_allowed() -> None:
    assert parse_screen({"filters": [CHEAP] * MAX_CONDITIONS}).condition.condition_count == MAX_CONDITIONS
    assert parse_screen({"filters": nested(MAX_DEPTH)}).condition.condition_count == 1


def test_refusals_show_little_and_nothing_that_opens_a_tag() -> None:
    with pytest.raises(Invalid) as refused:
        parse_screen({"filters": [condition("<script>\n" + "x" * 10_000, "lt", 1)]})
    assert refused.value.message == (
        f'There is no field "script{"x" * 53}…". GET /api/screener/fields?types=all lists those there are.'
    )
