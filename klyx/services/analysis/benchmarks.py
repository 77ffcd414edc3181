"""Ratios against what is usual in an industry."""

import re
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from types import MappingProxyType
from typing import NamedTuple

from klyx.services.analysis.ratios import Number, Ratios

NOT_RATED = "N/A"
NO_TREND = "N/A"
_STABLE_BELOW_PERCENT = 5.0
_MOST_RECOMMENDATIONS = 5


class Thresholds(NamedTuple):
    """excellent / good / acceptable / poor; for PE: undervalued / fair / growth / expensive."""

    first: float
    second: float
    third: float
    fourth: float


Benchmarks = Mapping[str, Thresholds]

INDUSTRIES: Mapping[str, Benchmarks] = MappingProxyType(
    {
        "technology": {
            "current_ratio": Thresholds(2.5, 1.8, 1.2, 1.0),
            "debt_to_equity": Thresholds(0.3, 0.5, 1.0, 2.0),
            "roe": Thresholds(0.25, 0.18, 0.12, 0.08),
            "gross_margin": Thresholds(0.70, 0.50, 0.35, 0.20),
            "pe_ratio": Thresholds(15, 25, 35, 50),
        },
        "retail": {
            "current_ratio": Thresholds(2.0, 1.5, 1.0, 0.8),
            "debt_to_equity": Thresholds(0.5, 0.8, 1.5, 2.5),
            "roe": Thresholds(0.20, 0.15, 0.10, 0.05),
            "gross_margin": Thresholds(0.40, 0.30, 0.20, 0.10),
            "pe_ratio": Thresholds(12, 18, 25, 35),
        },
        "financial": {
            "current_ratio": Thresholds(1.5, 1.2, 1.0, 0.8),
            "debt_to_equity": Thresholds(1.0, 2.0, 4.0, 6.0),
            "roe": Thresholds(0.15, 0.12, 0.08, 0.05),
            "pe_ratio": Thresholds(10, 15, 20, 30),
        },
        "manufacturing": {
            "current_ratio": Thresholds(2.2, 1.7, 1.3, 1.0),
            "debt_to_equity": Thresholds(0.4, 0.7, 1.2, 2.0),
            "roe": Thresholds(0.18, 0.14, 0.10, 0.06),
            "gross_margin": Thresholds(0.35, 0.25, 0.18, 0.12),
            "pe_ratio": Thresholds(14, 20, 28, 40),
        },
        "healthcare": {
            "current_ratio": Thresholds(2.3, 1.8, 1.4, 1.0),
            "debt_to_equity": Thresholds(0.3, 0.6, 1.0, 1.8),
            "roe": Thresholds(0.22, 0.16, 0.11, 0.07),
            "gross_margin": Thresholds(0.65, 0.45, 0.30, 0.20),
            "pe_ratio": Thresholds(18, 28, 40, 55),
        },
        "general": {
            "current_ratio": Thresholds(2.0, 1.5, 1.0, 0.8),
            "debt_to_equity": Thresholds(0.5, 1.0, 1.5, 2.5),
            "roe": Thresholds(0.20, 0.15, 0.10, 0.05),
            "gross_margin": Thresholds(0.40, 0.30, 0.20, 0.10),
            "pe_ratio": Thresholds(15, 22, 30, 45),
        },
    }
)

_INDUSTRY_WORDS: Mapping[str, re.Pattern[str]] = {
    "technology": re.compile(r"\b(software|technology|it services|information|internet)\b", re.IGNORECASE),
    "retail": re.compile(r"\b(retail\w*|department stores?|supermarkets?)\b", re.IGNORECASE),
    "financial": re.compile(r"\b(bank\w*|financ\w*|insurance|nbfcs?|asset management)\b", re.IGNORECASE),
    "healthcare": re.compile(r"\b(health\w*|hospitals?|pharma\w*|biotech\w*|medical)\b", re.IGNORECASE),
    "manufacturing": re.compile(
        r"\b(manufactur\w*|auto\w*|steel|metals?|cement|chemicals?|paints?|machinery|capital goods"
        r"|consumer durables|textiles?)\b",
        re.IGNORECASE,
    ),
}

