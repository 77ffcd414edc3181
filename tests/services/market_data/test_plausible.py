from __future__ import annotations

import logging
import math
from datetime import UTC, datetime
from typing import Any

import pytest

from klyx.database.types import Figure
from klyx.services.market_data.plausible import Rejections, plausible_fields
from klyx.services.market_data.vocabulary import NUMBERS, TEXTS
from klyx.services.stocks.fields import column_of
from klyx.sources.base import SourceRecord


def record(**fields: Any) -> SourceRecord:
    return SourceRecord("TCS", "Somewhere", datetime(2026, 1, 31, tzinfo=UTC), fields)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pe_ratio", 1e9),
        ("pe_ratio", 0),
        ("pe_ratio", "Infinity"),
        ("currentPrice", -5.0),
        ("currentPrice", 0.0),
        ("currentPrice", "123.45"),
        ("currentPrice", True),
        ("currentPrice", None),
        ("marketCap", math.nan),
        ("marketCap", math.inf),
        ("marketCap", 10**400),
        ("dividend_yield", 3.2),
        ("promoter_holding", 72.3),
        ("piotroski", 12),
        ("piotroski", 4.5),
        ("total_debt", -1.0),
        ("recommendation_key", "none"),
        ("recommendation_key", 3),
        ("_sector", "  "),
        ("_sector", "x" * 256),
        ("_website", "javascript:alert(1)"),
        ("_isin", "US0378331005"),
    ],
)
def test_what_cannot_be_true_is_refused(field: str, value: Any) -> None:
    rejections = Rejections()
    assert plausible_fields(record(**{field: value}, roe=0.2), rejections) == {"roe": 0.2}
    assert rejections.counts == {("Somewhere", field): 1}


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("pe_ratio", -12.5, -12.5),
        ("total_debt", 0, 0.0),
        ("roe", -1.7, -1.7),
        ("revenue_growth", 3.4, 3.4),
        ("promoter_holding", 1, 1.0),
        ("piotroski", 9, 9.0),
        ("recommendation_key", "strong_buy", "strong_buy"),
        ("_sector", " Consumer <b>Goods", "Consumer bGoods"),
        ("_website", "https://www.tcs.com", "https://www.tcs.com"),
    ],
)
def test_what_can_be_true_stays(field: str, value: Any, kept: Any) -> None:
    rejections = Rejections()
    assert plausible_fields(record(**{field: value}), rejections) == {field: kept}
    assert rejections.counts == {}


def test_a_field_nobody_defined_is_left_out() -> None:
    assert plausible_fields(record(invented=1.0, _internal="x"), Rejections()) == {}


def test_a_range_upside_down_is_refused_as_a_whole() -> None:
    rejections = Rejections()
    assert plausible_fields(record(week52Low=200.0, week52High=100.0, beta=1.0), rejections) == {"beta": 1.0}
    assert set(rejections.counts) == {("Somewhere", "week52Low"), ("Somewhere", "week52High")}


def test_each_source_and_field_is_logged_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    rejections = Rejections()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            plausible_fields(record(pe_ratio=1e9, currentPrice="x" * 500), rejections)
    assert sorted(entry.__dict__["field"] for entry in caplog.records) == ["currentPrice", "pe_ratio"]
    assert all(len(entry.__dict__["value"]) <= 40 for entry in caplog.records)
    assert rejections.counts == {("Somewhere", "pe_ratio"): 3, ("Somewhere", "currentPrice"): 3}


def test_every_plausible_figure_fits_its_column() -> None:
    for name, field in NUMBERS.items():
        if field.column is None:
            continue
        kind = column_of(field.column).type
        factor = 100 if field.is_fraction else 1
        if isinstance(kind, Figure):
            assert kind.accepts(field.lowest * factor), name
            assert kind.accepts(field.highest * factor), name
        else:
            assert field.is_whole, name
    for name, text in TEXTS.items():
        if text.column is not None:
            length = getattr(column_of(text.column).type, "length", None)
            assert length is None or length >= text.longest, name
