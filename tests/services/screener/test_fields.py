from __future__ import annotations

import pytest

from klyx.errors import Invalid, NotFound
from klyx.services.screener import ROW_FIELDS, SCREEN_FIELDS, field_in_address, result_fields, screen_field
from klyx.services.stocks import FIELDS, Kind

NOT_SCREENED = {"id", "created_at", "news_headlines", "financial_insights"}
CATEGORIES = {
    "Valuation": ["pe_ttm", "peg_ratio", "pb_ratio", "ps_ratio", "market_cap"],
    "Profitability": ["roe_annual_pct", "roa_annual_pct", "operating_margin_pct", "net_profit_margin_pct"],
    "Growth": ["revenue_growth_yoy_pct", "profit_growth_yoy_pct", "eps_growth_pct"],
    "Liquidity": ["current_ratio", "debt_to_equity"],
    "Technical": ["rsi", "macd", "adx", "beta_1yr"],
    "Performance": ["day_change_pct", "month_change_pct", "qtr_change_pct", "year_1_change_pct"],
    "Dividend": ["dividend_yield_pct"],
    "Momentum": ["momentum_score"],
    "Holdings": ["promoter_holding_pct", "fii_holding_pct", "mf_holding_pct", "institutional_holding_pct"],
    "Scores": [
        *("durability_score", "valuation_score", "rel_strength_score"),
        *("roce_annual_pct", "earnings_yield_pct"),
    ],
}


def test_every_stock_field_is_known_by_all_its_names() -> None:
    assert {field.column for field in SCREEN_FIELDS} == {field.name for field in FIELDS} - NOT_SCREENED
    assert len({field.column for field in SCREEN_FIELDS}) == len(SCREEN_FIELDS)
    for field in FIELDS:
        if field.name not in NOT_SCREENED:
            for name in (field.name, *field.display_names, *field.omitted_names):
                assert screen_field(name).column == field.name, name
                assert screen_field(name).unit == field.unit


def test_names_mean_one_field_each() -> None:
    names = [name for field in SCREEN_FIELDS for name in (field.name, *field.aliases)]
    assert len(names) == len(set(names))
    assert not any({"<", ">"} & set(name) for name in names)


def test_categories_come_in_order_and_begin_with_the_usual_fields() -> None:
    by_category: dict[str, list[str]] = {}
    for field in SCREEN_FIELDS:
        by_category.setdefault(field.category, []).append(field.column)
    assert list(by_category)[: len(CATEGORIES)] == list(CATEGORIES)
    for category, columns in CATEGORIES.items():
        assert by_category[category][: len(columns)] == columns


def test_row_has_the_fields_of_the_mapping() -> None:
    columns = [field.column for field in ROW_FIELDS]
    assert len(columns) == len(set(columns)) == 50
    assert columns[:6] == ["stock_name", "nse_code", "sector_name", "industry_name", "current_price", "day_change_pct"]
    assert columns[-2:] == ["data_sources", "last_updated"]
    assert {field.kind for field in ROW_FIELDS} == {Kind.TEXT, Kind.NUMBER, Kind.INTEGER, Kind.MOMENT}


def test_columns_are_known_fields_behind_name_and_symbol() -> None:
    assert [field.name for field in result_fields(["rsi", "Tech_RSI", "Stock Name"])] == [
        "Stock Name",
        "NSE Code",
        "Day RSI",
        "Tech_RSI",
    ]
    assert result_fields(None) == ROW_FIELDS
    for wrong in ([], "rsi", {"rsi": 1}, ["rsi", None], ["rsi"] * 1000, 5, [["rsi"]]):
        with pytest.raises(Invalid):
            result_fields(wrong)


def test_field_in_an_address_may_be_encoded_once_more() -> None:
    assert field_in_address("ROE Annual %").column == "roe_annual_pct"
    assert field_in_address("ROE%20Annual%20%25").column == "roe_annual_pct"
    with pytest.raises(NotFound, match='field "ROE"'):
        field_in_address("ROE")
