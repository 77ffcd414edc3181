from __future__ import annotations

import math
from typing import Any

import orjson
import pytest

from klyx.services.json_rows import Column, RowEncoder

ENCODER = RowEncoder(
    [
        Column(("id",), is_number=True),
        Column(("name", "Name %"), is_number=False, convert=str.strip),
        Column(("price", "Price"), is_number=True, decimals=2),
        Column(("rsi",), is_number=True, omitted_names=("Tech_RSI",)),
        Column((), is_number=True, omitted_names=("Hidden",)),
    ]
)


def encoded(*rows: tuple[Any, ...]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(ENCODER.encode(rows))
    return found


def test_numbers_of_either_driver_become_the_same() -> None:
    expected = {"id": 7, "name": "A", "Name %": "A", "price": 1.23, "Price": 1.23, "rsi": 50.5, "Tech_RSI": 50.5}
    assert encoded((b"7", " A ", b"1.2345", b"50.5000", None)) == [expected]
    assert encoded((7, " A ", 1.2345, 50.5, None)) == [expected]
    assert list(encoded((b"7", " A ", b"1.2345", b"50.5000", b"1"))[0]) == [*expected, "Hidden"]


def test_a_number_keeps_the_text_that_the_database_gave() -> None:
    assert b'"rsi":50.5000,"Tech_RSI":50.5000' in ENCODER.encode([(b"1", None, None, b"50.5000", None)])


@pytest.mark.parametrize("wrong", [b"NaN", b"Infinity", b"-Infinity", math.nan, math.inf, "12", None])
def test_what_is_no_number_is_null_or_left_out(wrong: object) -> None:
    rows: list[tuple[Any, ...]] = [(b"1", "NaN", wrong, wrong, wrong), (b"2", "Infinity Ltd.", b"1", b"2", b"3")]
    if not isinstance(wrong, bytes | None):
        rows = [(1, "NaN", wrong, wrong, wrong), (2, "Infinity Ltd.", 1, 2, 3)]
    first, second = encoded(*rows)
    assert first == {"id": 1, "name": "NaN", "Name %": "NaN", "price": None, "Price": None, "rsi": None}
    assert second["name"] == "Infinity Ltd."
    assert (second["price"], second["Tech_RSI"], second["Hidden"]) == (1, 2, 3)


def test_texts_are_escaped_and_lose_their_tags() -> None:
    hostile = 'a "b" \\ \n  , <i>c</i> \x01 😀 null %b'
    assert encoded((b"1", hostile, None, None, None))[0]["name"] == hostile.replace("<", "").replace(">", "")


def test_no_rows_and_values_beyond_the_columns() -> None:
    assert ENCODER.encode([]) == b"[]"
    assert encoded((b"1", None, None, None, None, b"99"))[0].keys() == {"id", "name", "Name %", "price", "Price", "rsi"}
