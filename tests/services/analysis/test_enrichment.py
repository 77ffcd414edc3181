from datetime import datetime, timedelta, timezone

import pytest

from klyx.services.analysis.enrichment import AMOUNT_FIELDS, FRACTION_FIELDS, enrich, fill_symbols, percent_points
from klyx.services.analysis.table import Cell, Row
from klyx.services.market_data.merge import Merged, MergedField
from tests.services.analysis.builders import known


@pytest.mark.parametrize(("field", "column"), AMOUNT_FIELDS.items())
def test_amounts_are_taken_as_they_are(field: str, column: str) -> None:
    assert enrich({}, known(**{field: 123.5}))[column] == 123.5


@pytest.mark.parametrize(("field", "column"), FRACTION_FIELDS.items())
@pytest.mark.parametrize(
    ("fraction", "percent"), [(0.1488, 14.88), (-0.05, -5.0), (1.35, 135.0), (0.0, 0.0), (0.0029, 0.29)]
)
def test_fractions_are_always_multiplied(field: str, column: str, fraction: float, percent: float) -> None:
    assert enrich({}, known(**{field: fraction}))[column] == percent


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("marketCap", "Market Capitalization"),
        ("roe", "ROE Annual %"),
        ("promoter_holding", "Promoter holding latest %"),
        ("institutional_holding", "Institutional holding current Qtr %"),
        ("pe_ratio", "PE TTM Price to Earnings"),
        ("recommendation_key", "Forecaster Estimates Reco"),
    ],
)
@pytest.mark.parametrize("own", [-3.5, 61.2])
def test_a_known_cell_is_never_overwritten(field: str, column: str, own: float) -> None:
    assert enrich({column: own}, known(**{field: 0.5}))[column] == own


@pytest.mark.parametrize(
    ("field", "column", "stays"),
    [
        ("marketCap", "Market Capitalization", False),
        ("net_income", "Net Profit Annual", False),
        ("operating_margin", "Operating Profit Margin Annual %", False),
        ("total_debt", "YF_TotalDebt", True),
        ("promoter_holding", "Promoter holding latest %", True),
        ("dividend_yield", "Dividend Yield Annual %", True),
        ("year1Change", "1Yr change %", True),
    ],
)
def test_a_zero_is_a_gap_only_where_a_figure_is_practically_never_zero(field: str, column: str, stays: bool) -> None:
    assert (enrich({column: 0}, known(**{field: 0.5}))[column] == 0) is stays
    assert enrich({column: 0}, known(**{field: 0.0}))[column] == 0


def test_the_stock_table_fills_what_neither_workbook_nor_sources_know() -> None:
    row: Row = {"Stock Name": "Infosys", "Current Price": 1400.0, "ROE Annual %": None, "Debt to Equity Ratio": None}
    row |= dict.fromkeys(("Market Capitalization", "Operating Profit Margin Qtr %", "Durability Score"))
    stored: Row = {
        "Current Price": 1500.0,
        "ROE Annual %": 30.0,
        "Debt to Equity Ratio": 0.1,
        "Market Capitalization": 6e12,
        "Operating Profit Margin Qtr %": 20.0,
        "Durability Score": 90,
        "Data Sources": "NSE, Yahoo Finance",
        "Last Updated": "2026-11-20T10:30:00Z",
    }
    enriched = enrich(row, known(roe=0.25), stored)
    assert enriched["Current Price"] == 1400.0
    assert enriched["ROE Annual %"] == 25.0
    assert (enriched["Debt to Equity Ratio"], enriched["Market Capitalization"]) == (0.1, 6e12)
    # A year's margin, and a score of other figures.
    assert enriched["Operating Profit Margin Qtr %"] is enriched["Durability Score"] is None
    assert str(enriched["Data Sources"]).startswith("Workbook, ")
    assert "NSE" in str(enriched["Data Sources"])
    assert enriched["Last Updated"] != stored["Last Updated"]
    assert enrich(row, None, stored)["Last Updated"] == stored["Last Updated"]
    assert enrich(row, None, {})["Data Sources"] == "Workbook"


def test_the_rows_given_are_not_changed() -> None:
    row: Row = {"Stock Name": "Infosys", "Current Price": None}
    enrich(row, known(currentPrice=1500.0))
    assert row == {"Stock Name": "Infosys", "Current Price": None}


@pytest.mark.parametrize("value", ["Infinity", "N/A", "abc", float("nan"), float("inf"), True])
def test_what_is_no_figure_stays_missing(value: float | str) -> None:
    enriched = enrich({}, known(pe_ratio=value, roe=value))
    assert enriched.get("PE TTM Price to Earnings") is None
    assert enriched.get("ROE Annual %") is None


def test_price_to_earnings_is_rounded_for_display() -> None:
    assert enrich({}, known(pe_ratio=27.123456))["PE TTM Price to Earnings"] == 27.12


def test_operating_profit_is_revenue_times_margin() -> None:
    enriched = enrich({}, known(revenue=978_947_500_000.0, operating_margin=0.1556))
    assert enriched["Operating Profit Annual"] == pytest.approx(152_324_231_000.0)
    assert enriched["Operating Profit Margin Annual %"] == 15.56
    assert "Operating Profit Annual" not in enrich({}, known(revenue=5.0))


def test_institutions_are_foreign_plus_domestic_when_both_are_known() -> None:
    column = "Institutional holding current Qtr %"
    both = known(fii_holding=0.2, dii_holding=0.15, institutional_holding=0.5)
    assert enrich({}, both)[column] == 35.0
    assert enrich({}, known(fii_holding=0.2, institutional_holding=0.5))[column] == 50.0
    assert enrich({"FII holding current Qtr %": 11.8}, known(dii_holding=0.1))[column] == 21.8


