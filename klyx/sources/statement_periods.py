"""Financial years as sources print them, and tables whose columns they are."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

MONTHS = tuple(name.lower() for name in calendar.month_name)
# What the clients' reports recognise in the heading of a column.
QUARTER_ENDS = frozenset({3, 6, 9, 12})
_PERIOD = re.compile(r"([a-z]{3,9})[\s.'\u2019-]{0,3}(\d{4}|\d{2})", re.IGNORECASE)
_FIRST_CENTURY_YEAR = 70
# Printed in rupees a share, percent, times or days, whatever the unit of the amounts around them.
# Amounts too name a rate or a percentage, such as "Effect of Exchange Rate Changes" and "6% Preference Shares".
_NO_AMOUNT = re.compile(
    r"\beps\b|(?:\bper|/)[ -]*(?:equity[ -]*)?share\b|\((?:in )?%\)|%$|\brates?(?: *\(.*\))?$|\bratios?\b",
    re.IGNORECASE,
)

Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A financial year by the month it ends in; `months` is its length where the source tells it."""

    year: int
    month: int
    months: int | None = None

    @property
    def label(self) -> str:
        """Such as "Mar 2025"."""
        return f"{calendar.month_abbr[self.month]} {self.year}"

    @property
    def end(self) -> date:
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    @property
    def is_a_year(self) -> bool:
        """Whether its amounts can be compared with those of another year."""
        return self.months in (None, 12)


def parse_period(text: str) -> Period | None:
    """ "Mar 25", "MAR '25", "Mar 2025" or "March 2025"; None for other text."""
    found = _PERIOD.fullmatch(text.strip())
    if found is None:
        return None
    word = found[1].lower()
    month = next((number for number, name in enumerate(MONTHS) if name and name.startswith(word)), None)
    if month is None:
        return None
    year = int(found[2])
    if year < 100:
        year += 1900 if year >= _FIRST_CENTURY_YEAR else 2000
    return Period(year, month) if 1950 <= year <= 2100 else None


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its label as printed and a value, or None, for each period of its table."""

    label: str
    values: Values

    @property
    def key(self) -> str:
        """The label in lower case without punctuation: sources are not consistent about either."""
        return re.sub(r"[^a-z0-9]+", " ", self.label.lower()).strip()

    @property
    def is_amount(self) -> bool:
        """Whether its values are in the unit of the table, rather than a share's, percent or a ratio."""
        return _NO_AMOUNT.search(self.label.strip()) is None

    def scaled(self, factor: float) -> Line:
        values = (None if value is None else round(value * factor, 4) for value in self.values)
        return Line(self.label, tuple(values))


@dataclass(frozen=True, slots=True)
class PeriodTable:
    """A table whose columns are periods, each once. `heading` is the text above and beside the periods."""

    heading: str
    periods: tuple[Period, ...]
    lines: tuple[Line, ...]

    def find(self, *patterns: str) -> Line | None:
        """The line whose key matches the first of the patterns that matches any, as a whole."""
        for pattern in patterns:
            expression = re.compile(pattern)
            for line in self.lines:
                if expression.fullmatch(line.key):
                    return line
        return None

    def scaled(self, factor: float) -> PeriodTable:
        """The amounts times a factor; what is no amount stays as printed."""
        lines = (line.scaled(factor) if line.is_amount else line for line in self.lines)
        return PeriodTable(self.heading, self.periods, tuple(lines))

    def restricted(self, most: int) -> PeriodTable:
        """The newest `most` periods, newest first, that end in one and the same month.

        That month is the newest period's: columns are sorted as text, so months must not be mixed.
        """
        usable = sorted((period for period in self.periods if period.month in QUARTER_ENDS), reverse=True)
        kept = [period for period in usable if period.month == usable[0].month][:most]
        positions = [self.periods.index(period) for period in kept]
        lines = (Line(line.label, tuple(line.values[position] for position in positions)) for line in self.lines)
        known = (line for line in lines if any(value is not None for value in line.values))
        return PeriodTable(self.heading, tuple(kept), tuple(known))


def joined(pages: Sequence[PeriodTable]) -> PeriodTable:
    """One table of pages that go on with older years. Of a period that comes twice, the first page's counts.

    Rows with the same label are told apart by their order; a row that one page lacks is unknown there.
    """
    periods: dict[tuple[int, int], Period] = {}
    rows: dict[tuple[str, int], tuple[str, dict[tuple[int, int], float | None]]] = {}
    for page in pages:
        new = [
            (position, (period.year, period.month))
            for position, period in enumerate(page.periods)
            if (period.year, period.month) not in periods
        ]
        periods.update((moment, page.periods[position]) for position, moment in new)
        for key, line in _numbered(page.lines):
            _, values = rows.setdefault(key, (line.label, {}))
            values.update((moment, line.values[position]) for position, moment in new)
    lines = (Line(label, tuple(values.get(moment) for moment in periods)) for label, values in rows.values())
    return PeriodTable(pages[0].heading if pages else "", tuple(periods.values()), tuple(lines))


def _numbered(lines: Sequence[Line]) -> Iterator[tuple[tuple[str, int], Line]]:
    seen: dict[str, int] = {}
    for line in lines:
        number = seen[line.key] = seen.get(line.key, 0) + 1
        yield (line.key, number), line
