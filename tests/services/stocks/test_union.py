from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from klyx.services.stocks import FIELDS, encode_stocks, union_object
from klyx.services.stocks.union import recommendation_text


def stock(**values: Any) -> dict[str, str | int | float | None]:
    row = {"id": 1, "stock_name": "A Ltd.", "created_at": datetime(2025, 1, 31, tzinfo=UTC), **values}
    return union_object([row.get(field.name) for field in FIELDS])


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("strong_buy", None, "Strong Buy"),
        ("underperform", "Sell", "Underperform"),
        (None, "Moderate Buy", "Moderate Buy"),
        ("", "Hold", "Hold"),
        (None, None, None),
    ],
)
def test_recommendation_as_people_read_it(key: str | None, text: str | None, expected: str | None) -> None:
    assert recommendation_text(key, text) == expected
    made = stock(recommendation_key=key, recommendation_text=text)
    assert made["Forecaster Estimates Reco"] == expected
    assert made["recommendation_key"] == key


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, "Unknown", "46.64"])
def test_technical_figures_are_numbers_or_absent(value: object) -> None:
    made = stock(tech_rsi=value, tech_macd=value, tech_mfi=value)
    assert not {"Tech_RSI", "Tech_MACD", "Tech_MFI"} & made.keys()
    assert (made["tech_rsi"], made["tech_macd"], made["tech_mfi"]) == (None, None, None)


def test_zero_is_a_number() -> None:
    made = stock(tech_rsi=0.0, tech_macd=0.0, tech_mfi=0.0, day_change_pct=0.0, piotroski_score=0)
    assert (made["Tech_RSI"], made["Tech_MACD"], made["Tech_MFI"]) == (0.0, 0.0, 0.0)
    assert (made["Day change %"], made["Piotroski Score"]) == (0.0, 0)


def test_printed_ratios_are_rounded_under_every_name() -> None:
    made = stock(pe_ttm=23.4567, sector_pe_ttm=19.999, upside_12m_pct=12.3456, peg_ratio=1.2345)
    assert made["pe_ttm"] == made["PE TTM Price to Earnings"] == 23.46
    assert made["Sector PE TTM"] == 20.0
    assert made["Forecaster Estimates 12Mth Upside %"] == 12.35
    assert made["PEG TTM PE to Growth"] == 1.2345


def test_several_stocks_are_one_array_with_every_name_in_the_order_of_the_fields() -> None:
    rows: list[list[Any]] = [[None] * len(FIELDS) for _ in range(3)]
    for number, row in enumerate(rows):
        row[0], row[1] = number, ('"', "line\n  , next", "100% 😀 \\ %b %s")[number]
    made = orjson.loads(encode_stocks(rows))
    assert [one["id"] for one in made] == [0, 1, 2]
    assert [one["Stock Name"] for one in made] == ['"', "line\n  , next", "100% 😀 \\ %b %s"]
    names = [name for field in FIELDS for name in (field.name, *field.display_names)]
    assert [list(one) for one in made] == [names] * 3
    assert encode_stocks([]) == b"[]"


def test_figures_no_json_has_are_null_under_every_name() -> None:
    made = stock(pe_ttm=math.nan, market_cap=math.inf, peg_ratio=-math.inf)
    assert (made["pe_ttm"], made["PE TTM Price to Earnings"], made["Market Capitalization"]) == (None, None, None)
    assert made["PEG TTM PE to Growth"] is None


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2025, 1, 31, 9, 30, 1, 999_999, tzinfo=UTC), "2025-01-31T09:30:01Z"),
        ("2025-01-31 09:30:01.999999", "2025-01-31T09:30:01Z"),
        ("2025-01-31 09:30:01", "2025-01-31T09:30:01Z"),
        ("CURRENT_DATETIME", None),
        (None, None),
    ],
)
def test_moments_are_texts_in_utc_and_what_is_none_is_null(moment: object, expected: str | None) -> None:
    made = stock(last_updated=moment)
    assert made["last_updated"] == made["Last Updated"] == expected
