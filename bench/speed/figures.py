"""Figures with their spread, and what became of a goal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a measurement takes: more rounds narrow the spread, longer rounds steady each figure."""

    rounds: int
    load_seconds: float
    samples: int
    cold_rounds: int
    warm_up_requests: int
    mixed_requests: int


FULL = Effort(
    rounds=5, load_seconds=3.0, samples=60, cold_rounds=5, warm_up_requests=2_000, mixed_requests=10_000
)
QUICK = Effort(rounds=2, load_seconds=1.0, samples=15, cold_rounds=2, warm_up_requests=300, mixed_requests=1_000)


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the ends of one figure over the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values))

    def text(self, digits: int = 2) -> str:
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f} to {self.high:,.{digits}f})"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the report. `is_met` is None where there is no goal or nothing could be measured."""

    what: str
    figure: str
    goal: str = ""
    is_met: bool | None = None
    details: tuple[str, ...] = ()


class Missing(Exception):
    """A row cannot be measured; the text says what is missing and what to do."""


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]


def at_least(what: str, ratios: Sequence[float], goal: float, *details: str) -> Measurement:
    spread = Spread.of(ratios)
    return Measurement(what, spread.text(), f">= {goal:g}", spread.median >= goal, details)


def at_most(what: str, values: Sequence[float], goal: float, unit: str, *details: str) -> Measurement:
    spread = Spread.of(values)
    return Measurement(what, f"{spread.text()} {unit}".strip(), f"<= {goal:g} {unit}".strip(), spread.median <= goal,
                       details)  # fmt: skip
