import json
import logging
import math
from collections.abc import Iterator, Mapping
from itertools import permutations

import pytest

from klyx.services.analysis.insights import FAILED_INSIGHTS, News
from klyx.services.analysis.pipeline import Analysis, ResultRow, analyse, unify
from klyx.services.analysis.strength import YearChanges
from klyx.services.analysis.table import Table
from klyx.services.market_data.merge import Merged, MergedField
from tests.services.analysis.builders import known, table

OMITTABLE = {"Tech_RSI", "Tech_MACD", "Tech_MFI"}
FUNDAMENTALS = table(
    ("Stock Name", "NSE Code", "Market Capitalization", "ROE Annual %", "1Yr change %"),
    ("Infosys Ltd.", "INFY", 620000.5, 31.8, 4.0),
    ("Wipro Ltd.", "WIPRO", "Export NA", 0, -8.0),
    source="b fundamentals.xlsx",
)
TECHNICALS = table(
    ("Stock Name", "Current Price", "Day RSI", "Day SMA50", "Day MACD", "Day MACD Signal Line", "Day MFI"),
    ("INFOSYS LTD.", 1500, 55.5, 1400, 3.0, 2.0, 60),
    ("Tata Motors Ltd.", 700, None, None, None, None, None),
    source="a technicals.xlsx",
)


class BrokenFields(Mapping[str, MergedField]):
    """Fields as a faulty source might hand them over: reading them fails."""

    def __getitem__(self, name: str) -> MergedField:
        raise RuntimeError(name)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError

    def __len__(self) -> int:
        return 1


def analysed(*tables: Table, records: Mapping[str, Merged] | None = None) -> Analysis:
    return analyse(unify(tables).rows, records or {})


def assert_ready_for_clients(rows: tuple[ResultRow, ...]) -> None:
    json.dumps(rows, allow_nan=False)
    common = {frozenset(row.keys() - OMITTABLE) for row in rows}
    assert len(common) == 1
    for row in rows:
        assert row["Stock Name"]
        for column, value in row.items():
            assert column == "_quality" or value is None or isinstance(value, (str, int, float, bool))
            assert not isinstance(value, str) or not {"<", ">", "\0"} & set(value)
            assert not isinstance(value, float) or math.isfinite(value)
        for column in OMITTABLE & row.keys():
            assert isinstance(row[column], (int, float))


def test_unify_joins_and_converts_once() -> None:
    unified = unify([FUNDAMENTALS, TECHNICALS])
    assert [row["Stock Name"] for row in unified.rows] == ["INFOSYS LTD.", "Tata Motors Ltd.", "Wipro Ltd."]
    infosys, tata, wipro = unified.rows
    assert infosys["Market Capitalization"] == 6_200_005_000_000.0
    assert infosys["Day RSI"] == 55.5
    assert tata["Market Capitalization"] is None
    assert wipro["Market Capitalization"] is None
    assert wipro["ROE Annual %"] == 0
    assert list(infosys) == list(tata) == list(wipro)
    assert unified.skipped == unified.problems == ()


def test_the_order_of_uploads_changes_nothing() -> None:
    bare = table(("stock name",), ("Nestle India Ltd.",), ("infosys ltd.",), source="c list.csv")
    results = [analysed(*order) for order in permutations((FUNDAMENTALS, TECHNICALS, bare))]
    # Compared as text: dictionaries that differ in the order of their keys are equal.
    assert len({json.dumps(result.rows) for result in results}) == 1


def test_a_bare_list_of_names_works() -> None:
    rows = analysed(table(("Stock Name",), ("Infosys Ltd.",), ("  ",))).rows
    assert_ready_for_clients(rows)
    (row,) = rows
    for column in ("ROE Annual %", "Piotroski Score", "PEG TTM PE to Growth", "YF_TotalDebt"):
        assert row[column] is None
    assert row["YF_StockholdersEquity"] is None
    assert not OMITTABLE & row.keys()
    assert row["Tech_Trend"] == "Unknown"
    assert row["News_Headlines"] == "[]"
    assert row["Data Quality Score"] == 0


