"""What sentences join, negate and measure."""

from __future__ import annotations

from typing import Any

import pytest

from klyx.services.chat.understanding import understand
from klyx.services.screener import parse_screen

PHARMA_OR_CEMENT = "sector or industry like Pharma, Cement, Construction Materials"


def condition(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def told(sentence: str) -> tuple[str, str] | None:
    """What the screen of a sentence is explained to be, and what is unread; that it is one the screener takes."""
    understood = understand(sentence)
    if understood is None:
        return None
    parse_screen(understood.definition)
    return understood.explanation, understood.unread


@pytest.mark.parametrize(
    ("sentence", "explanation", "unread"),
    [
        (
            "roe at least 20% or more and pe below 15",
            "return on equity at least 20 % and price to earnings below 15",
            "",
        ),
        ("pe below 20 or so and roe above 20", "price to earnings below 20 and return on equity above 20 %", ""),
        ("roe exactly 20 or more", "return on equity at least 20 %", ""),
        ("more than 10% or so revenue growth", "revenue growth above 10 %", ""),
        (
            "pe below 25 in pharma or cement stocks and roe above 20",
            f"{PHARMA_OR_CEMENT} and price to earnings below 25 and return on equity above 20 %",
            "",
        ),
        (
            "pe below 10 or above 100 and roe above 20",
            "(price to earnings below 10 or price to earnings above 100) and return on equity above 20 %",
            "",
        ),
        ("pe above 10 and below 20", "price to earnings above 10 and price to earnings below 20", ""),
        ("rsi above 60 and above 200 dma", "relative strength index above 60", "above 200 dma"),
        (
            "roe above 20 and more than 50% institutional ownership",
            "return on equity above 20 %",
            "more than 50% institutional ownership",
        ),
        ("pe below 10 or under 500 rupees", "price to earnings below 10 or share price below 500", ""),
        (
            "roe above 20 for 5 or more years and pe below 25",
            "return on equity above 20 % and price to earnings below 25",
            "5 or more years",
        ),
        (
            "banks or pharma stocks with pe under 10",
            "sector or industry like Banks, Pharma and price to earnings below 10",
            "",
        ),
        ("pe under 10 or pharma or it stocks", "price to earnings below 10", "or pharma or it stocks"),
        ("market cap greater than 1000 cr.", "market capitalisation above ₹1,000 crore", ""),
    ],
)
def test_what_joins_conditions(sentence: str, explanation: str, unread: str) -> None:
    assert told(sentence) == (explanation, unread)


@pytest.mark.parametrize(
    "sentence",
    [
        "stocks with high roe or pe below 10",
        "good roe or dividend yield above 4",
        "top 5 stocks by roe or pe below 10",
        "high roe or low pe",
        "roe below 20 or more",
        "pe of 10 or above 100",
        "pe not below 10 or above 100",
        "roe of 5 or more years",
    ],
)
def test_alternatives_that_no_screen_can_say(sentence: str) -> None:
    assert told(sentence) is None


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("share price under 1k", condition("current_price", "lt", 1000)),
        ("share price between 500 and 1k", condition("current_price", "between", [500, 1000])),
        ("market cap above 50k crore", condition("market_cap", "gt", 5e11)),
        ("market cap above 50 thousand crore", condition("market_cap", "gt", 5e11)),
        ("market cap above 5L cr", condition("market_cap", "gt", 5e12)),
        ("market cap above 5 lakh crs", condition("market_cap", "gt", 5e12)),
        ("market cap above 1 lac crore", condition("market_cap", "gt", 1e12)),
        ("market cap above 10 trillion", condition("market_cap", "gt", 1e13)),
        ("market cap above rs 500 crore", condition("market_cap", "gt", 5e9)),
        ("market cap between 1 lakh and 2 lakh crore", condition("market_cap", "between", [1e12, 2e12])),
        ("market cap between 1 and 2 lakh crore", condition("market_cap", "between", [1e12, 2e12])),
        ("market cap between 50,000 and 1 lakh crore", condition("market_cap", "between", [5e11, 1e12])),
        ("market cap between 50k and 1 lakh crore", condition("market_cap", "between", [5e11, 1e12])),
        ("market cap between 20000 and 5000 crore", condition("market_cap", "between", [5e10, 2e11])),
        ("net profit above 500 million", condition("net_profit_annual", "gt", 5e8)),
        ("net profit above 50 lakh", condition("net_profit_annual", "gt", 5e6)),
        ("revenue over 1bn", condition("revenue_annual", "gt", 1e9)),
        ("pe below 20x", condition("pe_ttm", "lt", 20)),
        ("pe below 20 times", condition("pe_ttm", "lt", 20)),
        ("rsi below 30%", condition("rsi", "lt", 30)),
        ("eps above 10 per share", condition("basic_eps_ttm", "gt", 10)),
    ],
)
def test_amounts_with_their_units(sentence: str, found: dict[str, Any]) -> None:
    understood = understand(sentence)
    assert understood is not None
    assert (understood.definition["filters"], understood.unread) == ([found], "")
    parse_screen(understood.definition)


