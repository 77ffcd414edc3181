import pytest

from klyx.services.analysis.columns import (
    PIPELINE_COLUMNS,
    RESERVED_COLUMNS,
    ZERO_IS_A_GAP,
    ColumnKind,
    canonical_heading,
    column_kind,
)
from klyx.services.analysis.enrichment import AMOUNT_FIELDS, FRACTION_FIELDS
from klyx.services.market_data.vocabulary import NUMBERS


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Stock Name", "text"),
        ("NSE Code", "code"),
        ("BSE Code", "code"),
        ("Symbol", "code"),
        ("sector_name", "text"),
        ("DVM_classification_text", "text"),
        ("Result Announced Date", "text"),
        ("Forecaster Estimates Reco", "text"),
        ("Forecaster Estimates Target Price", "number"),
        ("Forecaster Estimates No of bullish Estimates", "number"),
        ("Forecaster estimates 1Y forward Net Income Annual Growth %", "number"),
        ("Forecaster Estimates 1Q forward EPS Quarter", "number"),
        ("Market Capitalization", "number"),
        ("Standard resistance R1", "number"),
        ("Standard R1 to Price Diff %", "number"),
        ("Prev Week Trendlyne Momentum Score", "number"),
        ("Beta 3Month", "number"),
        ("Day MACD Signal Line", "number"),
        ("Day SMA200", "number"),
        ("Day ROC125", "number"),
        ("%Days traded below current Price to Book Value", "number"),
        ("MF holding change 3Month%", "number"),
        ("Relative returns vs Sector ten years%", "number"),
        ("Week Volume Avg", "number"),
        ("10Yr Low", "number"),
        ("Net profit TTM", "number"),
        ("My notes", "other"),
        ("Quantity", "other"),
        ("Day of purchase", "other"),
    ],
)
def test_column_kind(heading: str, kind: ColumnKind) -> None:
    assert column_kind(heading) == kind


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("stock name", "Stock Name"),
        ("NSE CODE", "NSE Code"),
        ("Net Profit TTM", "Net profit TTM"),
        ("ROA Annual %", "RoA Annual %"),
        ("My Notes", "My Notes"),
    ],
)
def test_canonical_heading(written: str, canonical: str) -> None:
    assert canonical_heading(written) == canonical


def test_pipeline_columns_are_distinct_and_hold_what_clients_need_present() -> None:
    assert len(set(PIPELINE_COLUMNS)) == len(PIPELINE_COLUMNS)
    needed = {
        "ROE Annual %",
        "Piotroski Score",
        "YF_TotalDebt",
        "YF_StockholdersEquity",
        "PEG TTM PE to Growth",
    }
    assert needed <= set(PIPELINE_COLUMNS)
    assert "Current Price" not in RESERVED_COLUMNS


def test_zeros_are_gaps_where_the_vocabulary_of_sources_has_them() -> None:
    columns = {**AMOUNT_FIELDS, **FRACTION_FIELDS, "pe_ratio": "PE TTM Price to Earnings"}
    for field, column in columns.items():
        is_gap = NUMBERS[field].zero_is_a_gap or NUMBERS[field].never_zero
        assert (column in ZERO_IS_A_GAP) is is_gap, column
