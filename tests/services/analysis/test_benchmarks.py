import pytest

from klyx.services.analysis.benchmarks import (
    industry_of,
    overall_health,
    rate,
    rate_all,
    recommendations,
    trend,
)


@pytest.mark.parametrize(
    ("descriptions", "industry"),
    [
        (("Banks", "Banking and Finance"), "financial"),
        (("IT Consulting", "Software & Services"), "technology"),
        (("Healthcare Facilities",), "healthcare"),
        (("Pharmaceuticals",), "healthcare"),
        (("Paints", "Consumer Durables"), "manufacturing"),
        (("Department Stores", "Retailing"), "retail"),
        (("Marine Port & Services", "Transportation"), "general"),
        (("", ""), "general"),
    ],
)
def test_industry_of(descriptions: tuple[str, ...], industry: str) -> None:
    assert industry_of(*descriptions) == industry


@pytest.mark.parametrize(
    ("ratio", "value", "industry", "rating"),
    [
        ("current_ratio", 2.5, "technology", "Excellent"),
        ("current_ratio", 1.8, "technology", "Good"),
        ("current_ratio", 1.2, "technology", "Acceptable"),
        ("current_ratio", 1.19, "technology", "Poor"),
        ("roe", 0.15, "financial", "Excellent"),
        ("roe", 0.05, "general", "Poor"),
        ("gross_margin", 0.45, "healthcare", "Good"),
        ("gross_margin", 0.44, "healthcare", "Acceptable"),
        ("gross_margin", 0.45, "financial", "N/A"),
        ("debt_to_equity", 0.0, "retail", "Excellent"),
        ("debt_to_equity", 0.5, "retail", "Excellent"),
        ("debt_to_equity", 0.8, "retail", "Good"),
        ("debt_to_equity", 1.5, "retail", "Acceptable"),
        ("debt_to_equity", 1.6, "retail", "Poor"),
        ("debt_to_equity", -0.1, "retail", "N/A"),
        ("pe_ratio", 13.9, "manufacturing", "Potentially Undervalued"),
        ("pe_ratio", 14.0, "manufacturing", "Fair Value"),
        ("pe_ratio", 20.0, "manufacturing", "Growth Premium"),
        ("pe_ratio", 28.0, "manufacturing", "Expensive"),
        ("pe_ratio", 0.0, "manufacturing", "N/A"),
        ("pe_ratio", None, "manufacturing", "N/A"),
        ("roe", 0.2, "no such industry", "Excellent"),
        ("eps", 5.0, "general", "N/A"),
    ],
)
def test_rate(ratio: str, value: float | None, industry: str, rating: str) -> None:
    assert rate(ratio, value, industry) == rating


def test_rate_all_rates_every_benchmarked_ratio() -> None:
    assert rate_all({"roe": 0.16, "pe_ratio": 60.0}, "general") == {
        "current_ratio": "N/A",
        "debt_to_equity": "N/A",
        "roe": "Good",
        "gross_margin": "N/A",
        "pe_ratio": "Expensive",
    }


@pytest.mark.parametrize(
    ("ratio", "values", "expected"),
    [
        ("roe", [0.10, 0.2, 0.12], "Improving"),
        ("roe", [0.12, 0.10], "Deteriorating"),
        ("roe", [100.0, 104.9], "Stable"),
        ("roe", [100.0, 105.0], "Improving"),
        ("roe", [-0.2, -0.1], "Improving"),
        ("debt_to_equity", [0.5, 1.0], "Deteriorating"),
        ("debt_to_equity", [1.0, 0.5], "Improving"),
        ("roe", [0.1], "N/A"),
        ("roe", [0.0, 0.1], "N/A"),
        ("roe", [], "N/A"),
    ],
)
def test_trend(ratio: str, values: list[float], expected: str) -> None:
    assert trend(ratio, values) == expected


@pytest.mark.parametrize(
    ("ratings", "health"),
    [
        (["Excellent", "Excellent", "Good", "Excellent"], ("Excellent", "3.8/4.0")),
        (["Excellent", "Acceptable"], ("Good", "3.0/4.0")),
        (["Fair Value", "Growth Premium", "Expensive", "N/A"], ("Fair", "2.0/4.0")),
        (["Poor", "Poor", "N/A"], ("Poor", "1.0/4.0")),
        (["Potentially Undervalued"], ("Good", "3.0/4.0")),
        (["N/A"], ("N/A", "N/A")),
        ([], ("N/A", "N/A")),
    ],
)
def test_overall_health_ignores_what_is_not_rated(ratings: list[str], health: tuple[str, str]) -> None:
    assert overall_health(ratings) == health


def test_recommendations_for_poor_ratings_then_bad_trends() -> None:
    advice = recommendations(
        {"roe": "Poor", "current_ratio": "Good"}, {"debt_to_equity": "Deteriorating", "net_margin": "Deteriorating"}
    )
    assert len(advice) == 3
    assert "return on equity" in advice[0]
    assert "debt to equity" in advice[1]
    assert "net margin" in advice[2]


def test_recommendations_are_two_generic_ones_or_five_at_most() -> None:
    assert len(recommendations({"roe": "Good"}, {"roe": "Stable"})) == 2
    poor = dict.fromkeys(("current_ratio", "debt_to_equity", "roe", "gross_margin"), "Poor")
    worse = dict.fromkeys(("roe", "roa", "current_ratio"), "Deteriorating")
    assert len(recommendations(poor, worse)) == 5