def test_less_than_a_crore_is_told_too() -> None:
    assert told("net profit above 50 lakh") == ("annual profit above ₹0.5 crore", "")


@pytest.mark.parametrize(
    "unsure",
    [
        "price above 200 dma",
        "price above 50 day moving average",
        "price above 52 week low",
        "pe below 5 year average",
        "dividend more than rs 5 per share",
        "dividend above 10 rupees",
        "d/e below 50%",
        "pe below 20%",
        "pe below 10-15",
        "roe above 20 crore",
        "roe above 2x",
        "market cap above 50k",
        "market cap above 500m",
        "market cap above 1000000000",
        "market cap above 5 billion dollars",
        "market cap between 30000 and 1 billion",
        "sales above rs 500",
        "price under rs 500 million dollars",
    ],
)
def test_a_number_of_something_else_is_no_condition(unsure: str) -> None:
    assert told(unsure) is None
    kept = unsure.replace(" and ", " ").replace("-", " ")
    assert told(f"{unsure} and beta below 1") == ("beta below 1", kept)
    assert told(f"beta below 1 and {unsure}") == ("beta below 1", kept)


@pytest.mark.parametrize(
    ("sentence", "filters"),
    [
        ("stocks that have not fallen more than 10% this year", [("year_1_change_pct", "gte", -10)]),
        ("stocks not down more than 5% this week", [("week_change_pct", "gte", -5)]),
        ("companies that aren't profitable", [("net_profit_annual", "lte", 0)]),
        ("companies that aren\u2019t profitable", [("net_profit_annual", "lte", 0)]),
        ("non profitable companies", [("net_profit_annual", "lte", 0)]),
        ("do not show stocks with pe above 30", [("pe_ttm", "lte", 30)]),
        ("don't show me any companies with a pe above 30", [("pe_ttm", "lte", 30)]),
        ("avoid stocks with roe below 15", [("roe_annual_pct", "gte", 15)]),
        ("exclude stocks with pe above 30", [("pe_ttm", "lte", 30)]),
        ("skip stocks with negative pe", [("pe_ttm", "gte", 0)]),
        ("hide loss making stocks", [("net_profit_annual", "gte", 0)]),
        ("stocks that don't have debt to equity above 1", [("debt_to_equity", "lte", 1)]),
        ("pe isn't above 30", [("pe_ttm", "lte", 30)]),
        ("pe should not be above 30", [("pe_ttm", "lte", 30)]),
        ("stocks not yet overbought", [("rsi", "lte", 70)]),
        ("neither overbought nor oversold", [("rsi", "lte", 70), ("rsi", "gte", 30)]),
        ("roe above 20 but exclude those with pe above 30", [("roe_annual_pct", "gt", 20), ("pe_ttm", "lte", 30)]),
        ("without pe above 30 and with roe above 20", [("pe_ttm", "lte", 30), ("roe_annual_pct", "gt", 20)]),
        ("companies without debt and roe above 20", [("debt_to_equity", "lt", 0.1), ("roe_annual_pct", "gt", 20)]),
    ],
)
def test_a_negation_before_a_condition_turns_it_round(sentence: str, filters: list[tuple[str, str, Any]]) -> None:
    understood = understand(sentence)
    assert understood is not None
    assert understood.definition["filters"] == [condition(*found) for found in filters]
    assert (understood.definition["logic"], understood.unread) == ("AND", "")


@pytest.mark.parametrize(
    "sentence",
    [
        "stocks without high pe",
        "not the cheapest stocks",
        "exclude top gainers",
        "exclude stocks with pe above 30 and roe below 10",
        "exclude stocks with pe above 30 or roe below 10",
        "exclude stocks with high pe and roe below 10",
        "exclude stocks with price above 200 dma and pe above 30",
        "exclude penny stocks with pe above 30",
        "exclude banks with pe above 30",
        "not profitable or debt free",
        "pe above 30 should be excluded",
        "not mid caps",
        "stocks not terribly overbought",
        "exclude banks",
        "no banks",
        "excluding banks and pharma",
        "stocks that don't belong to banks",
    ],
)
def test_a_negation_that_may_mean_several_things_states_nothing(sentence: str) -> None:
    assert told(sentence) is None


