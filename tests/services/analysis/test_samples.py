"""The four workbooks of a real export, where they lie beside the repository."""

import json
from datetime import date
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from klyx.services.analysis.pipeline import analyse, unify
from klyx.services.analysis.strength import YearChanges
from klyx.services.analysis.table import Cell, Table

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"

pytestmark = pytest.mark.skipif(
    not list(SAMPLES.glob("*.xlsx")), reason="The sample workbooks are not beside the repository"
)


def read(path: Path) -> Table:
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    cells = [tuple(_cell(value) for value in row) for row in rows]
    return Table(path.name, tuple(str(heading) for heading in cells[0]), tuple(cells[1:]))


def _cell(value: object) -> Cell:
    if isinstance(value, date):
        return value.isoformat()
    assert isinstance(value, (str, int, float, bool))
    return value


def test_the_four_workbooks_together() -> None:
    unified = unify([read(path) for path in SAMPLES.glob("*.xlsx")])
    assert unified.skipped == unified.problems == ()
    assert [row["NSE Code"] for row in unified.rows] == [
        "ADANIENT",
        "ADANIPORTS",
        "APOLLOHOSP",
        "ASIANPAINT",
        "AXISBANK",
    ]
    analysis = analyse(unified.rows, {})
    assert analysis.problems == ()
    json.dumps(analysis.rows, allow_nan=False)

    adani = analysis.rows[0]
    assert adani["Market Capitalization"] == pytest.approx(2_769_237_400_000, rel=1e-6)
    assert adani["Net profit TTM"] == pytest.approx(78_359_000_000, rel=1e-6)
    assert adani["Current Price"] == 2263.5
    assert adani["Tech_RSI"] == 46.64
    assert adani["Tech_Trend"] == "Bearish"
    assert adani["BSE Code"] == "512599"
    assert adani["Result Announced Date"] == "2025-11-04"
    assert adani["Forecaster Estimates Target Price"] is None
    assert adani["Data Quality Score"] == 80

    trends = [row["Tech_Trend"] for row in analysis.rows]
    assert trends == [
        "Bearish",
        "Bullish (Long Term)",
        "Bearish",
        "Bullish (Long Term)",
        "Bearish (Long Term)",
    ]
    assert {row["Relative Strength"] for row in analysis.rows} == {None}
    market = YearChanges.of((None, float(change)) for change in range(-50, 50))
    in_market = [row["Relative Strength"] for row in analyse(unified.rows, {}, market=market).rows]
    assert in_market == [49, 77, 47, 73, 65]  # shares of the 100 that did no better, of 99
    assert analysis.rows[4]["Forecaster Estimates 1Q forward EBITDA Quarter"] is None
    assert not any(".1" in column for column in adani)
