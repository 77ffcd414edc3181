"""The last check of statement tables before they are kept, whichever source they come from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from klyx.services.analysis.text import clean_text
from klyx.sources.base import Section, StatementRow
from klyx.sources.statement_periods import Period, parse_period

SECTIONS: tuple[Section, ...] = get_args(Section)
LABEL = "headers"
MOST_PERIODS, MOST_ROWS, MOST_LABEL_CHARACTERS, FEWEST_ROWS = 10, 200, 200, 2
LARGEST_VALUE = 1e13
_PERIOD = re.compile(r"(Mar|Jun|Sep|Dec) \d{4}")

Sections = dict[str, list[dict[str, str | float | None]]]


def empty_sections() -> Sections:
    return {section: [] for section in SECTIONS}


def usable_sections(sections: Mapping[Section, Sequence[StatementRow]]) -> Sections:
    """The four sections as clients can show and calculate with them.

    In every row first the label, without characters that open or close a tag; then the same periods, the newest
    first, ten at most and all of one month, because columns are sorted as text; values are finite numbers or
    None. A section with fewer than two rows is left empty.
    """
    return {section: _usable_rows(sections.get(section, ())) for section in SECTIONS}


def _usable_rows(rows: Sequence[StatementRow]) -> list[dict[str, str | float | None]]:
    periods = _periods_of(rows)
    usable: list[dict[str, str | float | None]] = []
    for row in rows[:MOST_ROWS]:
        label = clean_text(str(row.get(LABEL) or ""))[:MOST_LABEL_CHARACTERS]
        values = {period: _number(row.get(period)) for period in periods}
        if label and any(value is not None for value in values.values()):
            usable.append({LABEL: label, **values})
    return usable if len(usable) >= FEWEST_ROWS else []


def _periods_of(rows: Sequence[StatementRow]) -> list[str]:
    names = dict.fromkeys(name for row in rows for name in row if _PERIOD.fullmatch(name))
    periods = sorted(filter(None, map(parse_period, names)), reverse=True)
    return [period.label for period in periods if period.month == periods[0].month][:MOST_PERIODS]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and abs(value) <= LARGEST_VALUE else None


def newest_period(sections: Mapping[str, Sequence[Mapping[str, Any]]]) -> Period:
    """The newest financial year of any section; a very old one when there is none."""
    names = {name for rows in sections.values() for name in (rows[0] if rows else ())}
    return max(filter(None, map(parse_period, names)), default=Period(1900, 1))


def count_periods(sections: Mapping[str, Sequence[Mapping[str, Any]]]) -> int:
    """Financial years of all sections together."""
    return sum(len(rows[0]) - 1 for rows in sections.values() if rows)
