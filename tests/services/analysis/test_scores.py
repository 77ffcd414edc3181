import pytest

from klyx.services.analysis.scores import (
    durability_of,
    durability_score,
    momentum_of,
    momentum_score,
    relative_strengths,
    valuation_of,
    valuation_score,
)
from klyx.services.analysis.table import Row

Inputs = dict[str, float | None]

SOUND: Inputs = {
    "roa_percent": 10.1,
    "operating_margin_percent": 0.1,
    "debt_to_equity": 0.05,
    "current_ratio": 1.6,
    "net_margin_percent": 10.1,
    "eps_growth_percent": 0.1,
    "promoter_holding_percent": 30.1,
    "roe_percent": 15.1,
}


def durability(**changes: float | None) -> int | None:
    return durability_score(**{**SOUND, **changes})


def test_durability_of_a_sound_business_is_full() -> None:
    assert durability() == 100


@pytest.mark.parametrize(
    ("name", "value", "score"),
    [
        ("roa_percent", 10.0, 90),
        ("roa_percent", 0.0, 80),
        ("roa_percent", None, 80),
        ("operating_margin_percent", 0.0, 90),
        ("debt_to_equity", 0.0, 100),
        ("debt_to_equity", 0.1, 90),
        ("debt_to_equity", 1.0, 80),
        ("debt_to_equity", None, 80),
        ("debt_to_equity", -0.5, 80),
        ("current_ratio", 1.5, 90),
        ("net_margin_percent", 10.0, 90),
        ("eps_growth_percent", 0.0, 90),
        ("promoter_holding_percent", 30.0, 90),
        ("roe_percent", 15.0, 90),
    ],
)
def test_durability_thresholds(name: str, value: float | None, score: int) -> None:
    assert durability(**{name: value}) == score


def test_durability_needs_half_of_its_inputs() -> None:
    half = ["roa_percent", "operating_margin_percent", "debt_to_equity", "current_ratio"]
    assert durability(**dict.fromkeys(half)) == 40
    assert durability(**dict.fromkeys([*half, "roe_percent"])) is None
    assert durability_score(**dict.fromkeys(SOUND)) is None


CHEAP: Inputs = {"pe_ratio": 14.9, "peg_ratio": 1.4, "pb_ratio": 2.9, "dividend_yield_percent": 1.1}


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({}, 100),
        ({"pe_ratio": 15.0}, 80),
        ({"pe_ratio": 30.0}, 60),
        ({"pe_ratio": 0.0}, 0),
        ({"pe_ratio": -5.0}, 0),
        ({"pe_ratio": None}, 0),
        ({"peg_ratio": 1.5}, 80),
        ({"peg_ratio": -4.69}, 80),
        ({"peg_ratio": None}, 80),
        ({"pb_ratio": 3.0}, 80),
        ({"pb_ratio": -1.0}, 80),
        ({"dividend_yield_percent": 1.0}, 80),
        ({"dividend_yield_percent": None, "pb_ratio": None}, 60),
        ({"dividend_yield_percent": None, "pb_ratio": None, "peg_ratio": None}, None),
        (dict.fromkeys(CHEAP), None),
    ],
)
def test_valuation(changes: Inputs, score: int | None) -> None:
    assert valuation_score(**{**CHEAP, **changes}) == score


LEADER: Inputs = {
    "relative_strength": 99.0,
    "year_change_percent": 60.0,
    "price": 100.0,
    "week_52_high": 100.0,
    "week_52_low": 50.0,
}


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({}, 79),
        ({"relative_strength": 100.0}, 80),
        ({"relative_strength": 24.0}, 49),
        ({"relative_strength": 0.0}, 40),
        ({"relative_strength": None}, 80),
        ({"relative_strength": None, "year_change_percent": 50.0}, 70),
        ({"relative_strength": None, "year_change_percent": 20.0}, 55),
        ({"relative_strength": None, "year_change_percent": 0.0}, 40),
        ({"relative_strength": None, "year_change_percent": None}, 40),
        ({"week_52_high": 106.0}, 69),
        ({"week_52_high": 118.0}, 59),
        ({"week_52_high": 134.0}, 49),
        ({"week_52_high": None}, 49),
        ({"week_52_low": 91.0}, 69),
        ({"week_52_low": 0.0}, 69),
        ({"week_52_low": None, "week_52_high": None}, None),
        ({"price": None}, None),
        ({"relative_strength": 1e6}, 100),
        ({"relative_strength": -1e6}, 0),
    ],
)
def test_momentum(changes: Inputs, score: int | None) -> None:
    assert momentum_score(**{**LEADER, **changes}) == score


@pytest.mark.parametrize(
    ("changes", "strengths"),
    [
        ([-0.44, 27.59, -2.73, 23.01, 15.05], [24, 99, 0, 74, 49]),
        ([5.0], [50]),
        ([None, 5.0, None], [None, 50, None]),
        ([None, 10.0, 0.0], [None, 99, 0]),
        ([7.0, 7.0, 1.0], [99, 99, 0]),
        ([3.0, 3.0], [99, 99]),
        ([None], [None]),
        ([], []),
    ],
)
def test_relative_strengths(changes: list[float | None], strengths: list[int | None]) -> None:
    assert relative_strengths(changes) == strengths


def test_relative_strength_follows_the_stock_not_its_place() -> None:
    changes = [float(change * 37 % 101) for change in range(101)]
    strengths = dict(zip(changes, relative_strengths(changes), strict=True))
    assert strengths == dict(zip(reversed(changes), relative_strengths(changes[::-1]), strict=True))
    assert strengths[100.0] == 99
    assert strengths[0.0] == 0


def test_scores_of_a_row_by_hand() -> None:
    row: Row = {
        "RoA Annual %": 8.19,
        "ROE Annual %": 17.81,
        "Operating Profit Margin Qtr %": 60.54,
        "EPS TTM Growth %": 21.95,
        "Promoter holding latest %": 65.89,
        "PE TTM Price to Earnings": 27.25,
        "PEG TTM PE to Growth": 1.24,
        "Price to Book Value Adjusted": 5.23,
        "1Yr change %": 27.59,
        "Relative Strength": 99,
        "Current Price": 1508.7,
        "52 Week High": 1549.0,
        "1Yr Low": 1010.75,
    }
    assert durability_of(row) == 50
    assert valuation_of(row) == 40
    assert momentum_of(row) == 79


def test_scores_of_an_empty_row_are_unknown() -> None:
    assert (durability_of({}), valuation_of({}), momentum_of({})) == (None, None, None)
