import pytest

from klyx.services.analysis.scores import relative_strengths
from klyx.services.analysis.strength import FEWEST_STOCKS, YearChanges

CHANGES = [float(number * 37 % 23) for number in range(40)]
MARKET = YearChanges.of((f"S{number}", change) for number, change in enumerate(CHANGES))


def test_a_known_stock_with_its_own_change_has_its_score_among_all() -> None:
    found = [MARKET.strength(change, f"S{number}") for number, change in enumerate(CHANGES)]
    assert found == relative_strengths(CHANGES)


@pytest.mark.parametrize("change", [-5.0, 0.0, 7.0, 11.5, 99.0])
def test_any_other_row_is_ranked_as_if_it_were_one_of_them(change: float) -> None:
    assert MARKET.strength(change, "") == relative_strengths([*CHANGES, change])[-1]
    # A known stock of which the workbook says something else is not counted twice.
    assert MARKET.strength(change, "S3") == relative_strengths([*CHANGES[:3], change, *CHANGES[4:]])[3]


def test_unknown_changes_and_small_tables_have_no_score() -> None:
    assert MARKET.strength(None, "S1") is None
    few = [(f"S{number}", float(number)) for number in range(FEWEST_STOCKS - 1)]
    assert YearChanges.of(few).strength(5.0, "") is None
    assert YearChanges.of([*few, (None, 100.0)]).strength(99.0, "") == 94