def test_columns_come_from_spreadsheets_first_then_from_the_pipeline() -> None:
    rows = analysed(table(("Stock Name", "My notes", "Day RSI"), ("Infosys", "hold", 50.0))).rows
    columns = list(rows[0])
    assert columns[:3] == ["Stock Name", "My notes", "Day RSI"]
    assert columns[-1] == "_quality"
    assert columns.index("NSE Code") < columns.index("Financial Insights") < columns.index("Tech_RSI")


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (table(("Person", "Current Price"), ("Infosys", 5), source="x.xlsx"), 'no "Stock Name" column'),
        (table(("Stock Name", "Current Price"), source="x.xlsx"), "no stocks in it"),
        (table(("Stock Name", "Current Price"), ("-", ""), source="x.xlsx"), "no stocks in it"),
        (table((), source="x.xlsx"), 'no "Stock Name" column'),
        (table(("Stock Name",), ("Infosys",), source=".hidden.xlsx"), "hidden or temporary"),
        (table(("Stock Name",), ("Infosys",), source="~$list.xlsx"), "hidden or temporary"),
        (
            table(
                ("Stock Name", "Market Capitalization", "Financial Insights", "Tech_Trend"),
                ("Infosys", 6.2e12, "...", "Bullish"),
                source="x.xlsx",
            ),
            "download of earlier results",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_skipped_with_a_reason(refused: Table, reason: str) -> None:
    unified = unify([refused, FUNDAMENTALS])
    assert len(unified.rows) == 2
    assert [skip.source for skip in unified.skipped] == [refused.source]
    assert reason in unified.skipped[0].message


def test_a_table_that_breaks_the_rules_of_tables_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ragged = Table("ragged.xlsx", ("Stock Name", "Current Price"), (("Infosys",),))
    with caplog.at_level(logging.ERROR):
        unified = unify([ragged, FUNDAMENTALS])
    assert len(unified.rows) == 2
    assert "could not be read" in unified.skipped[0].message
    assert caplog.records[0].exc_info


def test_problems_of_a_file_are_reported_and_the_rest_is_used() -> None:
    unified = unify([table(("Stock Name", "Current Price", ""), ("Infosys", "abc", 5), (None, 6, None))])
    assert len(unified.rows) == 1
    assert len(unified.problems) == 3
    assert {problem.source for problem in unified.problems} == {"stocks.xlsx"}


@pytest.mark.parametrize("heading", ["Symbol", "NSE Code", "Ticker", "TICKER"])
def test_a_table_of_symbols_is_named_by_other_tables_then_as_told_then_by_its_symbols(heading: str) -> None:
    symbols = table((heading, "Day MFI"), ("infy.ns", 60), ("TCS", 50), ("ZZZ.NS", 40), (None, 1), source="a.csv")
    unified = unify([symbols, FUNDAMENTALS], names={"infy": "Another name", "tcs": "Tata Consultancy Services Ltd."})
    found = {(row["Stock Name"], row["NSE Code"], row["Day MFI"]) for row in unified.rows}
    assert found == {
        ("Infosys Ltd.", "INFY", 60),
        ("Tata Consultancy Services Ltd.", "TCS", 50),
        ("ZZZ", "ZZZ", 40),
        ("Wipro Ltd.", "WIPRO", None),
    }
    assert "left out: 1" in unified.problems[0].message


def test_a_company_column_holds_names() -> None:
    unified = unify([table(("company", "Ticker", "Current Price"), ("Infosys", "INFY.NS", 5))])
    assert unified.rows == (
        {"Stock Name": "Infosys", "Symbol": "INFY.NS", "Current Price": 5, "NSE Code": "INFY"},
    )


def test_a_symbol_may_be_corrected_to_a_name() -> None:
    for heading in ("NSE Code", "Symbol"):
        unified = unify([table((heading,), ("RELIANC",))], {"RELIANC": "RELIANCE INDUSTRIES LTD."})
        assert [row["Stock Name"] for row in unified.rows] == ["RELIANCE INDUSTRIES LTD."]


def test_corrections_are_applied_before_cleaning() -> None:
    unified = unify([table(("Stock Name", "NSE Code"), ("Reliance Ind", "reliance ind"))], {"RELIANCE IND": "RELIANCE"})
    assert unified.rows == ({"Stock Name": "RELIANCE", "NSE Code": "RELIANCE"},)
    assert unified.problems == ()


def test_records_fill_gaps_by_nse_code() -> None:
    source = known(marketCap=2.5e12, roe=0.15, revenue=9e11, total_assets=1.2e12, total_debt=0.0)
    infosys, wipro = analysed(FUNDAMENTALS, records={"WIPRO": source}).rows
    assert wipro["Market Capitalization"] == 2.5e12
    assert wipro["ROE Annual %"] == 15.0
    assert wipro["YF_TotalDebt"] == 0.0
    assert wipro["Data Sources"] == "Workbook, Yahoo Finance"
    assert wipro["Last Updated"] == "2026-01-31T09:30:15Z"
    assert infosys["Market Capitalization"] == 6_200_005_000_000.0
    assert infosys["Last Updated"] is None


def test_derived_ratios_and_scores() -> None:
    sheet = table(
        (
            "Stock Name",
            "PE TTM Price to Earnings",
            "EPS TTM Growth %",
            "Net Profit Annual",
            "Operating Revenue Annual",
            "ROE Annual %",
            "Piotroski Score",
        ),
        ("Infosys", 25.0, 10.0, 25.0, 100.0, 31.8, 7.0),
        ("Loss Ltd.", -4.0, -10.0, -5.0, 0.0, -2.0, 12.0),
    )
    infosys, loss = analysed(sheet).rows
    assert infosys["PEG TTM PE to Growth"] == 2.5
    assert infosys["Earnings Yield %"] == 4.0
    assert infosys["Net Profit Margin Annual %"] == 25.0
    assert infosys["ROCE Annual %"] == 31.8
    assert infosys["Piotroski Score"] == 7
    assert isinstance(infosys["Piotroski Score"], int)
    assert loss["PEG TTM PE to Growth"] is None
    assert loss["Earnings Yield %"] is None
    assert loss["Net Profit Margin Annual %"] is None
    assert loss["Piotroski Score"] is None


def test_return_on_capital_from_totals_when_they_are_known() -> None:
    source = known(revenue=1000.0, operating_margin=0.3, total_assets=1700.0, current_liabilities=200.0)
    (row,) = analysed(table(("Stock Name", "NSE Code"), ("Infosys", "INFY")), records={"INFY": source}).rows
    assert row["ROCE Annual %"] == 20.0


def test_return_on_capital_from_the_workbooks_own_totals() -> None:
    sheet = table(
        (
            "Stock Name",
            "Operating Revenue Annual",
            "Operating Profit Margin Annual %",
            "YF_TotalAssets",
            "YF_CurrentLiabilities",
            "ROE Annual %",
        ),
        ("Infosys", 100.0, 30.0, 1.7e9, 0.2e9, 31.8),
    )
    assert analysed(sheet).rows[0]["ROCE Annual %"] == 20.0


def test_relative_strength_is_over_all_known_stocks_and_feeds_momentum() -> None:
    sheet = table(
        ("Stock Name", "NSE Code", "1Yr change %", "Current Price", "1Yr High", "1Yr Low"),
        ("Best", "BEST", 50.0, 100.0, 100.0, 50.0),
        ("Unknown", "X", None, 100.0, 100.0, 50.0),
        ("Worst", "WORST", -5.0, 100.0, 100.0, 50.0),
    )
    market = YearChanges.of((f"S{change}", float(change)) for change in range(0, 100, 2))
    rows = analyse(unify([sheet]).rows, {}, market=market).rows
    assert [row["Relative Strength"] for row in rows] == [51, None, 0]
    assert [row["Momentum Score"] for row in rows] == [60, 40, 40]


def test_without_a_market_momentum_goes_by_the_change_itself() -> None:
    sheet = table(("Stock Name", "1Yr change %", "Current Price", "1Yr High", "1Yr Low"), ("A", 30.0, 100, 100, 50))
    (row,) = analysed(sheet).rows
    assert row["Relative Strength"] is None
    assert row["Momentum Score"] == 70


def test_a_failing_source_record_costs_only_its_own_gaps(caplog: pytest.LogCaptureFixture) -> None:
    broken = Merged(BrokenFields())
    with caplog.at_level(logging.ERROR):
        analysis = analysed(FUNDAMENTALS, records={"INFY": broken, "WIPRO": known(currentPrice=250.0)})
    assert_ready_for_clients(analysis.rows)
    infosys, wipro = analysis.rows
    assert infosys["ROE Annual %"] == 31.8
    assert infosys["Financial Insights"] != FAILED_INSIGHTS
    assert wipro["Current Price"] == 250.0
    assert [problem.stock_name for problem in analysis.problems] == ["Infosys Ltd."]
    assert "INFY" not in analysis.problems[0].message
    assert caplog.records[0].exc_info


def test_failing_news_costs_only_its_own_insights(caplog: pytest.LogCaptureFixture) -> None:
    broken: dict[str, News] = {"Infosys Ltd.": {}}  # type: ignore[typeddict-item]
    with caplog.at_level(logging.ERROR):
        analysis = analyse(unify([FUNDAMENTALS]).rows, {}, broken)
    assert_ready_for_clients(analysis.rows)
    infosys, wipro = analysis.rows
    assert infosys["Financial Insights"] == FAILED_INSIGHTS
    assert infosys["Tech_Trend"] == "Unknown"
    assert wipro["Financial Insights"] != FAILED_INSIGHTS
    assert [problem.stock_name for problem in analysis.problems] == ["Infosys Ltd."]


def test_news_reaches_its_stock() -> None:
    news: News = {"sentiment": "Strong Bullish", "score": 4, "headlines_json": "[]", "text": "Good news."}
    infosys, wipro = analyse(unify([FUNDAMENTALS]).rows, {}, {"Infosys Ltd.": news}).rows
    assert infosys["News_Sentiment"] == "Strong Bullish"
    assert str(infosys["Financial Insights"]).endswith("Good news.")
    assert wipro["News_Sentiment"] == "Neutral"


def test_hostile_tables_give_clean_rows() -> None:
    hostile = table(
        ("Stock Name", "<b>Notes</b>", "NSE Code", "Current Price", "Market Capitalization", "Day RSI", "Tech_MFI"),
        ("<script>alert(1)</script>", "a\0b<", "M&M", "=1+1", 1e306, "<b>", "boom"),
        ("../../etc/passwd", "\u202egnp", "<>", float("nan"), float("inf"), "Export NA", None),
        ("🚀 Rocket", None, "x y", True, 10**400, 2**70, None),
        ("\ud800", 2**70, "a", None, None, None, None),
        ("Emoji 👩‍💻 Ltd.", False, None, "1e400", "-", "-", None),
        source="<img>../../x\0.xlsx",
    )
    unified = unify([hostile])
    analysis = analyse(unified.rows, {})
    assert_ready_for_clients(analysis.rows)
    assert len(analysis.rows) == 4
    assert analysis.problems == ()
    assert all("<" not in problem.message for problem in (*unified.problems, *unified.skipped))
    assert "bNotes/b" in analysis.rows[0]


def test_nothing_gives_nothing() -> None:
    assert unify([]).rows == ()
    assert analyse((), {}) == Analysis((), ())