_POINTS = {
    "Excellent": 4,
    "Good": 3,
    "Fair Value": 3,
    "Potentially Undervalued": 3,
    "Acceptable": 2,
    "Growth Premium": 2,
    "Poor": 1,
    "Expensive": 1,
}

_LABELS = {
    "current_ratio": "current ratio",
    "debt_to_equity": "debt to equity",
    "roe": "return on equity",
    "gross_margin": "gross margin",
    "pe_ratio": "price to earnings",
}
_ADVICE = {
    "current_ratio": "The current ratio is poor for the industry: check if short-term debts are covered.",
    "debt_to_equity": "Debt is high for the industry: check how it is to be paid back.",
    "roe": "The return on equity is poor for the industry: check what weighs on profits.",
    "gross_margin": "The gross margin is poor for the industry: check prices and costs.",
}
_GENERIC_ADVICE = (
    "Nothing stands out against the industry: keep an eye on the next quarterly results.",
    "Compare with the closest competitors before deciding.",
)


def industry_of(*descriptions: str) -> str:
    """The benchmark group for an industry or sector name; the first that is recognised wins."""
    for description in descriptions:
        for industry, words in _INDUSTRY_WORDS.items():
            if words.search(description):
                return industry
    return "general"


def rate(ratio: str, value: Number, industry: str) -> str:
    """A ratio's rating in its industry, or "N/A" without value or benchmark."""
    thresholds = INDUSTRIES.get(industry, INDUSTRIES["general"]).get(ratio)
    if thresholds is None or value is None:
        return NOT_RATED
    if ratio == "pe_ratio":
        return _rate_price(value, thresholds)
    if ratio == "debt_to_equity":
        if value < 0:
            return NOT_RATED
        reached = [value <= limit for limit in thresholds]
    else:
        reached = [value >= limit for limit in thresholds]
    if reached[0]:
        return "Excellent"
    if reached[1]:
        return "Good"
    return "Acceptable" if reached[2] else "Poor"


def _rate_price(value: float, thresholds: Thresholds) -> str:
    if value <= 0:
        return NOT_RATED
    if value < thresholds.first:
        return "Potentially Undervalued"
    if value < thresholds.second:
        return "Fair Value"
    return "Growth Premium" if value < thresholds.third else "Expensive"


def rate_all(ratios: Ratios, industry: str) -> dict[str, str]:
    """Ratio -> rating, for every ratio that any industry has a benchmark for."""
    return {ratio: rate(ratio, ratios.get(ratio), industry) for ratio in INDUSTRIES["general"]}


def trend(ratio: str, values: Sequence[float]) -> str:
    """Where a ratio went from its oldest value to its newest: Improving, Deteriorating or Stable.

    "N/A" with fewer than two values, or when the oldest is 0. Rising debt is deteriorating.
    """
    if len(values) < 2 or values[0] == 0:
        return NO_TREND
    change_percent = (values[-1] - values[0]) / abs(values[0]) * 100
    if abs(change_percent) < _STABLE_BELOW_PERCENT:
        return "Stable"
    rising_is_good = ratio != "debt_to_equity"
    return "Improving" if (change_percent > 0) is rising_is_good else "Deteriorating"


def overall_health(ratings: Iterable[str]) -> tuple[str, str]:
    """The verdict and its score text, such as ("Good", "3.0/4.0"); unrated ratios do not count."""
    points = [_POINTS[rating] for rating in ratings if rating in _POINTS]
    if not points:
        return NOT_RATED, NOT_RATED
    mean = fmean(points)
    if mean >= 3.5:
        verdict = "Excellent"
    elif mean >= 2.5:
        verdict = "Good"
    else:
        verdict = "Fair" if mean >= 1.5 else "Poor"
    return verdict, f"{mean:.1f}/4.0"


def recommendations(ratings: Mapping[str, str], trends: Mapping[str, str]) -> list[str]:
    """What to look into: each poor rating, then each deteriorating trend; five at most."""
    advice = [_ADVICE[ratio] for ratio, rating in ratings.items() if rating == "Poor"]
    advice += [
        f"The {_LABELS.get(ratio, ratio.replace('_', ' '))} is getting worse: find out why."
        for ratio, direction in trends.items()
        if direction == "Deteriorating"
    ]
    return (advice or list(_GENERIC_ADVICE))[:_MOST_RECOMMENDATIONS]
