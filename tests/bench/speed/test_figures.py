from __future__ import annotations

import pytest

from bench.speed.figures import Spread, at_least, at_most, percentile


def test_a_spread_tells_the_middle_and_the_ends() -> None:
    assert Spread.of([3.0, 1.0, 10.0]).text(1) == "3.0 (1.0 to 10.0)"


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (95, 95), (99, 99), (100, 100), (0, 1)])
def test_a_percentile_is_the_smallest_value_that_enough_do_not_exceed(percent: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], percent) == value


def test_a_goal_is_judged_by_the_median() -> None:
    assert at_least("ratio", [0.1, 0.7, 0.9], 0.7).is_met is True
    assert at_least("ratio", [0.1, 0.69, 0.9], 0.7).is_met is False
    assert at_most("time", [1.0, 2.0, 90.0], 2.0, "ms").is_met is True
    assert at_most("time", [1.0, 2.1, 90.0], 2.0, "ms").is_met is False
