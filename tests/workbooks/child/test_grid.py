import pytest

from klyx.workbooks.child.grid import Cell, collect_rows, distinct_names, shape_table
from klyx.workbooks.child.refusal import Refused
from klyx.workbooks.limits import WorkbookLimits

LIMITS = WorkbookLimits(max_rows=30, max_columns=5, max_cells=60, max_cell_characters=10)


def refused_by_collecting(rows: list[list[Cell]]) -> Refused:
    with pytest.raises(Refused) as caught:
        collect_rows(rows, LIMITS)
    return caught.value


def test_collecting_drops_empty_rows_and_trailing_empty_cells() -> None:
    rows: list[list[Cell]] = [[None, None], ["a", None, 1, None], [], [0, None], [False]]
    assert collect_rows(rows, LIMITS) == [["a", None, 1], [0], [False]]


def test_collecting_stops_at_each_limit() -> None:
    assert refused_by_collecting([[1] for _ in range(60)]).code == "rows"
    assert refused_by_collecting([[1] * 6]).figures == {"found": 6}
    assert refused_by_collecting([[1] * 5 for _ in range(13)]).code == "cells"
    long = refused_by_collecting([["Stock Name"], [1, "x" * 11]])
    assert (long.code, long.figures) == ("cell_text", {"row": 2, "column": 2})


def test_rows_are_as_long_as_the_headings() -> None:
    table = shape_table([["Stock Name", "Price"], ["TCS"], ["ITC", 402.5]], LIMITS)
    assert table == {"columns": ["Stock Name", "Price"], "rows": [["TCS", None], ["ITC", 402.5]]}


def test_blank_headings_lose_empty_columns_and_name_the_others() -> None:
    rows: list[list[Cell]] = [
        ["Stock Name", None, None, "Empty"],
        ["TCS", None, 7],
        ["ITC", None, None, None, 9],
    ]
    assert shape_table(rows, LIMITS) == {
        "columns": ["Stock Name", "Column 3", "Empty", "Column 5"],
        "rows": [["TCS", 7, None, None], ["ITC", None, None, 9]],
    }


def test_titles_above_the_headings_are_skipped() -> None:
    rows: list[list[Cell]] = [["My list"], [None, "Prices"], [" STOCK\n name", "Price"], ["TCS", 3_000]]
    assert shape_table(rows, LIMITS) == {"columns": ["STOCK name", "Price"], "rows": [["TCS", 3_000]]}


def test_headings_below_the_titles_of_groups_name_the_figures() -> None:
    rows: list[list[Cell]] = [
        ["My list"],
        ["Stock Name", "Price", "Returns", None, None],
        [None, None, "Day  %", "1Yr %", "5Yr %"],
        ["TCS", 3_000, 1.5, 12, 80],
    ]
    assert shape_table(rows, LIMITS) == {
        "columns": ["Stock Name", "Price", "Day %", "1Yr %", "5Yr %"],
        "rows": [["TCS", 3_000, 1.5, 12, 80]],
    }


def test_groups_with_the_same_headings_keep_their_titles() -> None:
    rows: list[list[Cell]] = [
        ["Symbol", "Quarter", None, "Annual", None],
        [None, "Revenue", "EPS", "Revenue", "Debt"],
        ["TCS", 1, 2, 3, 4],
    ]
    assert shape_table(rows, LIMITS)["columns"] == ["Symbol", "Quarter Revenue", "EPS", "Annual Revenue", "Debt"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["Stock Name", "Sector", "Note"], [None, "Energy", "Large"]),
        (["Stock Name", "Price", "Return"], [None, "Rs.", "%"]),
        (["Stock Name", "Returns", None], ["TCS", "good", "better"]),
        (["Stock Name", "Returns", None], [None, 1.5, "better"]),
        (["Stock Name", "Returns", None], [None, None, "a remark"]),
        (["Name", "Returns", None], [None, "Day %", "1Yr %"]),
    ],
)
def test_an_ordinary_row_is_no_second_row_of_headings(first: list[Cell], second: list[Cell]) -> None:
    names = [str(heading) for heading in first if heading] + ["Column 3"] * (first[2] is None)
    table = shape_table([[*first], [*second], ["ITC", 1, 2]], LIMITS)
    assert table == {"columns": names, "rows": [second, ["ITC", 1, 2]]}


def test_without_a_known_heading_the_first_row_holds_the_headings() -> None:
    rows: list[list[Cell]] = [["Name", 2025], ["TCS", 1]]
    assert shape_table(rows, LIMITS)["columns"] == ["Name", "2025"]


def test_headings_alone_make_a_table_without_rows() -> None:
    assert shape_table([["Stock Name"]], LIMITS) == {"columns": ["Stock Name"], "rows": []}


def test_shaping_refuses_nothing_and_too_much() -> None:
    one: list[Cell] = ["x"]
    cases: list[tuple[list[list[Cell]], str]] = [
        ([], "no_rows"),
        ([["Stock Name"], *[[*one] for _ in range(31)]], "rows"),
        ([["Stock Name"], [1, 2, 3, 4, 5], *[[*one] for _ in range(20)]], "cells"),
    ]
    for rows, code in cases:
        with pytest.raises(Refused) as caught:
            shape_table(rows, LIMITS)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("names", "distinct"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a", "b", "a"], ["a", "a.1", "b", "a.2"]),
        (["a", "a.1", "a"], ["a", "a.1", "a.2"]),
        (["a", "a", "a.1"], ["a", "a.2", "a.1"]),
        (["a.1", "a.1"], ["a.1", "a.1.1"]),
    ],
)
def test_distinct_names(names: list[str], distinct: list[str]) -> None:
    assert distinct_names(names) == distinct
