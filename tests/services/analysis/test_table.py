import pytest

from klyx.services.analysis.table import Row, fill, finite, number, text


@pytest.mark.parametrize("value", [0, 0.0, -3, 2.5, 10**200])
def test_finite_keeps_numbers(value: float) -> None:
    assert finite(value) == value


@pytest.mark.parametrize("value", [None, True, False, "1", float("nan"), float("inf"), 10**400, [1]])
def test_finite_refuses_everything_else(value: object) -> None:
    assert finite(value) is None


def test_number_takes_the_first_known_column_and_knows_zero() -> None:
    row: Row = {"a": None, "b": "text", "c": 0, "d": 5}
    assert number(row, "a", "b", "c", "d") == 0
    assert number(row, "a", "absent") is None


def test_text_is_empty_without_text() -> None:
    assert text({"a": 5}, "a") == ""
    assert text({"a": "x"}, "a") == "x"


def test_fill_keeps_a_known_zero_and_ignores_unknown_values() -> None:
    row: Row = {"zero": 0, "missing": None}
    assert not fill(row, "zero", 7)
    assert not fill({"Current Price": 0}, "Current Price", 0.0)
    assert not fill(row, "missing", None)
    assert fill(row, "missing", 7)
    assert row == {"zero": 0, "missing": 7}