@pytest.mark.parametrize(
    ("key", "label"), [("strong_buy", "Strong Buy"), ("hold", "Hold"), ("none", None), ("<b>buy</b>", "Bbuy/B")]
)
def test_recommendation_as_text(key: str, label: str | None) -> None:
    assert enrich({}, known(recommendation_key=key)).get("Forecaster Estimates Reco") == label


def test_names_of_sector_and_industry() -> None:
    enriched = enrich({"sector_name": "Banking and Finance"}, known(_sector="Financial", _industry="Banks <x>"))
    assert enriched["sector_name"] == "Banking and Finance"
    assert enriched["Industry Name"] == "Banks x"


@pytest.mark.parametrize(("previous", "change"), [(1480.0, 1.35), (0.0, None), (1500.0, 0.0)])
def test_day_change_is_against_the_previous_close(previous: float, change: float | None) -> None:
    enriched = enrich({}, known(currentPrice=1500.0, _previous_close=previous))
    assert enriched.get("Day change %") == change
    assert enrich({"Current Price": 1500.0}, known(_previous_close=1480.0)).get("Day change %") is None


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        ({"YF_TotalDebt": 50.0, "YF_StockholdersEquity": 100.0}, "Debt to Equity Ratio", 0.5),
        ({"YF_TotalDebt": 0, "YF_StockholdersEquity": 100.0}, "Debt to Equity Ratio", 0.0),
        ({"YF_TotalDebt": 50.0, "YF_StockholdersEquity": -10.0}, "Debt to Equity Ratio", None),
        ({"YF_TotalDebt": None, "YF_StockholdersEquity": 100.0}, "Debt to Equity Ratio", None),
        ({"YF_CurrentAssets": 150.0, "YF_CurrentLiabilities": 100.0}, "Current Ratio", 1.5),
        ({"YF_CurrentAssets": 150.0, "YF_CurrentLiabilities": 0}, "Current Ratio", None),
        ({"YF_CurrentAssets": 1e308, "YF_CurrentLiabilities": 1e-10}, "Current Ratio", None),
        (
            {"Operating Revenue Annual": 1000.0, "Operating Profit Margin Annual %": 30.0},
            "Operating Profit Annual",
            300.0,
        ),
        ({"Operating Revenue Annual": 1000.0}, "Operating Profit Annual", None),
        # One quarter's margin says nothing of the year.
        (
            {"Operating Revenue Annual": 1000.0, "Operating Profit Margin Qtr %": 30.0},
            "Operating Profit Annual",
            None,
        ),
        (
            {"Forecaster Estimates Target Price": 120.0, "Current Price": 100.0},
            "Forecaster Estimates 12Mth Upside %",
            20.0,
        ),
        (
            {"Forecaster Estimates Target Price": 120.0, "Current Price": 0},
            "Forecaster Estimates 12Mth Upside %",
            None,
        ),
    ],
)
def test_what_follows_from_known_cells(row: Row, column: str, expected: Cell) -> None:
    assert enrich(row, None).get(column) == expected


def test_sources_and_time() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    asked = datetime(2026, 1, 31, 15, 0, 1, 5, india)
    fields = {
        "roe": MergedField(0.3, "Yahoo Finance", asked),
        "currentPrice": MergedField(1501.0, "NSE", asked + timedelta(days=1)),
        "roa": MergedField(0.1, "MoneyControl", asked - timedelta(days=1)),
    }
    enriched = enrich({"Stock Name": "Infosys", "Current Price": 1500.0}, Merged(fields))
    assert enriched["Data Sources"] == "Workbook, MoneyControl, Yahoo Finance"
    assert enriched["Last Updated"] == "2026-01-31T09:30:01Z"


@pytest.mark.parametrize(
    ("row", "fields", "sources"),
    [
        ({"Stock Name": "Infosys"}, {"roe": 0.3}, "Yahoo Finance"),
        ({"Stock Name": "Infosys", "ROE Annual %": 31.8}, {"roe": 0.3}, "Workbook"),
        ({"Stock Name": "Infosys", "ROE Annual %": 31.8}, {}, "Workbook"),
        ({"Stock Name": "Infosys"}, {}, None),
    ],
)
def test_only_who_gave_a_figure_is_a_source(row: Row, fields: dict[str, float], sources: str | None) -> None:
    enriched = enrich(row, known(**fields))
    assert enriched["Data Sources"] == sources
    assert (enriched["Last Updated"] is None) == (sources is None or "Yahoo" not in sources)


def test_a_row_with_sources_of_its_own_keeps_them() -> None:
    row: Row = {"Current Price": 10.0, "Data Sources": "Sample data", "Last Updated": "2026-01-31T00:00:00Z"}
    assert enrich(row, None)["Data Sources"] == "Sample data"
    assert enrich(row, None)["Last Updated"] == "2026-01-31T00:00:00Z"
    assert enrich(row, known(roe=0.1))["Data Sources"] == "Sample data, Yahoo Finance"


def test_percent_points_of_nothing_is_nothing() -> None:
    assert percent_points(None) is None
    assert percent_points(1e308) is None


def test_fill_symbols_fills_only_what_is_missing() -> None:
    rows: list[Row] = [
        {"Stock Name": "Infosys Ltd.", "NSE Code": None},
        {"Stock Name": "TCS", "NSE Code": "TCS"},
        {"Stock Name": "Unknown", "NSE Code": None},
        {"Stock Name": "Bare"},
    ]
    symbols = {"INFOSYS  LTD.": "infy.ns", "TCS": "WRONG", "Bare": "BARE"}
    assert [row.get("NSE Code") for row in fill_symbols(rows, symbols)] == ["INFY", "TCS", None, "BARE"]
    assert rows[0]["NSE Code"] is None
