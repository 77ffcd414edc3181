"""Which numbers and days of a text were looked up."""

from __future__ import annotations

from typing import Any

import pytest

from klyx.services.chat.known_numbers import KnownNumbers, numbers_in


def known(*values: Any) -> KnownNumbers:
    numbers = KnownNumbers()
    numbers.learn(list(values))
    return numbers


@pytest.mark.parametrize(
    ("looked_up", "written"),
    [
        (12_345_678_901_234.0, "₹12,34,568 Cr"),
        (5_000_000.0, "₹0.50 Cr"),
        (28.123456, "28.1"),
        (28.123456, "28"),
        (0.0, "0"),
        (0.0012, "0.00 %"),
        (-3.5, "-3.50 %"),
        (-3.5, "\u22123.50 %"),
    ],
)
def test_a_number_may_be_written_as_people_write_it(looked_up: float, written: str) -> None:
    assert known(looked_up).knows_all_of(written)
    assert numbers_in(written)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Rs9999", [9999]),
        ("Rs.9,999.50", [9999.5]),
        ("INR9999", [9999]),
        ("①② and ९९", [12, 99]),
        ("3,100-3,200", [3100, 3200]),
        ("3M India", [3]),
        ("2026-01-05T10:00:00.123456Z", []),
        ("Mon, 05 Jan 2026 00:00:00 GMT", []),
        ("12026-01-05", [12026, 1, 5]),
    ],
)
def test_numbers_are_found_wherever_people_would_read_them(text: str, numbers: list[float]) -> None:
    assert numbers_in(text) == numbers


def test_nothing_is_known_only_because_some_other_number_is_large_or_small() -> None:
    numbers = known(3140.0, 12_345_678_901_234.0, 71, 0.3)
    assert not any(map(numbers.knows, (0, 0.0, -0.0, 0.0003, 1e-9)))
    assert not numbers.knows(float("nan"))


def test_a_moment_gives_its_day_and_no_numbers() -> None:
    numbers = known({"as_of": "2026-01-05T10:00:00+00:00"}, "Tue, 06 Jan 2026 00:00:00 GMT")
    assert numbers.knows_all_of("2026-01-05")
    assert numbers.knows_all_of("6 January 2026")
    assert not numbers.knows_all_of("2026-01-07")
    assert not numbers.knows_all_of("9999-99-99")
    assert not any(map(numbers.knows, (0, 5, 10, 2026)))
    assert numbers.knows_day("2026-01-06")
    assert not any(map(numbers.knows_day, ("2026-01-07", "2026-01-06 or later", "20260106", "soon")))


def test_a_label_may_name_spans_of_time_and_fields() -> None:
    numbers = known({"sma_50": 3000.5, "Mar 2025": 7})
    spans = ("52-week high", "5 years", "1Y return", "200 DMA", "RSI (14)", "50-day average")
    assert all(map(numbers.knows_all_of_label, (*spans, "Revenue 2025", "P/E of 7")))
    refused = ("P/E of 8", "₹9999", "9999 days", "Revenue 2026", "5000Y", "Rs7000")
    assert not any(map(numbers.knows_all_of_label, refused))
    assert not numbers.knows_all_of("52-week high")
