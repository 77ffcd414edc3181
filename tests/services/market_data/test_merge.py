from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

from klyx.services.market_data.merge import merge
from klyx.sources.base import SourceRecord, StatementKind

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def record(source: str, kind: StatementKind | None = None, minutes: int = 0, **fields: Any) -> SourceRecord:
    return SourceRecord("TCS", source, NOON + timedelta(minutes=minutes), fields, kind)


def test_the_first_source_that_knows_a_field_gives_it() -> None:
    nse = record("NSE", currentPrice=100.0, pe_ratio=None)
    yahoo = record("Yahoo Finance", minutes=3, currentPrice=101.0, pe_ratio=22.5, roe=0.3)
    merged = merge([nse, yahoo])
    assert merged.values == {"currentPrice": 100.0, "pe_ratio": 22.5, "roe": 0.3}
    assert {name: field.source for name, field in merged.fields.items()} == {
        "currentPrice": "NSE",
        "pe_ratio": "Yahoo Finance",
        "roe": "Yahoo Finance",
    }
    assert merged.sources == ["NSE", "Yahoo Finance"]
    assert merged.fetched_at == NOON + timedelta(minutes=3)


def test_an_implausible_figure_makes_room_for_the_next_source() -> None:
    merged = merge([record("NSE", pe_ratio=1e9, currentPrice=-4.0, roe=math.nan), record("Somewhere", pe_ratio=21.0)])
    assert merged.values == {"pe_ratio": 21.0}


def test_a_zero_that_is_a_gap_makes_room_and_a_true_one_does_not() -> None:
    first = record("First", revenue=0.0, total_debt=0.0, net_income=0.0)
    merged = merge([first, record("Second", revenue=5e9, total_debt=7e9)])
    assert merged.values == {"revenue": 5e9, "total_debt": 0.0, "net_income": 0.0}


def test_holdings_come_from_the_filing_and_not_from_a_proxy() -> None:
    records = [record("Yahoo Finance", promoter_holding=0.41), record("MoneyControl", promoter_holding=0.723)]
    assert merge(records).fields["promoter_holding"].source == "MoneyControl"


def test_only_what_stands_in_statements_has_their_kind() -> None:
    merged = merge([record("MoneyControl", "consolidated", revenue=5e9, currentPrice=5.0)])
    kinds = {name: field.statement_kind for name, field in merged.fields.items()}
    assert kinds == {"revenue": "consolidated", "currentPrice": None}


def test_quality_counts_what_is_known() -> None:
    assert merge([]).quality_score == 0
    records = [
        record("NSE", currentPrice=1.0, marketCap=2.0, pe_ratio=3.0),
        record("Yahoo Finance", roe=0.1, revenue=5.0, net_income=0.0, total_debt=0.0),
    ]
    merged = merge(records)
    assert merged.quality_score == 75
    assert merged.missing == ["net_income", "total_assets"]


def test_who_answered_first_makes_no_difference() -> None:
    records = [
        record("NSE", currentPrice=100.0),
        record("Yahoo Finance", currentPrice=101.0, roe=0.3, promoter_holding=0.4),
        record("MoneyControl", roe=0.2, promoter_holding=0.7, fii_holding=0.1),
    ]
    order = {found.source: position for position, found in enumerate(records)}
    for arrived in permutations(records):
        assert merge(sorted(arrived, key=lambda found: order[found.source])) == merge(records)
