import pytest

from klyx.services.analysis.quality import (
    ROW_REQUIRED_COLUMNS,
    SOURCE_REQUIRED_FIELDS,
    QualityLevel,
    quality_level,
    quality_of,
    quality_score,
    score_fields,
)
from klyx.services.analysis.table import Row

COMPLETE: Row = dict.fromkeys(ROW_REQUIRED_COLUMNS, 1.0)


def test_a_complete_row() -> None:
    assert quality_of({**COMPLETE, "Data Sources": "Workbook, Yahoo Finance"}) == {
        "score": 100,
        "level": "high",
        "present": 10,
        "required": 10,
        "missing": [],
        "sources": ["Workbook", "Yahoo Finance"],
    }


def test_missing_and_implausible_zero_count_as_gaps() -> None:
    quality = quality_of({**COMPLETE, "ROE Annual %": None, "Current Price": 0})
    assert quality["score"] == 80
    assert quality["missing"] == ["Current Price", "ROE Annual %"]


def test_a_company_without_debt_is_complete() -> None:
    assert quality_of({**COMPLETE, "YF_TotalDebt": 0})["score"] == 100
    assert score_fields({**dict.fromkeys(SOURCE_REQUIRED_FIELDS, 1.0), "total_debt": 0.0}) == 100


def test_an_empty_row() -> None:
    quality = quality_of({})
    assert (quality["score"], quality["level"], quality["sources"]) == (0, "low", [])


@pytest.mark.parametrize(
    ("fields", "score"),
    [
        ({}, 0),
        ({"currentPrice": 1.0}, 12),
        ({"currentPrice": 0.0}, 0),
        ({"currentPrice": 1.0, "roe": "Infinity", "pe_ratio": None}, 12),
        (dict.fromkeys(SOURCE_REQUIRED_FIELDS[:7], 1.0), 87),
    ],
)
def test_score_of_source_fields_is_rounded_down(fields: dict[str, object], score: int) -> None:
    assert score_fields(fields) == score


def test_ten_fields_when_the_quarter_is_required_too() -> None:
    required = (*SOURCE_REQUIRED_FIELDS, "quarterly_revenue", "quarterly_net_income")
    assert score_fields(dict.fromkeys(SOURCE_REQUIRED_FIELDS, 1.0), required) == 80


@pytest.mark.parametrize(
    ("score", "level"), [(100, "high"), (80, "high"), (79, "medium"), (50, "medium"), (49, "low"), (0, "low")]
)
def test_levels(score: int, level: QualityLevel) -> None:
    assert quality_level(score) == level


def test_nothing_required_scores_nothing() -> None:
    assert quality_score(0, 0) == 0
