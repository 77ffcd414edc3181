import pytest

from klyx.services.analysis.numbers import NotANumberError, is_missing_text, parse_number
from klyx.services.analysis.table import Cell


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (5, 5),
        (2.5, 2.5),
        (0, 0),
        (None, None),
        (float("nan"), None),
        (float("-inf"), None),
        ("0", 0.0),
        ("1,234.5", 1234.5),
        ("12,34,567.89", 1234567.89),
        ("2,769,237,400,000", 2769237400000.0),
        ("12.3%", 12.3),
        ("12.3 %", 12.3),
        ("-4.69", -4.69),
        ("\u22124.69", -4.69),
        ("+7", 7.0),
        ("(1,234.5)", -1234.5),
        ("₹ 1,234", 1234.0),
        ("Rs. 99.50", 99.5),
        ("-₹5", -5.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1.2e5", 120000.0),
        ("\u00a07\u00a0", 7.0),
        ("1e999", None),
        (10**400, None),
    ],
)
def test_parse_number(cell: Cell, expected: float | None) -> None:
    assert parse_number(cell) == expected


@pytest.mark.parametrize(
    "cell",
    ["", "  ", "Export NA", "EXPORT na", "nan", "NaN", "inf", "-Infinity", "-", "--", "N/A", "#DIV/0!"],
)
def test_missing_everywhere(cell: str) -> None:
    assert is_missing_text(cell)
    assert parse_number(cell) is None


@pytest.mark.parametrize("cell", ["NA", "none", "NULL", "nil", "\u2013", "\u2014"])
def test_missing_only_where_a_number_belongs(cell: str) -> None:
    assert not is_missing_text(cell)
    assert parse_number(cell) is None


@pytest.mark.parametrize(
    "cell",
    [
        "abc",
        "1,2",
        "1.234,5",
        "12 34",
        "=1+1",
        "5x",
        "1e",
        "()",
        "(",
        "%",
        "₹",
        "--5",
        "0x10",
        "1_000",
        "٣",
        True,
        False,
    ],
)
def test_text_is_not_a_number(cell: Cell) -> None:
    with pytest.raises(NotANumberError):
        parse_number(cell)


def test_integers_too_large_for_json_become_floats() -> None:
    value = parse_number(2**70)
    assert isinstance(value, float)
    assert value == 2.0**70
    assert isinstance(parse_number(2**53), int)