def test_a_negation_reaches_over_what_follows_it_only() -> None:
    sentence = "stocks with roe above 20 excluding pe above 30 and d/e below 1"
    assert told(sentence) == ("return on equity above 20 %", "excluding pe above 30 d/e below 1")
    assert told("stocks not owned by fii with roe above 20") == ("return on equity above 20 %", "not owned fii")
    assert told("exclude banks and show pharma stocks") == ("sector or industry like Pharma", "exclude banks")


@pytest.mark.parametrize(
    ("period", "column"),
    [
        ("today", "day_change_pct"),
        ("in the last 7 days", "week_change_pct"),
        ("in 4 weeks", "month_change_pct"),
        ("over 30 days", "month_change_pct"),
        ("of the last 3 months", "qtr_change_pct"),
        ("of three months", "qtr_change_pct"),
        ("this quarter", "qtr_change_pct"),
        ("in 12 months", "year_1_change_pct"),
        ("in 52 weeks", "year_1_change_pct"),
        ("over 1 year", "year_1_change_pct"),
        ("over the past 3 years", "year_3_change_pct"),
    ],
)
def test_periods_of_changes(period: str, column: str) -> None:
    for sentence in (f"top 5 gainers {period}", f"best performing stocks {period}"):
        understood = understand(sentence)
        assert understood is not None
        assert (understood.definition["sort_by"], understood.unread) == (column, "")
    understood = understand(f"stocks up more than 10% {period}")
    assert understood is not None
    assert understood.definition["filters"] == [condition(column, "gt", 10)]


@pytest.mark.parametrize(
    ("sentence", "column"),
    [
        ("daily gainers", "day_change_pct"),
        ("weekly gainers", "week_change_pct"),
        ("monthly losers", "month_change_pct"),
        ("yearly top gainers", "year_1_change_pct"),
        ("top gainers with 1 year return above 20", "day_change_pct"),
    ],
)
def test_periods_by_other_words(sentence: str, column: str) -> None:
    understood = understand(sentence)
    assert understood is not None
    assert (understood.definition["sort_by"], understood.unread) == (column, "")


@pytest.mark.parametrize(
    "sentence",
    [
        "top gainers in 5 years",
        "best performing banks in 6 months",
        "top gainers of the last six months",
        "best performing stocks of the last few years",
        "worst performers in 2 weeks with pe below 10",
        "stocks up 10% in 6 months",
    ],
)
def test_changes_over_other_periods_are_not_known(sentence: str) -> None:
    assert told(sentence) is None


@pytest.mark.parametrize(
    ("sentence", "unread"),
    [("top gainers and losers today", "gainers"), ("best and worst performers this week", "best")],
)
def test_of_those_that_rose_and_fell_the_latter_are_listed(sentence: str, unread: str) -> None:
    understood = understand(sentence)
    assert understood is not None
    assert (understood.definition["sort_order"], understood.unread) == ("asc", unread)


@pytest.mark.parametrize(
    ("sentence", "column", "order", "number", "unread"),
    [
        ("top 10 most profitable companies", "net_profit_annual", "desc", 10, ""),
        ("least profitable companies", "net_profit_annual", "asc", 10, ""),
        ("top 5 banks with highest roe", "roe_annual_pct", "desc", 5, ""),
        ("top 10 stocks with lowest pe", "pe_ttm", "asc", 10, ""),
        ("top 5 by lowest pe", "pe_ttm", "asc", 5, ""),
        ("top 5 by roe with pe at most 20", "roe_annual_pct", "desc", 5, ""),
        ("pe at most 20 sorted by roe", "roe_annual_pct", "desc", None, ""),
        ("cheapest banks with highest roe", "roe_annual_pct", "desc", None, "cheapest"),
        ("highest 1 year return", "year_1_change_pct", "desc", 10, ""),
    ],
)
def test_the_word_that_names_a_figure_ranks(
    sentence: str, column: str, order: str, number: int | None, unread: str
) -> None:
    understood = understand(sentence)
    assert understood is not None
    definition = understood.definition
    assert (definition["sort_by"], definition["sort_order"], understood.number) == (column, order, number)
    assert understood.unread == unread
    parse_screen(definition)
